"""Nodes where the input has none: known from their pods, or imagined."""

import ipaddress
from collections.abc import Iterable
from dataclasses import replace

from kubehop.model.addresses import Family
from kubehop.model.errors import UsageError
from kubehop.model.meta import Labels, ObjectMeta
from kubehop.model.node import (
    ZONE_LABEL,
    Allocatable,
    Node,
    NodeAddress,
    NodeSpec,
    NodeStatus,
)
from kubehop.model.pod import Condition, Pod
from kubehop.workload import say
from kubehop.workload.draft import Draft
from kubehop.workload.options import Options

MAX_IMAGINARY_NODES = 256
"""A /24 each of 10.42.0.0/16."""
ZONE_LETTERS = "abcdefghijklmnopqrstuvwxyz"
FIRST_NODE_ADDRESS = {
    Family.IPV4: ipaddress.ip_address("192.168.0.10"),
    Family.IPV6: ipaddress.ip_address("fd00:192:168::a"),
}
POD_CIDR = {
    Family.IPV4: ipaddress.ip_network("10.42.0.0/16"),
    Family.IPV6: ipaddress.ip_network("fd00:10:42::/48"),
}
"""Where imaginary nodes' pod CIDRs come from."""
NODE_PREFIX = {Family.IPV4: 24, Family.IPV6: 64}
"""How long an imaginary node's own part of it is."""


def nodes_step(draft: Draft) -> Draft:
    """Draft with nodes: those of the input, else those that pods name, else imaginary ones.

    Nodes that only manifests name (`spec.nodeName` of pods that nobody observed) are imagined
    under these names.
    """
    known = draft.inventory.of(Node)
    if known:
        return draft.having(nodes=known)
    placed = [pod for pod in draft.inventory.of(Pod) if pod.node_name]
    if any(pod.phase for pod in placed):
        return _derived(draft, placed)
    return _imagined(draft, {pod.node_name for pod in placed})


def _derived(draft: Draft, pods: Iterable[Pod]) -> Draft:
    addresses: dict[str, dict[str, None]] = {}
    for pod in pods:
        addresses.setdefault(pod.node_name, {}).update(dict.fromkeys(_node_addresses(pod)))
    nodes = tuple(
        Node(
            metadata=ObjectMeta(name=name, labels=_labels(name)),
            status=NodeStatus(addresses=_internal(addresses[name])),
        )
        for name in sorted(addresses)
    )
    names = say.some([node.name for node in nodes])
    line = f"{say.count(len(nodes), 'node')} known only from pods, labels assumed: {names}"
    return draft.having(line, nodes=nodes)


def _node_addresses(pod: Pod) -> tuple[str, ...]:
    host_ip = (pod.status and pod.status.host_ip) or ""
    own = pod.addresses if pod.host_network else ()
    return tuple(address for address in (host_ip, *own) if address)


def _imagined(draft: Draft, named: set[str]) -> Draft:
    names = _imaginary_names(draft.options, named)
    zones = _zones(draft.options)
    nodes = tuple(
        _imaginary_node(name, index, zones[index % len(zones)] if zones else "", draft.families)
        for index, name in enumerate(names)
    )
    line = f"{say.count(len(nodes), 'node')} assumed: {say.some(names)}"
    ordered = tuple(sorted(nodes, key=lambda node: node.name))
    return replace(draft.having(line, nodes=ordered), imaginary=True)


def _imaginary_names(options: Options, named: set[str]) -> list[str]:
    """`node-0` and so on; the names that pods give instead, if they are others."""
    if options.nodes < 1:
        raise UsageError(f"a cluster has at least 1 node, not {options.nodes}")
    numbered = [f"node-{index}" for index in range(options.nodes)]
    names = numbered if named <= set(numbered) else sorted(named)
    if len(names) > MAX_IMAGINARY_NODES:
        raise UsageError(f"at most {MAX_IMAGINARY_NODES} imaginary nodes, not {len(names)}")
    return names


def _zones(options: Options) -> list[str]:
    if not 0 <= options.zones <= len(ZONE_LETTERS):
        raise UsageError(f"0 to {len(ZONE_LETTERS)} zones, not {options.zones}")
    return [f"zone-{letter}" for letter in ZONE_LETTERS[: options.zones]]


def _imaginary_node(name: str, index: int, zone: str, families: tuple[Family, ...]) -> Node:
    """Imaginary nodes are ready and have equal CPU, so that topology-mode Auto weighs them."""
    cidrs = tuple(_pod_cidr(family, index) for family in families)
    return Node(
        metadata=ObjectMeta(name=name, labels=_labels(name) | ({ZONE_LABEL: zone} if zone else {})),
        spec=NodeSpec(pod_cidr=cidrs[0], pod_cidrs=cidrs),
        status=NodeStatus(
            addresses=_internal(str(FIRST_NODE_ADDRESS[family] + index) for family in families),
            conditions=(Condition("Ready", "True"),),
            allocatable=Allocatable(cpu="4"),
        ),
    )


def _pod_cidr(family: Family, index: int) -> str:
    whole, length = POD_CIDR[family], NODE_PREFIX[family]
    return f"{whole.network_address + (index << whole.max_prefixlen - length)}/{length}"


def _labels(name: str) -> Labels:
    """What the kubelet sets on every node."""
    return {
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
    }


def _internal(addresses: Iterable[str]) -> tuple[NodeAddress, ...]:
    return tuple(NodeAddress("InternalIP", address) for address in addresses)
