"""hostPort: the port mapping of the network plugin, for each address of a node."""

from collections.abc import Iterable, Iterator

from kubehop.lab.plan.rules.frame import name_of
from kubehop.lab.plan.rules.parts import Piece
from kubehop.model.addresses import Family, canonical, family
from kubehop.model.cluster import Cluster
from kubehop.model.pod import ContainerPort, Pod
from kubehop.service.nodes import ProxyNode, is_loopback, proxy_nodes
from kubehop.trace.places import mapped_pod_at

_LOOPBACK = {Family.IPV4: "127.255.255.254", Family.IPV6: "::1"}
"""Stands for the loopback addresses that no claim names."""


def host_ports(cluster: Cluster) -> dict[str, Piece]:
    """By node, its mapped ports: `trace.places` says which claim has a port of an address."""
    found: dict[str, Piece] = {}
    nodes = cluster.derived(proxy_nodes)
    for pod, claim in _claims(cluster):
        node = nodes.get(pod.node_name)
        if node is not None:
            piece = found.setdefault(node.name, Piece())
            for wanted in Family:
                _add(cluster, piece, node, claim, wanted)
    return found


def _claims(cluster: Cluster) -> Iterator[tuple[Pod, ContainerPort]]:
    for pod in cluster.pods:
        if pod.host_network or pod.finished:
            continue
        for container in pod.spec.containers or ():
            for port in container.ports or ():
                if port.host_port:
                    yield pod, port


def _add(
    cluster: Cluster, piece: Piece, node: ProxyNode, claim: ContainerPort, wanted: Family
) -> None:
    port = f"{claim.protocol.lower()} . {claim.host_port}"
    for address in _addresses(node, claim, wanted):
        target = _target(cluster, piece, node, claim, address)
        if target:
            piece.add(name_of(wanted, "hostports"), f"{address} . {port}", target)
    target = _target(cluster, piece, node, claim, _LOOPBACK[wanted])
    if target:
        piece.add(name_of(wanted, "loopback-hostports"), port, target)


def _addresses(node: ProxyNode, claim: ContainerPort, wanted: Family) -> Iterable[str]:
    """The node's own, and a loopback address that the claim names."""
    named = canonical(claim.host_ip) if claim.host_ip else ""
    mine = (*node.addresses, *([named] if is_loopback(named) else ()))
    return (address for address in mine if family(address) is wanted)


def _target(
    cluster: Cluster, piece: Piece, node: ProxyNode, claim: ContainerPort, address: str
) -> str:
    """Who gets it, "" if nobody. A pod that reaches itself is masqueraded."""
    assert claim.host_port
    mapped = mapped_pod_at(cluster, node.name, claim.protocol, address, claim.host_port)
    wanted = family(address)
    target = mapped and next((a for a in mapped[0].addresses if family(a) is wanted), None)
    if mapped is None or not target:
        return ""
    target = canonical(target)
    piece.add(name_of(wanted, "hostport-hairpins"), f"{target} . {target}")
    return f"{target} . {mapped[1]}"
