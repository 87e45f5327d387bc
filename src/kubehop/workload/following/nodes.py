"""Nodes that are applied: what the kubelet and the node IPAM controller would add."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from kubehop.model.addresses import Family, canonical, family, network
from kubehop.model.errors import UsageError
from kubehop.model.node import Node, NodeAddress, NodeSpec, NodeStatus
from kubehop.model.pod import Pod
from kubehop.workload.following.state import Turn
from kubehop.workload.nodes import FIRST_NODE_ADDRESS, NODE_PREFIX, POD_CIDR


def nodes_applied(turn: Turn, nodes: Iterable[Node]) -> Turn:
    """The turn with these nodes; what they leave open stays, or is assumed for a new one.

    Raises UsageError for an address that another node has, or a pod CIDR that changes.
    """
    for new in nodes:
        old = turn.cluster.node(new.name)
        made = _kept(old, new) if old else _assumed(new, turn)
        _refuse_taken(made, turn.cluster.nodes)
        lines = (
            () if made == new or old else (f"addresses and pod CIDR of {new.reference} assumed",)
        )
        moved = _moved(made, turn.cluster.pods) if old and _ips(old) != _ips(made) else ()
        turn = turn.given((new,)).standing((made,)).standing(moved).having(*lines)
    return turn


def _ips(node: Node) -> tuple[str, ...]:
    return node.internal_ips


def _kept(old: Node, new: Node) -> Node:
    """`new` with the status and the pod CIDR that it leaves open; the latter never changes."""
    had = old.spec or NodeSpec()
    if new.pod_cidrs and old.pod_cidrs and new.pod_cidrs != old.pod_cidrs:
        why = f"may not change from {old.pod_cidrs[0]} to {new.pod_cidrs[0]}"
        raise UsageError(f"{new.reference}: spec.podCIDR: {why}")
    spec = new.spec or NodeSpec()
    if not new.pod_cidrs:
        spec = replace(spec, pod_cidr=had.pod_cidr, pod_cidrs=had.pod_cidrs)
    status = new.status or old.status
    if status and old.status and not status.addresses:
        status = replace(status, addresses=old.status.addresses)
    return replace(new, spec=spec, status=status)


def _assumed(new: Node, turn: Turn) -> Node:
    """A bare node with the next addresses and pod CIDRs, in the families of the cluster."""
    families = tuple(dict.fromkeys(map(family, turn.cluster.service_cidrs))) or (Family.IPV4,)
    spec, status = new.spec or NodeSpec(), new.status or NodeStatus()
    if not new.internal_ips:
        found = (NodeAddress("InternalIP", _address(f, turn)) for f in families)
        status = replace(status, addresses=(*(status.addresses or ()), *found))
    if not new.pod_cidrs and all(node.pod_cidrs for node in turn.cluster.nodes):
        cidrs = tuple(filter(None, (_pod_cidr(f, turn.cluster.nodes) for f in families)))
        spec = replace(spec, pod_cidr=cidrs[0] if cidrs else None, pod_cidrs=cidrs or None)
    return replace(new, spec=spec, status=status)


def _address(wanted: Family, turn: Turn) -> str:
    taken = {
        canonical(ip)
        for node in turn.cluster.nodes
        for ip in (*node.internal_ips, *node.external_ips)
    }
    first = FIRST_NODE_ADDRESS[wanted]
    return next(ip for n in itertools.count() if (ip := str(first + n)) not in taken)


def _pod_cidr(wanted: Family, nodes: Sequence[Node]) -> str | None:
    used = [network(cidr) for node in nodes for cidr in node.pod_cidrs if family(cidr) is wanted]
    parts = POD_CIDR[wanted].subnets(new_prefix=NODE_PREFIX[wanted])
    return next((str(part) for part in parts if not any(map(part.overlaps, used))), None)


def _refuse_taken(node: Node, nodes: Iterable[Node]) -> None:
    """No two nodes share an address, or a part of their pod CIDRs."""
    for other in nodes:
        for cidr in other.pod_cidrs if other.name != node.name else ():
            if any(network(own).overlaps(network(cidr)) for own in node.pod_cidrs):
                why = f"overlaps {cidr} of {other.reference}"
                raise UsageError(f"{node.reference}: spec.podCIDR: {why}")
    had = {canonical(ip): other for other in nodes if other.name != node.name for ip in _ips(other)}
    for ip in map(canonical, _ips(node)):
        if ip in had:
            raise UsageError(
                f"{node.reference}: status.addresses: {ip} is that of {had[ip].reference}"
            )


def _moved(node: Node, pods: Iterable[Pod]) -> Iterator[Pod]:
    """Pods in the node's network without their addresses, which are the node's new ones."""
    for pod in pods:
        if pod.host_network and pod.node_name == node.name and pod.status and not pod.finished:
            status = replace(pod.status, pod_ip=None, pod_ips=None, host_ip=None)
            yield replace(pod, status=status)
