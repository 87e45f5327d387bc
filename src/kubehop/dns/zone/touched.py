"""Which names a change of the data may have given other answers."""

from collections.abc import Iterable, Iterator

from kubehop.dns.names import folded, reverse
from kubehop.dns.zone.answer import KubernetesZone
from kubehop.dns.zone.data import Name, Touched
from kubehop.dns.zone.find import kind_of


def names(zone: KubernetesZone, touched: Touched) -> frozenset[str]:
    """Folded names: answers at or below any of them may have changed, no others have.

    A Service's name stands for its endpoints' and ports' names. ExternalNames that point to
    a changed name count too, and what points to those. The zone's own name, which stands for
    all, is given if the servers of the zone may be others.
    """
    found = set(_direct(zone, touched))
    fresh: Iterable[str] = tuple(found)
    while fresh:
        pointing = {name for target in fresh for name in zone.data.aliases.get(target, ())}
        fresh = {name for name in _services(zone, pointing) if name not in found}
        found.update(fresh)
    return frozenset(found)


def _direct(zone: KubernetesZone, touched: Touched) -> Iterator[str]:
    forward = [z for z in zone.options.zones if z not in ("in-addr.arpa.", "ip6.arpa.")]
    yield from _services(zone, touched.services)
    for address in touched.addresses:
        if kind_of(address) != "CNAME":
            yield reverse(address)
    for namespace in touched.namespaces:
        yield from (f"{namespace}.{kind}.{_of(z)}" for z in forward for kind in ("svc", "pod"))
    if touched.namespaces and zone.options.namespaces:
        yield from zone.options.zones
    if zone.options.pods == "verified":
        yield from (
            f"{_dashed(address)}.{namespace}.pod.{_of(z)}"
            for address, namespace in touched.pods
            for z in forward
        )
    if _serves(zone, touched):
        yield from zone.options.zones


def _services(zone: KubernetesZone, services: Iterable[Name]) -> Iterator[str]:
    for namespace, name in services:
        for origin in zone.options.zones:
            yield f"{name}.{namespace}.svc.{_of(origin)}"


def _serves(zone: KubernetesZone, touched: Touched) -> bool:
    """True if CoreDNS's own endpoints, or the Services in front of them, are touched."""
    if touched.addresses.intersection(zone.own):
        return True
    slices = (zone.data.by_endpoint_ip.get(address, ()) for address in zone.own)
    services = {(n[0], zone.data.slices[n].service_name) for found in slices for n in found}
    return bool(services & touched.services)


def _of(zone: str) -> str:
    return "" if zone == "." else zone


def _dashed(address: str) -> str:
    return folded(address.replace(".", "-").replace(":", "-")).removesuffix(".")
