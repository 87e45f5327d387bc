"""Credentials of a team: everything in its own namespace, nothing in all of them."""

import pytest

from kubehop.live.fetch import fetch
from kubehop.model.errors import ClusterError
from kubehop.model.kinds import KINDS
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice, Service
from tests.live import recorded
from tests.live.api_server import Cluster, Handler, Json, status
from tests.live.conftest import FAST, Write


def in_namespace(path: str, namespace: str) -> str:
    """/api/v1/pods -> /api/v1/namespaces/NAMESPACE/pods"""
    root, _, plural = path.rpartition("/")
    return f"{root}/namespaces/{namespace}/{plural}"


def of_team(cluster: Cluster, *namespaces: str) -> None:
    """Only lists in `namespaces` are allowed, of what the cluster has there."""
    for kind in [kind for kind in KINDS.values() if kind.name != "ConfigMap"]:
        items = cluster.lists.pop(kind.path, [])
        cluster.faults[kind.path] = status(403, f'cannot list resource "{kind.plural}"')
        for namespace in namespaces if kind.namespaced else ():
            path = in_namespace(kind.path, namespace)
            cluster.lists[path] = [each for each in items if namespace_of(each) == namespace]
            cluster.kinds[path] = (f"{kind.name}List", kind.api_versions[0])
    cluster.faults["*"] = forbid


def namespace_of(item: Json) -> str:
    return str(item["metadata"].get("namespace", "default"))


def forbid(handler: Handler) -> None:
    served = handler.cluster.lists.keys() | handler.cluster.objects.keys()
    handler.serve() if handler.request_seen.path in served else status(403)(handler)


def test_the_namespace_of_the_context_is_read(cluster: Cluster, write: Write) -> None:
    of_team(cluster, "kube-system")
    write(cluster, namespace="kube-system")
    found = fetch(limits=FAST)
    assert {pod.namespace for pod in found.of(Pod)} == {"kube-system"}
    assert {service.name for service in found.of(Service)} == {"kube-dns"}
    assert found.complete == frozenset(), "there are others elsewhere"
    assert [line for line in found.unknown if " pods" in line] == [
        "may list pods only in namespace kube-system (needs: get, list on pods in the core API "
        "group): those of other namespaces are not known"
    ]
    assert any(line.startswith("may not list nodes ") for line in found.unknown)


def test_namespaces_that_were_asked_for(cluster: Cluster, write: Write) -> None:
    of_team(cluster, "default", "kube-system")
    write(cluster, namespace="elsewhere")
    found = fetch(namespaces=["default", "kube-system", "secret"], limits=FAST)
    assert {service.namespace for service in found.of(Service)} == {"default", "kube-system"}
    assert len(found.of(EndpointSlice)) == 1
    assert any("services only in namespaces default, kube-system " in x for x in found.unknown)


def test_only_what_is_forbidden_is_scoped(cluster: Cluster, write: Write) -> None:
    pods = len(cluster.lists[recorded.PODS])
    cluster.faults[recorded.SERVICES] = status(403)
    path = in_namespace(recorded.SERVICES, "default")
    cluster.lists[path] = [
        each for each in cluster.lists[recorded.SERVICES] if namespace_of(each) == "default"
    ]
    cluster.kinds[path] = ("ServiceList", "v1")
    write(cluster)
    found = fetch(limits=FAST)
    assert len(found.of(Pod)) == pods
    assert "Pod" in found.complete
    assert "Service" not in found.complete
    assert {service.namespace for service in found.of(Service)} == {"default"}
    assert len(found.unknown) == 1


def test_pages_and_progress_in_a_namespace(cluster: Cluster, write: Write) -> None:
    of_team(cluster, "default", "kube-system")
    cluster.lists[in_namespace(recorded.PODS, "default")] = recorded.pods(600)
    seen: list[int] = []
    write(cluster)
    found = fetch(
        limits=FAST,
        namespaces=["default", "kube-system"],
        progress=lambda plural, objects: seen.append(objects) if plural == "pods" else None,
    )
    more = len(cluster.lists[in_namespace(recorded.PODS, "kube-system")])
    assert seen == [500, 600, 600 + more]
    assert len(found.of(Pod)) == 600 + more


def test_nothing_at_all_names_the_namespace(cluster: Cluster, write: Write) -> None:
    of_team(cluster)
    write(cluster, namespace="shop")
    with pytest.raises(ClusterError, match="nothing in all namespaces, nor in namespace shop "):
        fetch(limits=FAST)
