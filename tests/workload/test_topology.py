"""Dealing endpoints to zones: facts of the tests of k8s.io/endpointslice/topologycache."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.model.meta import ObjectMeta
from kubehop.model.node import ZONE_LABEL, Allocatable, Node, NodeStatus
from kubehop.workload.topology import deal, milli_cpu, moves, zone_shares

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def make_node(zone: str, cpu: str | int | None = "1000m", label: str = "") -> Node:
    labels = {ZONE_LABEL: zone, **({label: ""} if label else {})}
    return Node(
        metadata=ObjectMeta("n", labels=labels), status=NodeStatus(allocatable=Allocatable(cpu))
    )


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([], {}),
        ([make_node("a")], {}),
        ([make_node("a"), make_node("a")], {}),
        ([make_node("a"), make_node("b")], {"a": 0.5, "b": 0.5}),
        ([make_node("a"), make_node("b", label=CONTROL_PLANE)], {}),
        (
            [make_node("a"), make_node("b"), make_node("b", label=CONTROL_PLANE)],
            {"a": 0.5, "b": 0.5},
        ),
        ([make_node("a"), make_node("b"), make_node("c", None)], {}),
        (
            [
                *(make_node("a") for _ in range(3)),
                make_node("a", "2000m"),
                make_node("b", "3000m"),
                make_node("b", 1.5),  # type: ignore[arg-type]
                make_node("c", ".5"),
            ],
            {"a": 0.5, "b": 0.45, "c": 0.05},
        ),
    ],
)
def test_zone_shares(nodes: list[Node], expected: dict[str, float]) -> None:
    assert zone_shares(nodes) == expected


@pytest.mark.parametrize(
    ("cpu", "milli"),
    [
        ("4", 4000),
        (4, 4000),
        ("3920m", 3920),
        ("0.1", 100),
        ("1.0005", 1001),
        ("2k", 2_000_000),
        ("0", 0),
        ("x", 0),
    ],
)
def test_milli_cpu(cpu: str | int, milli: int) -> None:
    assert milli_cpu(make_node("a", cpu)) == milli


@pytest.mark.parametrize(
    ("wanted", "has", "giving", "receiving"),
    [
        ({}, {}, {}, {}),
        ({"a": 1.2, "b": 1.1, "c": 1.0}, {"a": 1, "b": 1, "c": 1}, {}, {}),
        ({"a": 5.1, "b": 5.1, "c": 5.8}, {"a": 16}, {"a": 10}, {"b": 5, "c": 5}),
        ({"a": 5.0, "b": 5.6, "c": 5.4}, {"a": 16}, {"a": 11}, {"b": 6, "c": 5}),
        ({"a": 5.0, "b": 5.6, "c": 5.4}, {"b": 8, "c": 8}, {"b": 2, "c": 3}, {"a": 5}),
        ({"a": 5.0, "b": 5.0, "c": 5.0}, {"a": 6, "b": 6, "c": 6}, {}, {}),
    ],
)
def test_moves(
    wanted: dict[str, float], has: dict[str, int], giving: dict[str, int], receiving: dict[str, int]
) -> None:
    assert moves(wanted, Counter(has)) == (Counter(giving), Counter(receiving))


@pytest.mark.parametrize(
    ("shares", "zones", "expected"),
    [
        ({}, "ab", ""),
        ({"a": 0.3, "b": 0.4, "c": 0.3}, "ab", ""),
        ({"a": 0.45, "b": 0.55}, "ab", "ab"),
        ({"a": 0.35, "b": 0.35, "c": 0.30}, "abccaaabca", "bbccaaabca"),
        ({"a": 0.5, "b": 0.5}, "ac", "ac"),
    ],
)
def test_deal(shares: dict[str, float], zones: str, expected: str) -> None:
    assert "".join(deal(list(zones), shares).zones) == expected


@given(
    st.lists(st.sampled_from("abcd"), max_size=40),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 9)),
)
def test_every_endpoint_gets_a_zone_or_none_does(zones: list[str], cpu: dict[str, int]) -> None:
    shares = {zone: cpu[zone] / sum(cpu.values()) for zone in sorted(cpu)}
    dealt = deal(zones, shares)
    assert bool(dealt.why) == (not dealt.zones)
    if dealt.zones:
        assert len(dealt.zones) == len(zones)
        assert set(dealt.zones) <= set(zones) | set(shares)
