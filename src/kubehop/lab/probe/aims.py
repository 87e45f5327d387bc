"""Every origin and every target that a cluster offers for a packet. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubehop.lab.plan.values import OUTSIDE, node_namespace, pod_namespace
from kubehop.lab.probe.values import Probe
from kubehop.model.addresses import Family, canonical, contains, family, network
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.pod import Pod
from kubehop.service.decide import source_ranges
from kubehop.service.frontends import frontend_table
from kubehop.service.nodes import proxy_nodes
from kubehop.trace.aim import Shot
from kubehop.trace.outside import listeners
from kubehop.trace.questions import (
    CLIENTS,
    Origin,
    address_for,
    external_origin,
    node_origin,
    pod_origin,
)
from kubehop.trace.values import Trace
from kubehop.trace.walk import trace_shots

NOBODY = 7
"""A port at which nothing listens."""
SPOKEN = ("TCP", "UDP")
Target = tuple[str, str, int]
"""(address, protocol, port)."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Who sends, in which namespace, and where to."""

    origin: Origin
    namespace: str
    shot: Shot

    def probe(self, count: int) -> Probe:
        """`count` connections; only outside is a source bound, inside routing picks it."""
        shot = self.shot
        bound = address_for(self.origin.addresses, shot.address) or ""
        source = bound if self.namespace == OUTSIDE else ""
        return Probe(self.namespace, source, shot.address, shot.port, shot.protocol, count)

    def trace(self, cluster: Cluster) -> Trace:
        """What is predicted; raises UsageError where the packet cannot be sent at all."""
        return trace_shots(cluster, self.origin, (self.shot,), self.shot.address)

    def __str__(self) -> str:
        shot = self.shot
        return f"{self.origin.label} -> {shot.address} {shot.protocol}/{shot.port}"


def aims(cluster: Cluster) -> tuple[Aim, ...]:
    """All that can be sent: from every origin, to every target in a family of its own."""
    every = targets(cluster)
    return tuple(
        Aim(origin, namespace, Shot(address, port, protocol))
        for origin, namespace in origins(cluster)
        for address, protocol, port in every
        if _can(origin, namespace, address)
    )


def _can(origin: Origin, namespace: str, address: str) -> bool:
    """A loopback address is somebody's own: only a node's leads to a Service."""
    if contains("127.0.0.0/8", address):
        return namespace.startswith(node_namespace(""))
    return address_for(origin.addresses, address) is not None


def origins(cluster: Cluster) -> tuple[tuple[Origin, str], ...]:
    """Every pod that runs, every node's own processes, and clients outside."""
    found: list[tuple[Origin, str]] = []
    for pod in cluster.pods:
        if pod.addresses and not pod.finished and cluster.node(pod.node_name):
            found.append((pod_origin(pod), _namespace(pod)))
    for node in cluster.nodes:
        try:
            found.append((node_origin(node), node_namespace(node.name)))
        except UsageError:
            continue  # it has no address: nothing can be sent from there
    found += [(external_origin(address), OUTSIDE) for address in _clients(cluster)]
    return tuple(found)


def _namespace(pod: Pod) -> str:
    if pod.host_network:
        return node_namespace(pod.node_name)
    return pod_namespace(pod.namespace, pod.name)


def _clients(cluster: Cluster) -> Iterable[str]:
    """Addresses outside: the usual ones, and one in each source range that is not ours."""
    own = [cidr for node in cluster.nodes for cidr in node.pod_cidrs]
    own += [*cluster.service_cidrs, *cluster.proxy.cluster_cidrs]
    taken = {a for node in cluster.nodes for a in (*node.internal_ips, *node.external_ips)}
    found = dict.fromkeys(CLIENTS)
    for service in cluster.services:
        for cidr in (c for wanted in Family for c in source_ranges(service, wanted)):
            inside = str(network(cidr)[-2 if network(cidr).num_addresses > 2 else 0])
            if inside not in taken and not any(contains(one, inside) for one in own):
                found.setdefault(inside)
    return found


def targets(cluster: Cluster) -> tuple[Target, ...]:
    """Every frontend and its surroundings, pods and nodes, and addresses that nobody has."""
    found = dict.fromkeys(
        target
        for some in (_frontends, _balancers, _pods, _nodes, _nobodys)
        for target in some(cluster)
    )
    return tuple(target for target in found if target[1] in SPOKEN)


def _frontends(cluster: Cluster) -> Iterator[Target]:
    """Each frontend, and at its address a port and a protocol that it has not."""
    table = cluster.derived(frontend_table)
    nodes = cluster.derived(proxy_nodes).values()
    for frontend in table.by_key.values():
        if frontend.address:
            yield frontend.address, frontend.protocol, frontend.port
            yield frontend.address, frontend.protocol, NOBODY
            yield frontend.address, SPOKEN[frontend.protocol == "TCP"], frontend.port
            continue
        loopback = ("127.0.0.1",) if frontend.family is Family.IPV4 else ()
        for address in (*(a for node in nodes for a in node.addresses), *loopback):
            if family(address) is frontend.family:
                yield address, frontend.protocol, frontend.port


def _balancers(cluster: Cluster) -> Iterator[Target]:
    yield from cluster.derived(listeners)


def _pods(cluster: Cluster) -> Iterator[Target]:
    """Declared ports, hostPorts on the pod's node, and one that is not declared."""
    for pod in cluster.pods:
        if pod.finished or not cluster.node(pod.node_name):
            continue
        claims = [port for one in pod.spec.containers or () for port in one.ports or ()]
        node = cluster.derived(proxy_nodes)[pod.node_name]
        for address in map(canonical, pod.addresses):
            yield address, "TCP", NOBODY
            yield from ((address, port.protocol, port.container_port) for port in claims)
        for address in node.addresses:
            yield from (
                (address, port.protocol, port.host_port) for port in claims if port.host_port
            )


def _nodes(cluster: Cluster) -> Iterator[Target]:
    for node in cluster.derived(proxy_nodes).values():
        yield from ((address, "TCP", NOBODY) for address in node.addresses)


def _nobodys(cluster: Cluster) -> Iterator[Target]:
    """The last addresses of the Service ranges and of the nodes' pod CIDRs, but one."""
    for cidr in (*cluster.service_cidrs, *(c for node in cluster.nodes for c in node.pod_cidrs)):
        address = str(network(cidr)[-2])
        for protocol in SPOKEN:
            yield address, protocol, 80
