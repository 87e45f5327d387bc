"""From a target to the addresses that the packet is sent to, with their shares."""

from dataclasses import dataclass
from fractions import Fraction

from kubehop.model.addresses import Family, canonical, family
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.service import Service, ServicePort
from kubehop.service.endpoints import backends
from kubehop.service.frontends import Frontend, FrontendKind, frontends
from kubehop.trace.questions import Origin, Target, find_node


@dataclass(frozen=True, slots=True)
class Shot:
    """One address and port that the packet may be sent to, and why that one."""

    address: str
    port: int
    protocol: str
    share: Fraction = Fraction(1)
    why: str = ""
    endpoint_node: str = ""


def aim(
    cluster: Cluster,
    origin: Origin,
    target: Target,
    protocol: str | None,
    via: FrontendKind | None,
    node: str,
) -> tuple[Shot, ...]:
    """Where a client at `origin` sends a packet for `target`.

    A Service is addressed by its frontend `via`, by default the one that fits the origin.
    A headless Service has none: the client picks an address from DNS.
    Raises UsageError if the target has no such port or frontend.
    """
    if target.service is not None:
        return _aim_service(cluster, origin, target, protocol, via, node)
    port, spoken = _number(target), protocol or "TCP"
    if target.pod is not None:
        if not target.pod.addresses:
            raise UsageError(f"{target.pod.reference} has no address yet")
        addresses = target.pod.addresses
    elif target.node is not None:
        addresses = target.node.internal_ips or target.node.external_ips
        if not addresses:
            raise UsageError(f"{target.node.reference} has no address in its status")
    else:
        addresses = (target.address,)
    mine = {family(a) for a in origin.addresses}
    fitting = [a for a in addresses if family(a) in mine] or list(addresses)
    return (Shot(canonical(fitting[0]), port, spoken),)


def _number(target: Target) -> int:
    if not target.port.isdecimal() or not 1 <= int(target.port) <= 65535:
        raise UsageError(f"TO {target.label!r}: {target.port!r} is not a port number")
    return int(target.port)


def _aim_service(
    cluster: Cluster,
    origin: Origin,
    target: Target,
    protocol: str | None,
    via: FrontendKind | None,
    node: str,
) -> tuple[Shot, ...]:
    service = target.service
    assert service is not None
    if service.spec.type == "ExternalName":
        name = service.spec.external_name
        raise UsageError(f"{service.reference} is an ExternalName: DNS answers with {name!r}")
    port = service_port(service, target.port, protocol)
    if service.headless:
        return _headless_shots(cluster, service, port, origin, target.port)
    mine = {family(a) for a in origin.addresses}
    listening = (*frontends(service, cluster.proxy.service_proxy_name), *_proxied(service, port))
    usable = [f for f in listening if f.service_port is port and f.family in mine]
    if not usable:
        raise UsageError(f"{service.reference} has no address that {origin.label} could use")
    kind = via or _natural(origin, usable, node)
    fitting = [frontend for frontend in usable if frontend.kind is kind]
    if not fitting:
        offered = ", ".join(dict.fromkeys(f.kind.value for f in usable))
        raise UsageError(f"{service.reference} has no {kind} address; it has: {offered}")
    if kind is FrontendKind.NODE_PORT:
        return _node_port_shots(cluster, origin, fitting[0], node)
    return (Shot(fitting[0].address, fitting[0].port, port.protocol),)


def _proxied(service: Service, port: ServicePort) -> tuple[Frontend, ...]:
    """Load balancers of `ipMode: Proxy`: no frontend of kube-proxy's, but where clients go."""
    return tuple(
        Frontend(
            FrontendKind.LOAD_BALANCER, service, port, family(i.ip), canonical(i.ip), port.port
        )
        for i in service.ingress
        if i.ip and i.ip_mode == "Proxy" and service.cluster_ips
    )


def service_port(service: Service, wanted: str, protocol: str | None) -> ServicePort:
    """The port by number or name, "" for the only one; raises UsageError with what there is."""
    ports = [p for p in service.ports if protocol in (None, p.protocol)]
    matching = [p for p in ports if wanted in (str(p.port), p.name) or not wanted]
    distinct = {(p.port, p.name) for p in matching}
    if len(distinct) == 1 or (matching and wanted):
        return min(matching, key=lambda p: p.protocol != "TCP")
    offered = ", ".join(f"{p.port}/{p.protocol}" for p in service.ports) or "none"
    if matching:
        raise UsageError(f"{service.reference} has several ports, name one: {offered}")
    asked = f"{wanted}/{protocol}" if protocol else wanted
    raise UsageError(f"{service.reference} has no port {asked}; it has: {offered}")


def _natural(origin: Origin, usable: list[Frontend], node: str) -> FrontendKind:
    """Inside: the cluster IP. Outside: load balancer, external IP, node port, in that order."""
    kinds = {frontend.kind for frontend in usable}
    if origin.node:
        return FrontendKind.CLUSTER_IP
    if node and FrontendKind.NODE_PORT in kinds and FrontendKind.LOAD_BALANCER not in kinds:
        return FrontendKind.NODE_PORT
    order = (FrontendKind.LOAD_BALANCER, FrontendKind.EXTERNAL_IP, FrontendKind.NODE_PORT)
    return next((kind for kind in order if kind in kinds), FrontendKind.CLUSTER_IP)


def _node_port_shots(
    cluster: Cluster, origin: Origin, frontend: Frontend, node: str
) -> tuple[Shot, ...]:
    """To the node of choice; without one, to the client's own, or to any alike from outside."""
    if node or origin.node:
        chosen = [find_node(cluster, node or origin.node)]
        why = "" if node else "the client's own node: --node NAME chooses another"
    else:
        chosen = list(cluster.nodes)
        why = "each node equally: --node NAME chooses one" if len(chosen) > 1 else ""
    addresses = [
        address
        for n in chosen
        if (address := _node_address((*n.internal_ips, *n.external_ips), frontend.family))
    ]
    if not addresses:
        raise UsageError(f"no node has an {frontend.family} address for a node port")
    share = Fraction(1, len(addresses))
    return tuple(Shot(a, frontend.port, frontend.protocol, share, why) for a in addresses)


def _node_address(addresses: tuple[str, ...], wanted: Family) -> str | None:
    return next((canonical(a) for a in addresses if family(a) is wanted), None)


def _headless_shots(
    cluster: Cluster, service: Service, port: ServicePort, origin: Origin, asked: str
) -> tuple[Shot, ...]:
    """DNS gives the ready endpoints; nobody translates the port, so the asked one is used.

    By name, or without a port, each endpoint's own: an SRV record tells it.
    """
    slices = cluster.slices_of(service)
    mine = dict.fromkeys(family(a) for a in origin.addresses)
    found = [e for wanted in mine for e in backends(slices, port, wanted).endpoints if e.ready]
    if not found:
        raise UsageError(f"{service.reference} is headless and has no ready endpoint: NXDOMAIN")
    number = int(asked) if asked.isdecimal() else 0
    why = f"headless: DNS gives {len(found)} addresses and the client picks one"
    share = Fraction(1, len(found))
    return tuple(
        Shot(e.address, number or e.port, port.protocol, share, why, endpoint_node=e.node)
        for e in found
    )
