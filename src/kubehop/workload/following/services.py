"""A Service that is applied over one that stands: what the API server keeps, gives and refuses.

Sources: `pkg/registry/core/service/strategy.go` (patchAllocatedValues, dropTypeDependentFields),
`pkg/apis/core/validation` (ValidateServiceUpdate), `pkg/registry/core/service/storage/alloc.go`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn

from msgspec.structs import replace

from kubehop.model.addresses import Family, canonical
from kubehop.model.cluster import sort_key
from kubehop.model.errors import UsageError
from kubehop.model.service import Service, ServicePort, ServiceSpec
from kubehop.workload.change import check
from kubehop.workload.families import family_name, wants_both
from kubehop.workload.following.state import Name, Turn
from kubehop.workload.services import Stock, in_order, is_bare, with_families
from kubehop.workload.type_change import has_node_ports, without_type_dependents


def services_applied(turn: Turn, services: Iterable[Service]) -> Turn:
    """The turn with these Services as the API server takes them.

    Raises UsageError for what it refuses: a cluster IP that changes, an address or a node port
    that another Service has, a family that the cluster lacks.
    """
    standing = {sort_key(found): found for found in turn.cluster.services}
    new = list(services)
    patched = {sort_key(found): _patched(standing.get(sort_key(found)), found) for found in new}
    for found in patched.values():
        check(found)
    every = {**standing, **patched}
    _refuse_taken(patched, every)
    made = _completed(turn, patched, every)
    return turn.given(new).standing(made)


def _patched(old: Service | None, new: Service) -> Service:
    """`new` with what `old` was given and `new` leaves open; `new` itself if there is no old."""
    if old is None:
        return new
    spec = new.spec
    if _needs_cluster_ip(old.spec) and _needs_cluster_ip(spec):
        spec = _with_cluster_ips(old, new)
    if has_node_ports(old.spec) and has_node_ports(spec):
        spec = replace(spec, ports=_with_node_ports(old.ports, new.ports))
    if _needs_health_check(old.spec) and _needs_health_check(spec):
        port = spec.health_check_node_port or old.spec.health_check_node_port
        if spec.health_check_node_port not in (None, 0, old.spec.health_check_node_port):
            _refuse(new, "spec.healthCheckNodePort", "may not change once set")
        spec = replace(spec, health_check_node_port=port)
    status = new.status if new.ingress else old.status
    return without_type_dependents(old, replace(new, spec=spec, status=status))


def _needs_cluster_ip(spec: ServiceSpec) -> bool:
    return spec.type != "ExternalName"


def _needs_health_check(spec: ServiceSpec) -> bool:
    return spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"


def _with_cluster_ips(old: Service, new: Service) -> ServiceSpec:
    """The old addresses and families; the first of each may never change."""
    had, asked = _ips(old.spec), _ips(new.spec)
    if not had:
        return new.spec
    if asked and _canonical(asked[0]) != _canonical(had[0]):
        _refuse(new, "spec.clusterIP", f"may not change from {had[0]} to {asked[0]}")
    families = new.spec.ip_families or old.spec.ip_families
    if old.spec.ip_families and families and families[0] != old.spec.ip_families[0]:
        _refuse(new, "spec.ipFamilies[0]", "the primary family may not change")
    ips = asked if len(asked) > 1 else had
    if new.spec.ip_family_policy == "SingleStack":
        ips, families = ips[:1], (families or ())[:1] or None
    return replace(new.spec, cluster_ip=ips[0], cluster_ips=ips, ip_families=families)


def _ips(spec: ServiceSpec) -> tuple[str, ...]:
    return spec.cluster_ips or ((spec.cluster_ip,) if spec.cluster_ip else ())


def _canonical(text: str) -> str:
    """The one spelling of an address, or "None"."""
    return text if text == "None" else canonical(text)


def _with_node_ports(
    old: tuple[ServicePort, ...], new: tuple[ServicePort, ...]
) -> tuple[ServicePort, ...]:
    """Node ports that `new` leaves open, as they were.

    1. by port and protocol, by which `kubectl apply` merges the list
    2. by name, as the API server does; none that another port of `new` has
    """
    used = {port.node_port for port in new if port.node_port}
    found = list(new)
    by_number = {(port.port, port.protocol): port.node_port for port in old}
    by_name = {port.name or "": port.node_port for port in old}
    remembered: tuple[Callable[[ServicePort], int | None], ...] = (
        lambda port: by_number.get((port.port, port.protocol)),
        lambda port: by_name.get(port.name or ""),
    )
    for recall in remembered:
        for at, port in enumerate(found):
            before = recall(port)
            if not port.node_port and before and before not in used:
                used.add(before)
                found[at] = replace(port, node_port=before)
    return tuple(found)


def _refuse_taken(changed: Mapping[Name, Service], every: Mapping[Name, Service]) -> None:
    """No changed Service has an address or a node port that another one has."""
    ips: dict[str, Service] = {}
    ports: dict[int, Service] = {}
    others = [found for name, found in every.items() if name not in changed]
    for found in (*others, *changed.values()):
        for ip in map(canonical, found.cluster_ips):
            had = ips.setdefault(ip, found)
            if had is not found and sort_key(found) in changed:
                _refuse(found, "spec.clusterIP", f"{ip} is that of {had.reference}")
        for port in _numbers(found):
            holder = ports.setdefault(port, found)
            if holder is not found and sort_key(found) in changed:
                _refuse(found, "spec.ports", f"node port {port} is that of {holder.reference}")


def _numbers(service: Service) -> set[int]:
    numbers = {port.node_port for port in service.ports}
    return {number for number in (*numbers, service.spec.health_check_node_port) if number}


def _completed(
    turn: Turn, changed: Mapping[Name, Service], every: Mapping[Name, Service]
) -> list[Service]:
    """The changed Services with all that they leave open, from what no other Service has."""
    draft = turn.having(services=tuple(every[key] for key in sorted(every))).draft()
    stock = Stock.of(draft)
    made = []
    for found in in_order(changed[key] for key in sorted(changed)):
        done = _one_completed(found, stock, draft.families, turn.cluster.service(*sort_key(found)))
        if is_bare(done):
            _refuse(done, "spec.clusterIP", "none left, or of no family that the cluster has")
        made.append(done)
    return made


def _one_completed(
    service: Service, stock: Stock, families: tuple[Family, ...], standing: Service | None
) -> Service:
    if is_bare(service):
        return stock.completed(service)
    if service.headless or service.spec.type == "ExternalName":
        return with_families(service, families)
    wider = _widened(service, stock)
    if standing is None and _was_observed(wider):
        return wider
    return stock.updated(wider)


def _was_observed(service: Service) -> bool:
    """True if it comes from an API: it has the families that only the API server writes.

    Then a load balancer without an address is still pending, as `complete` has it.
    """
    return bool(service.spec.ip_families and service.spec.cluster_ips)


def _widened(service: Service, stock: Stock) -> Service:
    """With a second address where it now asks for both families."""
    spec = service.spec
    if not wants_both(service) or len(service.cluster_ips) != 1 or not spec.ip_families:
        return service
    second = next((f for f in stock.families if family_name(f) != spec.ip_families[0]), None)
    pool = stock.cluster_ips.get(second) if second else None
    ip = pool.take(f"{service.namespace}/{service.name}") if pool else None
    if second is None or ip is None:
        return service
    ips = (*service.cluster_ips, ip)
    families = (spec.ip_families[0], family_name(second))
    return replace(service, spec=replace(spec, cluster_ips=ips, ip_families=families))


def _refuse(service: Service, field: str, why: str) -> NoReturn:
    raise UsageError(f"{service.reference}: {field}: {why}")
