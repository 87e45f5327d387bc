"""Where pods run: spread, and only where they may."""

from collections import Counter

from kubehop.workload.options import Options
from tests.workload.making import cluster, deployment, node, pod

THREE = node("n1") + node("n2", address="192.0.2.2") + node("n3", address="192.0.2.3")
RUNNING = "phase: Running, podIP: 10.9.0.{}"


def placed(text: str, options: Options | None = None) -> dict[str, str]:
    made = cluster(text, options or Options())
    return {found.name: found.node_name for found in made.pods}


def test_two_replicas_land_on_two_nodes() -> None:
    assert placed(deployment("example", 2)) == {"example-1": "node-0", "example-2": "node-1"}


def test_fewest_of_the_same_owner_then_fewest_then_first() -> None:
    busy = pod("x", "nodeName: n1", RUNNING.format(4)) + pod("y", "nodeName: n1", RUNNING.format(5))
    found = placed(THREE + busy + deployment("web", 4))
    assert [found[f"web-{n}"] for n in range(1, 5)] == ["n2", "n3", "n1", "n2"]


def test_owners_take_turns_on_nodes() -> None:
    found = placed("".join(deployment(f"d{n}", 2) for n in range(6)))
    assert Counter(found.values()) == {"node-0": 4, "node-1": 4, "node-2": 4}


def test_constraints_narrow_the_choice_but_not_the_spread() -> None:
    nodes = node("n1", labels="disk: ssd") + node("n2", address="192.0.2.2")
    text = nodes + deployment("db", 3, pod="nodeSelector: {disk: ssd}") + deployment("web", 1)
    assert placed(text) == {"db-1": "n1", "db-2": "n1", "db-3": "n1", "web-1": "n2"}


def test_a_pod_that_fits_nowhere_is_pending_and_the_reason_is_said() -> None:
    made = cluster(deployment("db", 2, pod="nodeSelector: {disk: ssd}"))
    assert [(p.node_name, p.phase, p.addresses) for p in made.pods] == [("", "Pending", ())] * 2
    line = "2 pods of Deployment default/db assumed Pending: no node matches nodeSelector disk=ssd"
    assert line in made.assumptions
    many = cluster("".join(deployment(f"d{n}", pod="nodeSelector: {a: b}") for n in range(9)))
    assert "pods of 6 more owners assumed Pending likewise" in many.assumptions


def test_an_observed_pending_pod_stays_where_it_is() -> None:
    assert placed(THREE + pod("a", status="phase: Pending")) == {"a": ""}
