"""Which address a machine sends from: the first for IPv4, the likest for IPv6 (RFC 6724)."""

import pytest

from kubehop.model.pod_network import POD_NETWORKS
from kubehop.model.proxy import ProxyMode
from kubehop.trace.source_address import source_for
from kubehop.trace.walk import trace
from tests.clusters import NODES, OUTSIDE, behind, cluster, endpoint, node, pod, service

BOTH = ("fd00:192::1", "2001:db8::1", "192.168.0.10", "192.168.7.10")


@pytest.mark.parametrize(
    ("destination", "source"),
    [
        ("192.168.7.11", "192.168.0.10"),
        ("fd00:10:42::3", "fd00:192::1"),
        ("2001:db8:113::9", "2001:db8::1"),
        ("2a00::1", "2001:db8::1"),
    ],
)
def test_the_destination_picks_the_source(destination: str, source: str) -> None:
    assert source_for(BOTH, destination) == source


def test_of_like_labels_the_longest_prefix_wins_and_then_the_first() -> None:
    assert source_for(("fd00:192::1", "fd00:10:42::"), "fd00:10:42::3") == "fd00:10:42::"
    assert source_for(("fd00:1::1", "fd00:1::2"), "fd99::") == "fd00:1::1"
    assert source_for(("10.0.0.1",), "fd00::1") is None


def test_a_bare_veth_borrows_from_flannel_in_ipv6_only() -> None:
    """Seen in a lab: canal, a node's process to a pod of its own node."""
    dual = node(0, v6=True)
    found = cluster(dual, pod("p", "10.42.0.9,fd00:10:42:0::9", "n0"))
    for target, wanted in (("10.42.0.9", "192.168.0.10"), ("[fd00:10:42::9]", "fd00:10:42::")):
        (fate,) = trace(found, "node/n0", f"{target}:80").fates
        assert fate.source_seen == wanted


def test_what_a_node_sends_to_itself_comes_from_the_address_it_is_sent_to() -> None:
    second = node(0, second="192.168.7.10")
    host = pod("p", "192.168.0.10", "n0", {"containerPort": 80}, host=True)
    (fate,) = trace(cluster(second, host), "node/n0", "192.168.7.10:80").fates
    assert fate.source_seen == "192.168.7.10"


def test_calicos_tunnel_carries_ipv4_only() -> None:
    calico = next(network for network in POD_NETWORKS if network.name == "calico")
    nodes = [node(index, v6=True) for index in range(len(NODES))]
    found = cluster(*nodes, pod("p", "fd00:10:42:1::9", "n1"), pod_network=calico)
    (fate,) = trace(found, "node/n0", "[fd00:10:42:1::9]:80").fates
    assert fate.source_seen == "fd00:192::10"


def test_a_pod_that_reaches_itself_by_its_host_port_is_masqueraded_in_any_spelling() -> None:
    ports = {"containerPort": 80, "hostPort": 8080}
    itself = pod("p", "fd00:10:42:0::9", "n0", ports)
    (fate,) = trace(cluster(node(0, v6=True), itself), "pod/p", "[fd00:192::10]:8080").fates
    assert fate.endpoint is not None
    assert (fate.endpoint.address, fate.source_seen) == ("fd00:10:42::9", "fd00:10:42::")


def test_what_a_node_sends_to_itself_through_a_service_is_masqueraded() -> None:
    """Seen in a lab: it passes postrouting on its way through `lo`."""
    subject = service(type="NodePort", externalTrafficPolicy="Cluster")
    host = pod("p", "192.168.0.10", "n0", {"containerPort": 8080}, host=True)
    found = cluster(
        subject, host, *behind(subject, endpoint("192.168.0.10", "n0")), mode=ProxyMode.IPTABLES
    )
    (fate,) = trace(found, "node/n0", "127.0.0.1:30080").fates
    assert fate.source_seen == "192.168.0.10"
    (outsiders,) = trace(found, "external", "192.168.0.10:30080").fates
    assert outsiders.source_seen == OUTSIDE
