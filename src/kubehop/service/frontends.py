"""Where a Service listens (reference: kube-proxy, section 1)."""

import enum
from dataclasses import dataclass

from kubehop.model.addresses import Family, canonical, family, socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.service import HEADLESS_LABEL, PROXY_NAME_LABEL, Service, ServicePort


class FrontendKind(enum.StrEnum):
    """The four kinds; `external` is every kind but the first (externalTrafficPolicy applies)."""

    CLUSTER_IP = "clusterip"
    EXTERNAL_IP = "externalip"
    LOAD_BALANCER = "loadbalancer"
    NODE_PORT = "nodeport"

    @property
    def external(self) -> bool:
        return self is not FrontendKind.CLUSTER_IP


@dataclass(frozen=True, slots=True)
class Frontend:
    """An (address, protocol, port) where a Service listens; a node port has no address."""

    kind: FrontendKind
    service: Service
    service_port: ServicePort
    family: Family
    address: str
    port: int

    @property
    def protocol(self) -> str:
        return self.service_port.protocol

    def __str__(self) -> str:
        where = socket_address(self.address, self.port) if self.address else f"*:{self.port}"
        return f"{where}/{self.protocol}"


Key = tuple[str, str, int]
"""(address, protocol, port); the address of a node port is its family."""


def cluster_ip(service: Service, wanted: Family) -> str | None:
    """The Service's cluster IP of a family, None if it has none (then no frontend either)."""
    return next((canonical(a) for a in service.cluster_ips if family(a) is wanted), None)


def is_proxied(service: Service, proxy_name: str = "") -> bool:
    """False for what kube-proxy ignores: headless, ExternalName, another proxy's Services.

    Its label selectors ask whether a label is there: an empty value hides a Service as well.
    """
    labels = service.labels
    mine = labels.get(PROXY_NAME_LABEL) == (proxy_name or None)
    return bool(service.cluster_ips) and mine and HEADLESS_LABEL not in labels


def frontends(service: Service, proxy_name: str = "") -> tuple[Frontend, ...]:
    """Every frontend of a Service, per family, in the order cluster, external, LB, nodePort.

    A family without a cluster IP of its own has no frontend at all, node ports included.
    Only `status.loadBalancer.ingress[].ip` of mode VIP counts, never `spec.loadBalancerIP`.
    """
    if not is_proxied(service, proxy_name):
        return ()
    return tuple(
        frontend
        for wanted in Family
        if (address := cluster_ip(service, wanted))
        for port in service.ports
        for frontend in _port_frontends(service, port, wanted, address)
    )


def _port_frontends(
    service: Service, port: ServicePort, wanted: Family, address: str
) -> list[Frontend]:
    def at(kind: FrontendKind, where: str, number: int) -> Frontend:
        return Frontend(kind, service, port, wanted, where, number)

    found = [at(FrontendKind.CLUSTER_IP, address, port.port)]
    found += [
        at(FrontendKind.EXTERNAL_IP, canonical(ip), port.port)
        for ip in service.spec.external_ips or ()
        if family(ip) is wanted
    ]
    found += [
        at(FrontendKind.LOAD_BALANCER, ip, port.port) for ip in vip_addresses(service, wanted)
    ]
    if port.node_port:
        found.append(at(FrontendKind.NODE_PORT, "", port.node_port))
    return found


def vip_addresses(service: Service, wanted: Family) -> tuple[str, ...]:
    """The load balancer addresses that kube-proxy itself answers for (`ipMode: VIP`)."""
    return tuple(
        canonical(i.ip)
        for i in service.ingress
        if i.ip and i.ip_mode != "Proxy" and family(i.ip) is wanted
    )


def externally_accessible(service: Service, port: ServicePort, wanted: Family) -> bool:
    """True if the port has a frontend besides its cluster IP in this family."""
    return (
        bool(port.node_port)
        or any(family(ip) is wanted for ip in service.spec.external_ips or ())
        or bool(vip_addresses(service, wanted))
    )


@dataclass(frozen=True, slots=True)
class FrontendTable:
    """All frontends of a cluster, looked up by where a packet is addressed to."""

    by_key: dict[Key, Frontend]
    cluster_ips: frozenset[str]
    addresses: frozenset[str]

    def at(self, address: str, protocol: str, port: int) -> Frontend | None:
        """The frontend with its own address there, if any."""
        return self.by_key.get((address, protocol, port))

    def node_port(self, wanted: Family, protocol: str, port: int) -> Frontend | None:
        """The Service port that has this node port, if any."""
        return self.by_key.get((wanted, protocol, port))


def frontend_table(cluster: Cluster) -> FrontendTable:
    """Build the table; use as `cluster.derived(frontend_table)`.

    Two Services that claim one address and port: the first in (namespace, name) order wins.
    """
    by_key: dict[Key, Frontend] = {}
    for service in cluster.services:
        for frontend in frontends(service, cluster.proxy.service_proxy_name):
            key = (frontend.address or frontend.family, frontend.protocol, frontend.port)
            by_key.setdefault(key, frontend)
    own = [f for f in by_key.values() if f.address]
    return FrontendTable(
        by_key,
        cluster_ips=frozenset(f.address for f in own if not f.kind.external),
        addresses=frozenset(f.address for f in own),
    )
