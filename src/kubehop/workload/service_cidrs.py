"""The ranges that cluster IPs come from."""

from kubehop.model.addresses import Family, family, network
from kubehop.model.service import Service
from kubehop.workload.cidrs import smallest
from kubehop.workload.draft import Draft
from kubehop.workload.families import declared_cidrs

SERVICE_CIDR = {Family.IPV4: "10.43.0.0/16", Family.IPV6: "fd00:10:43::/112"}
USUAL_PREFIX = {Family.IPV4: 16, Family.IPV6: 112}
"""Clusters rarely use smaller ranges, so a guess from few cluster IPs is widened to this."""


def service_cidrs_step(draft: Draft) -> Draft:
    """Draft with service CIDRs: from the options, ServiceCIDR objects, or assumed."""
    given = draft.options.service_cidrs or declared_cidrs(draft.inventory)
    if given:
        return draft.having(service_cidrs=given)
    seen = [ip for service in draft.inventory.of(Service) for ip in service.cluster_ips]
    cidrs = tuple(
        _around([ip for ip in seen if family(ip) is wanted], wanted) for wanted in draft.families
    )
    how = "around the cluster IPs" if seen else "the default"
    return draft.having(f"service CIDR assumed, {how}: {', '.join(cidrs)}", service_cidrs=cidrs)


def _around(addresses: list[str], wanted: Family) -> str:
    if not addresses:
        return SERVICE_CIDR[wanted]
    found = network(smallest(addresses, wanted))
    return str(found.supernet(new_prefix=min(found.prefixlen, USUAL_PREFIX[wanted])))
