"""Pods get addresses of their node's CIDR, nobody else's."""

from kubehop.workload.options import Options
from tests.workload.making import cluster, deployment, node, pod

RUNNING = "phase: Running, podIP: {}, conditions: [{{type: Ready, status: 'True'}}]"


def addresses(text: str, options: Options | None = None) -> dict[str, tuple[str, ...]]:
    return {found.name: found.addresses for found in cluster(text, options or Options()).pods}


def test_from_2_on_skipping_those_in_use() -> None:
    text = pod("a", "nodeName: node-0", RUNNING.format("10.42.0.3")) + node(
        "node-0", "podCIDR: 10.42.0.0/24"
    )
    found = addresses(text + deployment("web", 2))
    assert found == {"a": ("10.42.0.3",), "web-1": ("10.42.0.2",), "web-2": ("10.42.0.4",)}


def test_a_finished_pods_address_is_free() -> None:
    text = node("n1", "podCIDR: 10.1.0.0/24") + pod(
        "a", "nodeName: n1", "phase: Failed, podIP: 10.1.0.2"
    )
    assert addresses(text + pod("b"))["b"] == ("10.1.0.2",)


def test_host_network_pods_have_their_nodes_addresses() -> None:
    assert addresses(node("n1") + pod("a", "hostNetwork: true")) == {"a": ("192.0.2.1",)}


def test_a_node_without_pod_cidr_gets_a_range_that_nothing_touches() -> None:
    text = (
        node("n1", "podCIDR: 10.42.0.0/23", address="192.0.2.2")
        + node("n2")
        + pod("a", "nodeName: n1", RUNNING.format("10.42.2.9"))
        + pod("b", "nodeName: n2")
    )
    assert addresses(text)["b"] == ("10.42.3.2",)
    assert cluster(text).nodes[1].pod_cidrs == ()


def test_a_full_cidr_leaves_pods_pending() -> None:
    made = cluster(node("n1", "podCIDR: 10.1.0.0/30") + deployment("web", 2))
    assert [(p.phase, p.addresses) for p in made.pods] == [
        ("Running", ("10.1.0.2",)),
        ("Pending", ()),
    ]
    assert "1 pod assumed running and ready" in made.assumptions
    assert "1 pod without address: their node has no pod address left: n1" in made.assumptions


def test_many_full_nodes_are_one_line() -> None:
    nodes = "".join(
        node(f"n{n}", f"podCIDR: 10.1.{n}.0/30", address=f"192.0.2.{n + 1}") for n in range(9)
    )
    made = cluster(nodes + deployment("web", 20))
    (line,) = [line for line in made.assumptions if "without address" in line]
    assert (
        line == "11 pods without address: their node has no pod address left: n0, n1, n2 and 6 more"
    )


def test_what_was_observed_is_kept() -> None:
    text = node("n1", "podCIDR: 10.1.0.0/24") + pod("a", "nodeName: n1", "phase: Running")
    made = cluster(text + pod("b", "nodeName: n1", "phase: Pending"))
    running, pending = made.pods
    assert (running.addresses, running.ready) == (("10.1.0.2",), False)
    assert (pending.addresses, pending.phase) == ((), "Pending")
    assert "1 running pod: addresses assumed" in made.assumptions


def test_a_bare_pod_is_assumed_running_and_ready() -> None:
    (made,) = cluster(pod("a")).pods
    assert (made.phase, made.ready, made.addresses) == ("Running", True, ("10.42.0.2",))
    assert made.status
    assert made.status.host_ip == "192.168.0.10"


def test_a_bare_pod_on_a_node_that_is_not_there() -> None:
    made = cluster(node("n1") + pod("a", "nodeName: gone"))
    assert made.pods[0].phase == "Pending"
    assert "1 pod without address: their node is not in the input: gone" in made.assumptions
