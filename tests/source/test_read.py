"""Every form of input that people have, as objects."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from kubehop.model.config import ConfigMap
from kubehop.model.inventory import Inventory
from kubehop.model.kinds import KINDS
from kubehop.model.node import Namespace, Node
from kubehop.model.pod import Pod
from kubehop.model.policy import NetworkPolicy
from kubehop.model.service import EndpointSlice, Service
from kubehop.model.workloads import Deployment, Job
from kubehop.source.read import read
from tests.shared_files import shared


def of(*contents: str | bytes, namespace: str = "default") -> Inventory:
    data = [c if isinstance(c, bytes) else c.encode() for c in contents]
    return read([(f"{at}.yaml", d) for at, d in enumerate(data)], namespace=namespace)


def service(name: str = "web", **spec: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def names(inventory: Inventory) -> list[str]:
    return [each.reference for objects in inventory.objects.values() for each in objects]


A, B = service("a"), service("b")
BOTH = ["Service default/a", "Service default/b"]

FORMS = {
    "YAML documents": yaml.safe_dump_all([A, B]),
    "a List in YAML": yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [A, B]}),
    "a List in JSON": json.dumps({"apiVersion": "v1", "kind": "List", "items": [A, B]}),
    "a list of its kind": json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ServiceList",
            "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}],
        }
    ),
    "nested lists": json.dumps(
        {
            "apiVersion": "v1",
            "kind": "List",
            "items": [A, {"apiVersion": "v1", "kind": "List", "items": [B]}],
        }
    ),
    "an array": json.dumps([A, B]),
    "an array in YAML": yaml.safe_dump([A, B]),
    "JSON lines": f"{json.dumps(A)}\n{json.dumps(B)}\n",
    "JSON without anything between": json.dumps(A) + json.dumps(B),
    "pretty JSON": json.dumps(A, indent=4) + "\n" + json.dumps(B, indent=4),
    "JSON documents in a YAML stream": f"{json.dumps(A)}\n---\n{json.dumps(B)}\n",
    "JSON, then YAML": f"{json.dumps(A)}\n---\n{yaml.safe_dump(B)}",
    "Windows line ends": yaml.safe_dump_all([A, B]).replace("\n", "\r\n"),
    "comments and empty documents": f"# c\n---\n---\n{yaml.safe_dump_all([A, B])}\n---\n# end\n",
    "the same twice": yaml.safe_dump_all([A, B, A]),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    assert names(of(FORMS[form])) == BOTH


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_byte_order_mark(form: str, encoding: str) -> None:
    assert names(of(FORMS[form].encode(encoding))) == BOTH


@pytest.mark.parametrize("content", ["", " \n\t\r\n", "---\n", "# nothing\n", "[]", "null"])
def test_nothing_is_an_empty_inventory(content: str) -> None:
    assert of(content) == Inventory()
    assert of() == Inventory()


DUMP = """\
{
    "kind": "NodeList",
    "apiVersion": "v1",
    "items": [{"metadata": {"name": "node-1"}}]
}
{
    "kind": "PodList",
    "apiVersion": "v1",
    "items": [{"metadata": {"name": "a", "namespace": "kube-system"}, "spec": {}, "status": {}}]
}
==== START logs for container a of pod kube-system/a ====
{"kind": "Service"
==== END logs for container another of pod kube-system/a ====
  - tabs\tand : colons
==== END logs for container a of pod kube-system/a ====
==== START logs for container b of pod kube-system/a ====
==== END logs for container b of pod kube-system/a ====
{
    "kind": "ServiceList",
    "apiVersion": "v1",
    "items": [{"metadata": {"name": "web", "namespace": "default"}}]
}
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_cluster_info_dump_as_one_stream(line_end: str) -> None:
    assert names(of(DUMP.replace("\n", line_end))) == [
        "Node node-1",
        "Pod kube-system/a",
        "Service default/web",
    ]


def test_cluster_info_dump_that_ends_with_logs() -> None:
    assert names(of(DUMP[: DUMP.rindex("==== START")])) == ["Node node-1", "Pod kube-system/a"]


def test_namespaces() -> None:
    there = {**A, "metadata": {"name": "a", "namespace": "there"}}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "namespace": "x"}}
    inventory = of(yaml.safe_dump_all([A, there, node]), namespace="mine")
    assert names(inventory) == ["Node n", "Service mine/a", "Service there/a"]
    assert inventory.of(Node)[0].metadata.namespace is None


def test_ignored_kinds_are_counted_by_name() -> None:
    kinds = [
        ("serving.knative.dev/v1", "Service"),
        ("v1", "Secret"),
        ("v1", "Secret"),
        ("apps/v1beta1", "Deployment"),
        ("x.io/v1", "Bad\x1b[31mName"),
        ("x.io/v1", "AccessList"),
    ]
    documents = [{"apiVersion": version, "kind": kind} for version, kind in kinds]
    assert of(json.dumps(documents)).ignored == {
        "Service.serving.knative.dev": 1,
        "Secret": 2,
        "Deployment.apps/v1beta1": 1,
        "Bad\\x1b[31mName.x.io": 1,
        "AccessList.x.io": 1,
    }
    events = {"apiVersion": "v1", "kind": "EventList", "items": [{}, {}]}
    assert of(json.dumps(events)).ignored == {"Event": 2}


def config_map(namespace: str, name: str) -> dict[str, object]:
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}


def test_only_the_networks_config_maps_are_kept() -> None:
    maps = [config_map("kube-system", "coredns"), config_map("default", "coredns"), {}]
    maps[2] = {**config_map("default", "x"), "data": {"password": 123}}
    inventory = of(json.dumps(maps))
    assert [each.reference for each in inventory.of(ConfigMap)] == ["ConfigMap kube-system/coredns"]
    assert inventory.ignored == {"ConfigMap (not of the network)": 2}


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_null_is_the_same_as_absent(write: object) -> None:
    assert callable(write)
    endpoint_slice = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "s", "labels": None},
        "addressType": "IPv4",
        "endpoints": None,
        "ports": None,
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"app": None}, "annotations": None},
        "spec": None,
        "status": None,
    }
    port = service(ports=[{"port": 1, "protocol": None}], selector={"app": None})
    inventory = of(write([endpoint_slice, pod, port]))
    assert inventory.of(EndpointSlice)[0].endpoints is None
    assert inventory.of(Pod)[0].labels == {"app": ""}
    assert inventory.of(Service)[0].ports[0].protocol == "TCP"
    assert inventory.of(Service)[0].spec.selector == {"app": ""}


def test_every_kind_is_read_in_every_version_and_as_a_list() -> None:
    """The smallest object of each kind."""
    needed: dict[str, object] = {"addressType": "IPv4"}
    for name, kind in KINDS.items():
        metadata = {"name": "coredns", "namespace": "kube-system"}
        for version in kind.api_versions:
            one = {"apiVersion": version, "kind": name, "metadata": metadata, **needed}
            many = {"apiVersion": version, "kind": f"{name}List", "items": [{**one, "kind": None}]}
            assert len(of(json.dumps(one)).of(kind.type)) == 1, name
            assert of(json.dumps(many)) == of(json.dumps(one)) == of(yaml.safe_dump(one))


REAL = {
    "ingress-nginx/deploy-cloud.yaml": {Namespace: 1, Service: 2, Deployment: 1, Job: 2},
    "minikube/pods_list.yaml": {Pod: 11},
    "minikube/services_list.yaml": {Service: 5},
    "minikube-calico/netpols.yaml": {NetworkPolicy: 11},
    "minikube-calico/ns.yaml": {Namespace: 5},
    "minikube-calico/pods.yaml": {Pod: 12},
    "online-boutique/kubernetes-manifests.yaml": {Service: 12, Deployment: 12},
}


@pytest.mark.parametrize("path", REAL)
def test_real_files(path: str) -> None:
    data = shared(f"data/{path}").read_bytes()
    inventory = of(data)
    assert {type(o[0]): len(o) for o in inventory.objects.values()} == REAL[path]
    documents = list(yaml.safe_load_all(data))
    as_json = "\n".join(json.dumps(document, default=str) for document in documents if document)
    assert of(as_json) == inventory


def test_all_real_files_are_in_the_table() -> None:
    data = shared("data")
    assert {str(p.relative_to(data)) for p in data.rglob("*.yaml")} == set(REAL)


def test_one_input_is_let_go_before_the_next() -> None:
    """A dump may be as large as half of the memory."""

    class Content(bytes):
        pass

    def contents() -> Iterator[tuple[str, bytes]]:
        for at in range(3):
            assert not [each for each in gc.get_objects() if type(each) is Content]
            yield "x.json", Content(json.dumps(service(f"s{at}")).encode())

    assert len(read(contents()).of(Service)) == 3


def test_msgspec_says_where_the_next_value_begins() -> None:
    """What reading JSON values one after the other relies on."""
    with pytest.raises(msgspec.DecodeError, match=r"trailing characters \(byte 10\)"):
        msgspec.json.decode(b'{"a":1}\n\n{"b":2}', type=msgspec.Raw)


def test_source_reads_no_file() -> None:
    package = Path(__file__).parents[2] / "src/kubehop/source"
    assert all("open(" not in path.read_text() for path in package.glob("*.py"))
