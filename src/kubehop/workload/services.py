"""What the API server and a load balancer would fill in on a Service from a manifest."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from kubehop.model.addresses import Family, first_of, network
from kubehop.model.service import (
    Ingress,
    LoadBalancer,
    Service,
    ServicePort,
    ServiceStatus,
)
from kubehop.workload import say
from kubehop.workload.allocate import Addresses, Range
from kubehop.workload.draft import Draft
from kubehop.workload.families import asked_families, family_name, wants_both

LOAD_BALANCER_POOL = {Family.IPV4: "192.168.128.0/17", Family.IPV6: "fd00:192:168:128::/112"}
NODE_PORTS = (30000, 32767)
FIXED_PLACES = {("default", "kubernetes"): 1, ("kube-system", "kube-dns"): 10}
"""Services whose cluster IP has a customary place in the service CIDR."""


def services_step(draft: Draft) -> Draft:
    """Draft with Services; bare ones get families, cluster IPs, node ports and addresses.

    A Service with a cluster IP was observed, and nothing is invented for it: without an ingress
    its load balancer is still pending. Bare ones are those without any cluster IP.
    """
    services = draft.inventory.of(Service)
    bare = [service for service in services if is_bare(service)]
    stock = Stock.of(draft)
    made = {id(service): stock.completed(service) for service in in_order(bare)}
    unserved = [service.reference for service in made.values() if is_bare(service)]
    served = len(bare) - len(unserved)
    lines = (
        f"cluster IPs and what else is unset of {say.count(served, 'Service')} assumed"
        if served
        else "",
        f"no cluster IP for {say.some(unserved)}: none left, or not of the asked family"
        if unserved
        else "",
    )
    settled = (made.get(id(s)) or with_families(s, draft.families) for s in services)
    return draft.having(*filter(None, lines), services=tuple(settled))


def is_bare(service: Service) -> bool:
    """True if it should have a cluster IP and has none: it comes from a manifest."""
    return service.spec.type != "ExternalName" and not service.headless and not service.cluster_ips


def in_order(services: Iterable[Service]) -> list[Service]:
    """Those with a customary place first, lest the hash of another's name takes it."""
    return sorted(services, key=lambda service: _name(service) not in FIXED_PLACES)


def _name(service: Service) -> tuple[str, str]:
    return service.namespace, service.name


def with_families(service: Service, families: tuple[Family, ...]) -> Service:
    """A headless Service has no address that would tell its families."""
    open_headless = service.headless and not service.spec.ip_families
    if not open_headless or service.spec.type == "ExternalName":
        return service
    names = tuple(map(family_name, _granted(service, families)))
    return replace(service, spec=replace(service.spec, ip_families=names))


def _granted(service: Service, families: tuple[Family, ...]) -> tuple[Family, ...]:
    """What the API server makes of `ipFamilies` and `ipFamilyPolicy` (KEP-563)."""
    asked = asked_families(service) or families[:1]
    more = families if wants_both(service) else ()
    return tuple(dict.fromkeys(wanted for wanted in (*asked, *more) if wanted in families))


@dataclass
class Stock:
    """What is left to give to Services."""

    families: tuple[Family, ...]
    cluster_ips: dict[Family, Addresses]
    balancers: dict[Family, Addresses]
    node_ports: Range

    @classmethod
    def of(cls, draft: Draft) -> "Stock":
        """The stock of a draft whose nodes and service CIDRs are known."""
        services, cluster = draft.inventory.of(Service), draft.cluster
        ips = [ip for service in services for ip in service.cluster_ips]
        taken = [entry.ip for service in services for entry in service.ingress if entry.ip]
        taken += [ip for node in cluster.nodes for ip in (*node.internal_ips, *node.external_ips)]
        cidrs = {wanted: first_of(cluster.service_cidrs, wanted) for wanted in Family}
        return cls(
            draft.families,
            {f: Addresses(cidr, ips, _static_band(cidr)) for f, cidr in cidrs.items() if cidr},
            {f: Addresses(cidr, taken) for f, cidr in LOAD_BALANCER_POOL.items()},
            Range(*NODE_PORTS, used=set(_node_ports(services))),
        )

    def completed(self, service: Service) -> Service:
        """A bare Service with everything that was unset; as it is if no address is left."""
        families = _granted(service, self.families)
        addresses = {f: ip for f in families if (ip := self._cluster_ip(service, f))}
        if not addresses:
            return service
        ips = tuple(addresses.values())
        spec = replace(
            service.spec,
            cluster_ip=ips[0],
            cluster_ips=ips,
            ip_families=tuple(map(family_name, addresses)),
            ports=tuple(self._with_node_port(service, port) for port in service.ports),
            health_check_node_port=self._health_check(service),
        )
        return replace(service, spec=spec, status=self._status(service, tuple(addresses)))

    def updated(self, service: Service) -> Service:
        """A Service that was changed, with what the API server and a load balancer then give."""
        spec = replace(
            service.spec,
            ports=tuple(self._with_node_port(service, port) for port in service.ports),
            health_check_node_port=self._health_check(service),
        )
        return replace(service, spec=spec, status=self._status(service, self.families))

    def _cluster_ip(self, service: Service, family: Family) -> str | None:
        pool, place = self.cluster_ips.get(family), FIXED_PLACES.get(_name(service))
        if pool is None:
            return None
        customary = pool.take_at(place) if place else None
        return customary or pool.take(f"{service.namespace}/{service.name}")

    def _with_node_port(self, service: Service, port: ServicePort) -> ServicePort:
        spec = service.spec
        if port.node_port or spec.type not in ("NodePort", "LoadBalancer"):
            return port
        if spec.type == "LoadBalancer" and spec.allocate_load_balancer_node_ports is False:
            return port
        name = f"{service.namespace}/{service.name}/{port.key}"
        return replace(port, node_port=self.node_ports.take(name))

    def _health_check(self, service: Service) -> int | None:
        spec = service.spec
        local = spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"
        if spec.health_check_node_port or not local:
            return spec.health_check_node_port
        return self.node_ports.take(f"{service.namespace}/{service.name}/healthCheckNodePort")

    def _status(self, service: Service, families: tuple[Family, ...]) -> ServiceStatus | None:
        if service.spec.type != "LoadBalancer" or service.ingress:
            return service.status
        name = f"{service.namespace}/{service.name}"
        ips = (self.balancers[family].take(name) for family in families)
        ingress = tuple(Ingress(ip=ip, ip_mode="VIP") for ip in ips if ip)
        return ServiceStatus(load_balancer=LoadBalancer(ingress=ingress))


def _static_band(cidr: str) -> int:
    """How many addresses are kept for Services that name theirs (KEP-3070)."""
    size = network(cidr).num_addresses
    return 0 if size <= 16 else min(max(16, size // 16), 256)


def _node_ports(services: Iterable[Service]) -> Iterable[int]:
    for service in services:
        yield from (port.node_port for port in service.ports if port.node_port)
        if service.spec.health_check_node_port:
            yield service.spec.health_check_node_port
