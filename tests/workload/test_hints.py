"""Hints: trafficDistribution, topology-mode Auto, and which of them wins."""

import pytest

from kubehop.model.meta import Annotations, ObjectMeta
from kubehop.model.node import ZONE_LABEL, Allocatable, Node, NodeStatus
from kubehop.model.pod import Condition
from kubehop.model.service import (
    EndpointConditions,
    Hints,
    Service,
    ServiceSpec,
    SliceEndpoint,
)
from kubehop.workload.hints import HintMethod, hints_for


def make_node(
    name: str, zone: str, cpu: str | int | None = "4", ready: str = "True", **labels: str
) -> Node:
    return Node(
        metadata=ObjectMeta(name, labels={ZONE_LABEL: zone, **labels}),
        status=NodeStatus(conditions=(Condition("Ready", ready),), allocatable=Allocatable(cpu)),
    )


def make_service(distribution: str | None = None, **annotations: str) -> Service:
    return Service(
        metadata=ObjectMeta("web", "default", annotations=Annotations(**annotations)),
        spec=ServiceSpec(traffic_distribution=distribution),
    )


def endpoint(
    zone: str | None = "z1", node: str | None = "n1", ready: bool | None = True
) -> SliceEndpoint:
    return SliceEndpoint(
        addresses=("10.0.0.1",), conditions=EndpointConditions(ready), node_name=node, zone=zone
    )


def short(hints: Hints | None) -> str:
    """`z1`, `z1/n1`, `/n1` or "" without hints."""
    if hints is None:
        return ""
    zones = ",".join(named.name for named in hints.for_zones or ())
    nodes = ",".join(named.name for named in hints.for_nodes or ())
    return f"{zones}/{nodes}" if nodes else zones


@pytest.mark.parametrize(
    ("distribution", "given", "expected"),
    [
        ("PreferClose", endpoint(), "z1"),
        ("PreferSameZone", endpoint(), "z1"),
        ("PreferSameNode", endpoint(), "z1/n1"),
        ("PreferSameNode", endpoint(zone=None), "/n1"),
        ("PreferSameNode", endpoint(node=None), "z1"),
        ("PreferSameNode", endpoint(zone=None, node=None), ""),
        ("PreferClose", endpoint(zone=None), ""),
        ("PreferClose", endpoint(ready=False), ""),
        ("PreferClose", endpoint(ready=None), ""),
        ("preferclose", endpoint(), ""),
        ("Nonsense", endpoint(), ""),
        (None, endpoint(), ""),
    ],
)
def test_traffic_distribution(
    distribution: str | None, given: SliceEndpoint, expected: str
) -> None:
    plan = hints_for(make_service(distribution), [given], [])
    assert [short(hints) for hints in plan.hints] == [expected]
    known = distribution in ("PreferClose", "PreferSameZone", "PreferSameNode")
    assert plan.method == (HintMethod.TRAFFIC_DISTRIBUTION if known else HintMethod.NONE)


@pytest.mark.parametrize(
    ("mode", "older", "method"),
    [
        ("Auto", None, HintMethod.TOPOLOGY_CACHE),
        ("auto", None, HintMethod.TOPOLOGY_CACHE),
        (None, "auto", HintMethod.TOPOLOGY_CACHE),
        ("AUTO", None, HintMethod.TRAFFIC_DISTRIBUTION),
        ("Auto", "Disabled", HintMethod.TRAFFIC_DISTRIBUTION),
        ("Disabled", "Auto", HintMethod.TOPOLOGY_CACHE),
        ("Auto", "", HintMethod.TRAFFIC_DISTRIBUTION),
        (None, None, HintMethod.TRAFFIC_DISTRIBUTION),
    ],
)
def test_the_annotation_beats_the_field(
    mode: str | None, older: str | None, method: HintMethod
) -> None:
    annotations = {"topology_mode": mode, "topology_aware_hints": older}
    subject = make_service(
        "PreferSameNode", **{k: v for k, v in annotations.items() if v is not None}
    )
    assert hints_for(subject, [endpoint()], []).method is method


TWO_ZONES = (make_node("n1", "z1"), make_node("n2", "z2"))


@pytest.mark.parametrize(
    ("nodes", "given", "expected", "why"),
    [
        (TWO_ZONES, "z1 z2", "z1 z2", "Auto"),
        (TWO_ZONES, "z1 z2 !z2", "z1 z2 -", "Auto"),
        (TWO_ZONES, "z1 z1 z1 z1", "z2 z2 z1 z1", "Auto"),
        (TWO_ZONES, "z1", "-", "fewer ready endpoints (1) than zones (2)"),
        (TWO_ZONES, "z1 ?", "- -", "no zone"),
        (TWO_ZONES[:1], "z1 z1", "- -", "fewer than two zones"),
        ((*TWO_ZONES, make_node("n3", "z3", None)), "z1 z2 z3", "- - -", "no zone or CPU"),
        ((*TWO_ZONES, make_node("n3", "")), "z1 z2", "- -", "no zone or CPU"),
        ((*TWO_ZONES, make_node("n3", "z3", ready="False")), "z1 z2", "z1 z2", "Auto"),
        ((make_node("n1", "z1", 6), make_node("n2", "z2", "2")), "z1 z2", "- -", "overloaded"),
    ],
)
def test_topology_mode_auto(nodes: tuple[Node, ...], given: str, expected: str, why: str) -> None:
    endpoints = [
        endpoint(zone=None if zone == "?" else zone.lstrip("!"), ready=not zone.startswith("!"))
        for zone in given.split()
    ]
    plan = hints_for(make_service("PreferSameNode", topology_mode="Auto"), endpoints, nodes)
    assert [short(hints) or "-" for hints in plan.hints] == expected.split()
    assert why in plan.why
