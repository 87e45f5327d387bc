"""What a node's kube-proxy takes for its own, for a pod's, and for a place of node ports."""

import pytest

from kubehop.model.addresses import Family
from kubehop.model.proxy import DetectLocal, ProxyConfig, ProxyMode
from kubehop.service.nodes import (
    ProxyNode,
    is_pod_source,
    pod_address,
    proxy_node,
    serves_node_ports,
)
from tests.clusters import node

NFT, IPT, IPVS = ProxyMode.NFTABLES, ProxyMode.IPTABLES, ProxyMode.IPVS
NODE = ProxyNode(
    "n0",
    addresses=("192.168.0.10", "192.168.1.10", "fd00:192::10", "fd00:193::10"),
    primary=("192.168.0.10", "fd00:192::10"),
    pod_cidrs=("10.42.0.0/24", "fd00:10:42::/64"),
)
V4, V4B, V6, V6B = NODE.addresses
LO, LO6 = "127.0.0.1", "::1"
EVERY = {V4, V4B, V6, V6B}

# (ranges, mode) -> the addresses of the node that answer node ports
SERVED: list[tuple[tuple[str, ...] | None, ProxyMode, set[str]]] = [
    # the rule: "Default when unset: nftables primary; iptables and ipvs every local address"
    (None, NFT, {V4, V6}),
    (None, IPT, EVERY | {LO}),
    (None, IPVS, EVERY),
    ((), NFT, {V4, V6}),
    ((), IPT, EVERY | {LO}),
    ((), IPVS, EVERY),
    # the rule: "primary = the node's primary IPv4 and IPv6 from the Node object, loopback excluded"
    (("primary",), NFT, {V4, V6}),
    (("primary",), IPT, {V4, V6}),
    (("primary",), IPVS, {V4, V6}),
    # the rule: "CIDRs of the other family are filtered out; if none remains: all"
    (("192.168.1.0/24",), NFT, {V4B, V6, V6B}),
    (("192.168.1.0/24",), IPT, {V4B, V6, V6B}),
    (("fd00:193::/64",), IPT, {V4, V4B, LO, V6B}),
    (("fd00:193::/64",), NFT, {V4, V4B, V6B}),
    # the rule: "A zero CIDR makes all others irrelevant"
    (("192.168.1.0/24", "0.0.0.0/0", "fd00:193::/64"), NFT, {V4, V4B, V6B}),
    (("192.168.1.0/24", "0.0.0.0/0", "fd00:193::/64"), IPT, {V4, V4B, LO, V6B}),
    # the rule: "127.0.0.0/8: iptables only, IPv4 only, if the range covers it. ::1 never"
    (("127.0.0.0/8", "::1/128"), IPT, {LO}),
    (("127.0.0.0/8", "::1/128"), NFT, set()),
    (("127.0.0.0/8", "::/0"), IPVS, {V6, V6B}),
]


@pytest.mark.parametrize(("ranges", "mode", "served"), SERVED)
def test_node_ports_answer(
    ranges: tuple[str, ...] | None, mode: ProxyMode, served: set[str]
) -> None:
    config = ProxyConfig(mode=mode, nodeport_addresses=ranges)
    asked = [*NODE.addresses, LO, LO6, "192.168.0.11", "203.0.113.9"]
    assert {address for address in asked if serves_node_ports(address, NODE, config)} == served


def test_every_mode_is_tested_without_ranges() -> None:
    assert {mode for ranges, mode, _ in SERVED if ranges is None} == set(ProxyMode)


def test_loopback_node_ports_can_be_turned_off() -> None:
    config = ProxyConfig(mode=IPT, localhost_nodeports=False)
    assert not serves_node_ports(LO, NODE, config)
    assert serves_node_ports(V4B, NODE, config)


CLUSTER, NODE_CIDR = DetectLocal.CLUSTER_CIDR, DetectLocal.NODE_CIDR
PODS = ("10.42.0.0/16", "10.200.0.0/16")

# (mode, cluster CIDRs, source) -> taken for a pod? None: no detector
SOURCES: list[tuple[DetectLocal, tuple[str, ...], str, bool | None]] = [
    # the rule: "ClusterCIDR = src in the cluster CIDR (FIRST CIDR of the family only)"
    (CLUSTER, PODS, "10.42.0.7", True),
    (CLUSTER, PODS, "10.42.9.7", True),
    (CLUSTER, PODS, "10.200.0.7", False),
    (CLUSTER, PODS, "203.0.113.9", False),
    # the rule: "No usable value = no detector", per family
    (CLUSTER, PODS, "fd00:10:42::7", None),
    (CLUSTER, (), "10.42.0.7", None),
    # the rule: "NodeCIDR = src in this node's podCIDR"
    (NODE_CIDR, PODS, "10.42.0.7", True),
    (NODE_CIDR, PODS, "10.42.9.7", False),
    (NODE_CIDR, (), "fd00:10:42::7", True),
    # the rule: "BridgeInterface / InterfaceNamePrefix = by input interface": pods of this node
    (DetectLocal.BRIDGE_INTERFACE, PODS, "10.42.0.7", True),
    (DetectLocal.BRIDGE_INTERFACE, PODS, "10.42.9.7", False),
    (DetectLocal.INTERFACE_NAME_PREFIX, PODS, "10.42.0.7", True),
    (DetectLocal.NONE, PODS, "10.42.0.7", None),
]


@pytest.mark.parametrize(("mode", "cidrs", "source", "taken"), SOURCES)
def test_a_source_is_taken_for_a_pod(
    mode: DetectLocal, cidrs: tuple[str, ...], source: str, taken: bool | None
) -> None:
    config = ProxyConfig(detect_local=mode, cluster_cidrs=cidrs)
    assert is_pod_source(source, NODE, config) is taken


def test_every_way_to_detect_is_tested() -> None:
    assert {mode for mode, *_ in SOURCES} == set(DetectLocal)


def test_node_cidr_without_pod_cidr_is_no_detector() -> None:
    config = ProxyConfig(detect_local=NODE_CIDR, cluster_cidrs=PODS)
    assert is_pod_source("10.42.0.7", ProxyNode("bare"), config) is None


def test_primary_addresses_are_internal_before_external() -> None:
    found = proxy_node(node(0, "za", v6=True, external="198.51.100.7"))
    assert found.primary == ("192.168.0.10", "fd00:192::10")
    assert found.addresses == ("192.168.0.10", "fd00:192::10", "198.51.100.7")
    assert found.zone == "za"
    assert found.primary_of(Family.IPV6) == "fd00:192::10"
    assert ProxyNode("bare").primary_of(Family.IPV4) is None


def test_loopback_is_every_nodes_own() -> None:
    assert [a for a in (V4, LO, "127.9.9.9", LO6, "192.168.0.11") if NODE.owns(a)] == [
        V4,
        LO,
        "127.9.9.9",
        LO6,
    ]


# the last address of the pod CIDR, else of the cluster CIDR
POD_ADDRESSES = [
    (NODE, (), Family.IPV4, "10.42.0.255"),
    (NODE, (), Family.IPV6, "fd00:10:42:0:ffff:ffff:ffff:ffff"),
    (ProxyNode("bare"), ("10.7.0.0/16",), Family.IPV4, "10.7.255.255"),
    (ProxyNode("bare"), ("10.7.0.0/16",), Family.IPV6, None),
    (ProxyNode("tiny", pod_cidrs=("10.7.0.1/32",)), (), Family.IPV4, "10.7.0.1"),
]


@pytest.mark.parametrize(("at", "cidrs", "wanted", "address"), POD_ADDRESSES)
def test_an_address_like_that_of_a_pod(
    at: ProxyNode, cidrs: tuple[str, ...], wanted: Family, address: str | None
) -> None:
    assert pod_address(at, wanted, ProxyConfig(cluster_cidrs=cidrs)) == address
