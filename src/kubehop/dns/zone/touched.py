"""Which names a change of the data may have given other answers."""

from collections.abc import Iterable, Iterator

from kubehop.dns.corefile.zones import is_reverse
from kubehop.dns.names import reverse
from kubehop.dns.zone.answer import KubernetesZone
from kubehop.dns.zone.backends import kind_of
from kubehop.dns.zone.data import Name, Touched
from kubehop.dns.zone.grammar import labels
from kubehop.dns.zone.reverse import address_of

EVERYTHING = frozenset({"."})


def names(zone: KubernetesZone, touched: Touched) -> frozenset[str]:
    """Owners (`owner_of`) whose names may be answered otherwise; "." if all may be.

    ExternalNames and endpoints that point to a changed name count too, and what points to those.
    """
    if touched.namespaces or _serves(zone, touched):
        return EVERYTHING
    found = set(_direct(zone, touched))
    fresh: Iterable[str] = tuple(found)
    while fresh:
        aliases = (zone.data.aliases.get(target, ()) for target in fresh)
        pointing = {service for sources in aliases for service, _ in sources}
        fresh = {name for name in _services(zone, pointing) if name not in found}
        found.update(fresh)
    return frozenset(found)


def owner_of(name: str, zone: str) -> str:
    """The name that stands for `name` in `names`, both folded: its Service's or its pod's.

    An endpoint's name and a port's belong to their Service, a reverse name to its address.
    """
    parts = labels(name, zone)
    if parts[-1:] not in (["svc"], ["pod"]):
        # A reverse name may have labels to spare.
        address = address_of(name)
        return reverse(address) if address else name
    return f"{'.'.join(parts[-3:])}.{_of(zone)}"


def _direct(zone: KubernetesZone, touched: Touched) -> Iterator[str]:
    yield from _services(zone, touched.services)
    for address in touched.addresses:
        if kind_of(address) != "CNAME":
            yield reverse(address)
    if zone.options.pods == "verified":
        yield from (
            f"{address.replace('.', '-').replace(':', '-')}.{namespace}.pod.{_of(origin)}"
            for address, namespace in touched.pods
            for origin in zone.options.zones
        )


def _services(zone: KubernetesZone, services: Iterable[Name]) -> Iterator[str]:
    for namespace, name in services:
        for origin in zone.options.zones:
            if not is_reverse(f".{origin}"):
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
