"""Objects of many files: sorted, once each, and never in contradiction."""

from typing import Any

import pytest

from kubehop.model.errors import InputError
from kubehop.model.kinds import KINDS
from kubehop.model.meta import ObjectMeta
from kubehop.model.node import Node, NodeSpec
from kubehop.model.service import Service, ServicePort, ServiceSpec
from kubehop.source.merge import Located, inventory


def service(name: str, namespace: str = "default", **spec: object) -> Service:
    return Service(
        metadata=ObjectMeta(name=name, namespace=namespace),
        spec=ServiceSpec(**spec),  # type: ignore[arg-type]
    )


def node(name: str) -> Node:
    return Node(metadata=ObjectMeta(name=name))


def test_sorted_by_namespace_and_name_in_the_order_of_kinds() -> None:
    found = [service("b"), service("a", "z"), service("a"), node("n-2"), node("n-1")]
    merged = inventory(map(Located, found))
    assert list(merged.objects) == [kind for kind in KINDS if kind in ("Node", "Service")]
    assert [(s.namespace, s.name) for s in merged.of(Service)] == [
        ("default", "a"),
        ("default", "b"),
        ("z", "a"),
    ]
    assert [n.name for n in merged.of(Node)] == ["n-1", "n-2"]


def test_what_is_the_same_twice_counts_once() -> None:
    assert inventory([Located(service("a"), "x"), Located(service("a"), "y")]).of(Service) == (
        service("a"),
    )


def test_the_rest_is_handed_through() -> None:
    merged = inventory(
        (), complete=frozenset({"Pod"}), unknown=["no nodes", "no nodes"], ignored={"Secret": 2}
    )
    assert (merged.complete, merged.unknown) == (frozenset({"Pod"}), ("no nodes",))
    assert merged.ignored == {"Secret": 2}


PORT, OTHER = ServicePort(port=80), ServicePort(port=81)

CONFLICTS = [
    ({"ports": (PORT,)}, {"ports": (OTHER,)}, "spec.ports[0].port: 81 here, but 80"),
    (
        {"ports": (PORT,)},
        {"ports": (PORT, OTHER)},
        'spec.ports: [{"port": 80}, {"port": 81}] here, but [{"port": 80}]',
    ),
    ({}, {"type": "NodePort"}, 'spec.type: "NodePort" here, but absent'),
    ({"cluster_ip": "10.0.0.1"}, {"type": "NodePort"}, 'spec.clusterIP: absent here, but "10.0'),
    ({"selector": {"a": "b"}}, {"selector": {"a": "c"}}, 'spec.selector.a: "c" here, but "b"'),
]


@pytest.mark.parametrize(("one", "other", "message"), CONFLICTS)
def test_two_that_differ(one: dict[str, Any], other: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        inventory(
            [Located(service("a", **one), "x.yaml", 3), Located(service("a", **other), "y.yaml", 1)]
        )
    line = str(error.value)
    assert line.startswith(f"y.yaml: document 1: Service default/a: {message}")
    assert line.endswith(" in x.yaml, document 3")


def test_a_conflict_without_files() -> None:
    with pytest.raises(InputError, match=r"in another place$"):
        inventory([Located(service("a")), Located(service("a", type="NodePort"))])


def test_a_node_is_not_a_service() -> None:
    same = Node(metadata=ObjectMeta(name="a"), spec=NodeSpec())
    assert len(inventory(map(Located, [same, service("a", "")])).objects) == 2
