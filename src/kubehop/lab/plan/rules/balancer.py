"""What the load balancer in the fabric sends where (`trace.outside`), as elements of its maps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubehop.lab.plan.rules.balancer_frame import (
    CHOSEN,
    POOL,
    PROXY,
    balancer_frame,
    pick_rules,
)
from kubehop.lab.plan.rules.frame import PICKS, name_of
from kubehop.lab.plan.rules.marks import numbers
from kubehop.lab.plan.rules.parts import Piece
from kubehop.lab.plan.values import Ruleset
from kubehop.model.addresses import Family, canonical, family
from kubehop.model.cluster import Cluster
from kubehop.model.service import Ingress, Service, ServicePort
from kubehop.service.balancer import admitted
from kubehop.service.classes import barred, single
from kubehop.service.frontends import frontend_table
from kubehop.service.nodes import ProxyNode, proxy_nodes
from kubehop.trace.outside import listeners

FRAME = balancer_frame()
Healthy = Mapping[tuple[str, str], frozenset[str]]
"""By (namespace, name) of a Service, the nodes whose health check answers 200."""


def balancer_mark(cluster: Cluster, node_name: str) -> int:
    """The mark of packets that the fabric is to route to a node: 1 to 0xfffff."""
    return cluster.derived(_node_marks)[node_name]


def _node_marks(cluster: Cluster) -> dict[str, int]:
    return numbers((node.name for node in cluster.nodes), bits=20)


def balancer_ruleset(cluster: Cluster, healthy: Healthy | None) -> Ruleset:
    """The ruleset of the fabric. Services that `healthy` does not mention, all if it is None,
    have the nodes that `service.balancer` predicts."""
    piece = Piece()
    bound = list(_bound(cluster, healthy))
    pooled = numbers(dict.fromkeys(pool.key for pool in bound))
    for pool in bound:
        _add(cluster, piece, pool, pooled[pool.key] | POOL)
    for node in cluster.nodes:
        internal = [canonical(a) for a in node.internal_ips]
        for address in map(canonical, node.external_ips):
            _add_external(piece, address, internal)
    return Ruleset(FRAME, piece.elements, piece.chains)


@dataclass(frozen=True, slots=True)
class Bound:
    """An (address, protocol, port) in front of nodes; `node_port` is a proxying one's."""

    address: str
    protocol: str
    port: int
    nodes: tuple[ProxyNode, ...]
    proxy: bool = False
    node_port: int = 0

    @property
    def key(self) -> str:
        """What a pool is: listeners that have it in common share one."""
        way = f"{family(self.address)}/{self.node_port}" if self.proxy else ""
        return "/".join((way, *(node.name for node in self.nodes)))


def _bound(cluster: Cluster, healthy: Healthy | None) -> Iterator[Bound]:
    """Step 1: load balancers. Step 2: external IPs, which others route to every node equally.
    An address that a node has is the node's."""
    balanced = cluster.derived(listeners)
    known: dict[tuple[str, str], tuple[ProxyNode, ...]] = {}
    for (address, protocol, port), (service, service_port, ingress) in balanced.items():
        if cluster.node_at(address) is None:
            key = (service.namespace, service.name)
            if key not in known:
                known[key] = _members(cluster, service, healthy)
            yield _balanced(address, protocol, port, known[key], service_port, ingress)
    every = tuple(cluster.derived(proxy_nodes).values())
    table = cluster.derived(frontend_table)
    for where, frontend in table.by_key.items():
        own = not frontend.address or frontend.address in table.cluster_ips
        if not own and where not in balanced and cluster.node_at(frontend.address) is None:
            yield Bound(frontend.address, frontend.protocol, frontend.port, every)


def _balanced(
    address: str,
    protocol: str,
    port: int,
    nodes: tuple[ProxyNode, ...],
    service_port: ServicePort,
    ingress: Ingress,
) -> Bound:
    proxy = ingress.ip_mode == "Proxy"
    return Bound(address, protocol, port, nodes, proxy, service_port.node_port or 0)


def _members(cluster: Cluster, service: Service, healthy: Healthy | None) -> tuple[ProxyNode, ...]:
    """The nodes that a load balancer sends to."""
    nodes = cluster.derived(proxy_nodes).values()
    passing = (healthy or {}).get((service.namespace, service.name))
    if passing is None:
        found = admitted(cluster, service, map(single, nodes))
        return tuple(node_class.representative for node_class in found)
    out = cluster.derived(barred)
    return tuple(node for node in nodes if node.name in passing and node.name not in out)


def _add(cluster: Cluster, piece: Piece, bound: Bound, number: int) -> None:
    """A listener, and its pool: without members it is not there, and packets are dropped."""
    wanted = family(bound.address)
    where = f"{bound.address} . {bound.protocol.lower()} . {bound.port}"
    piece.add(name_of(wanted, "addresses"), bound.address)
    piece.add(name_of(wanted, "listeners"), where, f"{number | PROXY * bound.proxy:#x}")
    size = len(bound.nodes)
    if size > PICKS:
        for name, rule in pick_rules(size).items():
            piece.chains[name_of(wanted, name)] = (rule,)
    if not bound.proxy:
        _add_pool(piece, wanted, number, _marks(cluster, bound.nodes))
        return
    piece.add(name_of(wanted, "proxied"), where, f"{number:#x}")
    piece.add(name_of(wanted, "proxies"), bound.address)
    if size:
        piece.add(name_of(wanted, "proxy-pools"), f"{number:#x}", f"goto proxy-pick-{size}")
    for index, node in enumerate(bound.nodes):
        target = node.primary_of(wanted)
        if target and bound.node_port:
            value = f"{target} . {bound.node_port}"
            piece.add(name_of(wanted, "targets"), f"{number:#x} . {index}", value)


def _marks(cluster: Cluster, nodes: Iterable[ProxyNode]) -> list[int]:
    return [balancer_mark(cluster, node.name) | CHOSEN for node in nodes]


def _add_pool(piece: Piece, wanted: Family, number: int, marks: list[int]) -> None:
    pools = name_of(wanted, "pools")
    if not marks or f"{number:#x}" in piece.elements.get(pools, {}):
        return
    piece.add(pools, f"{number:#x}", f"goto pick-{len(marks)}")
    for index, mark in enumerate(marks):
        piece.add(name_of(wanted, "members"), f"{number:#x} . {index}", f"{mark:#x}")


def _add_external(piece: Piece, address: str, internal: list[str]) -> None:
    """An ExternalIP becomes the first InternalIP of its family, if there is one."""
    wanted = family(address)
    target = next((own for own in internal if family(own) is wanted), None)
    if target and address not in internal:
        piece.add(name_of(wanted, "externals"), address, target)
