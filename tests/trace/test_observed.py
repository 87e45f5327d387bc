"""What was observed with packets, row by row (reference: kube-proxy, section 11).

Three nodes A, B and C (n0, n1, n2) with a pod each, and a client outside. Pods hang on a bridge
or veth with the first address of their node's pod CIDR; nodes route to each other's pods
without overlay, and nothing rewrites what a pod sends to a node.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from kubehop.model.cluster import Cluster
from kubehop.model.pod_network import Attachment, Overlay, PodNetwork
from kubehop.model.service import Service
from kubehop.trace.values import Fate, Trace, Verdict
from kubehop.trace.walk import trace
from tests.clusters import OUTSIDE, behind, cluster, endpoint, node, pod, service

WIRING = PodNetwork("observed", Attachment.GATEWAY, Overlay.NONE, masquerades_to_nodes=False)
POD_A, POD_B, POD_C = "10.42.0.2", "10.42.1.2", "10.42.2.2"
GATEWAY_B, NODE_B = "10.42.1.1", "192.168.0.11"
PODS = (pod("a", POD_A, "n0"), pod("b", POD_B, "n1"), pod("c", POD_C, "n2"))
NODES = (node(0), node(1, second="192.168.7.11"), node(2))


@dataclass(frozen=True)
class Seen:
    """A row: who sends where, with which endpoint and policies; what was seen."""

    row: str
    origin: str
    target: str
    address: str
    seen: str
    external: str = ""
    internal: str = ""
    protocol: str = "TCP"


NODE_PORT_B, CLUSTER_IP = "192.168.0.11:30080", "10.43.0.1:80"
REFUSED, SILENCE, HANGS = "refused", "silence", "hangs"

ROWS = [
    Seen("pod on B", "external", NODE_PORT_B, POD_B, GATEWAY_B),
    Seen("pod on C", "external", NODE_PORT_B, POD_C, NODE_B),
    Seen("host-network endpoint on B", "external", NODE_PORT_B, NODE_B, OUTSIDE),
    Seen("Local, pod on B", "external", NODE_PORT_B, POD_B, OUTSIDE, external="Local"),
    Seen("pod to itself", "pod/b", CLUSTER_IP, POD_B, GATEWAY_B),
    Seen("pod on A, pod on B", "pod/a", CLUSTER_IP, POD_B, POD_A),
    Seen("pod on A, pod on C", "pod/a", CLUSTER_IP, POD_C, POD_A),
    Seen("process on B, pod on B", "node/n1", CLUSTER_IP, POD_B, GATEWAY_B),
    Seen("process on B, pod on C", "node/n1", CLUSTER_IP, POD_C, NODE_B),
    Seen("process on B, loopback", "node/n1", "127.0.0.1:30080", POD_B, REFUSED),
    Seen("short-circuit A, B, B", "pod/a", NODE_PORT_B, POD_B, POD_A, external="Local"),
    Seen("short-circuit A, B, C", "pod/a", NODE_PORT_B, POD_C, HANGS, external="Local"),
    Seen("short-circuit B, B, C", "pod/b", NODE_PORT_B, POD_C, POD_B, external="Local"),
    Seen("empty, TCP, pod", "pod/a", CLUSTER_IP, "", REFUSED),
    Seen("empty, UDP, pod", "pod/a", CLUSTER_IP, "", REFUSED, protocol="UDP"),
    Seen("empty, TCP, node", "node/n1", CLUSTER_IP, "", REFUSED),
    Seen("empty, UDP, node", "node/n1", CLUSTER_IP, "", REFUSED, protocol="UDP"),
    Seen("iTP Local, none", "pod/a", CLUSTER_IP, POD_B, SILENCE, internal="Local"),
    Seen("undefined port", "pod/a", "10.43.0.1:81", POD_B, REFUSED),
    Seen("unallocated cluster IP", "pod/a", "10.43.0.99:80", POD_B, SILENCE),
    Seen("secondary address", "external", "192.168.7.11:30080", POD_B, REFUSED),
]


def subject(row: Seen) -> Service:
    port: dict[str, Any] = {"port": 80, "nodePort": 30080, "protocol": row.protocol}
    return service(
        type="NodePort",
        ports=[port],
        externalTrafficPolicy=row.external or None,
        internalTrafficPolicy=row.internal or None,
    )


def the_cluster(row: Seen) -> Cluster:
    web = subject(row)
    homes = {POD_A: "n0", POD_B: "n1", POD_C: "n2", NODE_B: "n1"}
    entries = [endpoint(row.address, homes[row.address])] if row.address else []
    return cluster(web, *behind(web, *entries), *PODS, *NODES, pod_network=WIRING)


def ending(found: Trace) -> str:
    (fate,) = found.fates
    if fate.verdict is Verdict.DELIVERED:
        return _delivered(fate)
    return {Verdict.REJECTED: REFUSED, Verdict.DROPPED: SILENCE}[fate.verdict]


def _delivered(fate: Fate) -> str:
    return fate.source_seen or "?" if fate.reply_returns else HANGS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.row)
def test_the_prediction_is_what_was_seen(row: Seen) -> None:
    found = trace(the_cluster(row), row.origin, row.target, protocol=row.protocol)
    assert ending(found) == row.seen, found.fates[0].hops


def test_a_short_circuit_back_to_the_sender_is_a_hairpin() -> None:
    """B masquerades what the sender gets back itself, so that its answer comes by B again."""
    row = Seen("short-circuit A, B, A", "pod/a", NODE_PORT_B, POD_A, NODE_B, external="Local")
    (fate,) = trace(the_cluster(row), row.origin, row.target).fates
    assert (fate.source_seen, fate.reply_returns, fate.node_crossings) == (NODE_B, True, 2)


def test_a_hanging_connection_is_noted() -> None:
    row = next(row for row in ROWS if row.seen == HANGS)
    (note,) = trace(the_cluster(row), row.origin, row.target).notes
    assert "the answer does not come back the way it went" in note
