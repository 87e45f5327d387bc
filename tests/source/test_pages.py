"""Pages of an API list."""

import json
from typing import Any

import pytest

from kubehop.model.errors import InputError
from kubehop.model.kinds import KINDS
from kubehop.model.service import Service
from kubehop.source.pages import Page, decode_page

SERVICES = KINDS["Service"]


def page(kind: str = "Service", **fields: object) -> Page:
    return decode_page(KINDS[kind], json.dumps(fields).encode(), "/api/v1/services")


def test_items_without_kind_and_apiversion() -> None:
    item = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}}
    found = page(metadata={"continue": "token", "resourceVersion": "7"}, items=[item, item])
    assert [service.reference for service in found.objects] == ["Service shop/web"] * 2
    assert isinstance(found.objects[0], Service)
    assert (found.continue_token, found.resource_version) == ("token", "7")


@pytest.mark.parametrize("fields", [{}, {"items": None, "metadata": None}, {"items": []}])
def test_empty(fields: dict[str, Any]) -> None:
    assert page(**fields) == Page((), "", "")


def test_config_maps_that_are_not_of_the_network_are_left_out() -> None:
    items = [
        {"metadata": {"name": name, "namespace": "kube-system"}, "data": {"a": "b"}}
        for name in ("coredns", "extension-apiserver-authentication", "kube-proxy")
    ]
    found = page("ConfigMap", items=items)
    assert [each.name for each in found.objects] == ["coredns", "kube-proxy"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"items": 3}', "/x: items: expected list"),
        (b'{"metadata": 3}', "/x: metadata: expected object, got int 3"),
        (b"[]", "/x: expected object, got list"),
        (b"", "/x: not JSON in UTF-8: "),
        (b'{"items": [', "/x: not JSON in UTF-8: "),
        (b"[" * 100_000, "/x: nested too deeply"),
        (b'{"items": [{}]}', "/x: Service: items[0].metadata: required, but missing"),
        (
            b'{"items": [{"metadata": {"name": "a"}, "spec": {"clusterIP": "x"}}]}',
            '/x: Service a: items[0].spec.clusterIP: "x" is not an IP address',
        ),
    ],
)
def test_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        decode_page(SERVICES, data, "/x")
    assert str(error.value).startswith(message)
