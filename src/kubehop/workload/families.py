"""Which IP families a cluster has, and which of them is primary."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from kubehop.model.addresses import Family, family
from kubehop.model.config import ServiceCIDR
from kubehop.model.inventory import Inventory
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.service import Service
from kubehop.workload.draft import Draft
from kubehop.workload.options import Options


def families_step(draft: Draft) -> Draft:
    """Draft whose `families` are found."""
    return replace(draft, families=families(draft.inventory, draft.options))


def families(inventory: Inventory, options: Options) -> tuple[Family, ...]:
    """The families of the cluster, primary first.

    1. those of the service CIDRs, if the options or ServiceCIDR objects name some
    2. those observed: of nodes, a running pod and cluster IPs, if there are nodes or such a pod
    3. where everything is from manifests: those that Services have or ask for, else IPv4
    """
    named = _of(options.service_cidrs or declared_cidrs(inventory))
    if named:
        return named
    observed, services = _of_machines(inventory), inventory.of(Service)
    if not observed:
        return _of_manifests(services)
    return _of((*observed, *(ip for service in services for ip in service.cluster_ips)))


def declared_cidrs(inventory: Inventory) -> tuple[str, ...]:
    """The CIDRs of ServiceCIDR objects, those of the one named "kubernetes" first (KEP-1880)."""
    ranges = sorted(inventory.of(ServiceCIDR), key=lambda obj: obj.name != "kubernetes")
    return tuple(cidr for obj in ranges for cidr in obj.spec.cidrs or ())


def _of_machines(inventory: Inventory) -> tuple[str, ...]:
    """Addresses that tell: those of the nodes, else of the first pod that was seen running."""
    nodes, pods = inventory.of(Node), inventory.of(Pod)
    return tuple(text for node in nodes for text in node.pod_cidrs or node.internal_ips) or next(
        (pod.addresses for pod in pods if pod.phase and pod.addresses), ()
    )


def _of(addresses: Iterable[str]) -> tuple[Family, ...]:
    """The families of addresses or CIDRs, in order of appearance."""
    return tuple(dict.fromkeys(family(address) for address in addresses))


def _of_manifests(services: tuple[Service, ...]) -> tuple[Family, ...]:
    """IPv6 is primary only if every Service that says anything puts it first."""
    asked = [wanted for service in services if (wanted := asked_families(service))]
    primaries = {wanted[0] for wanted in asked}
    dual = any(wants_both(service) for service in services)
    if primaries == {Family.IPV6}:
        return (Family.IPV6, Family.IPV4) if dual else (Family.IPV6,)
    more = (Family.IPV6,) if dual or any(Family.IPV6 in wanted for wanted in asked) else ()
    return (Family.IPV4, *more)


def asked_families(service: Service) -> tuple[Family, ...]:
    """The families that a Service has or names, primary first; () if it leaves them open."""
    if service.spec.ip_families:
        return tuple(Family(name) for name in service.spec.ip_families)
    return _of(service.cluster_ips)


def wants_both(service: Service) -> bool:
    """True if a second family is to be added where the cluster has one."""
    return service.spec.ip_family_policy in ("PreferDualStack", "RequireDualStack")


def family_name(wanted: Family) -> Literal["IPv4", "IPv6"]:
    """The family as the API's types spell it."""
    return "IPv4" if wanted is Family.IPV4 else "IPv6"
