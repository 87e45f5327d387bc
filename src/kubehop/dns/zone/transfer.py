"""The whole zone, as a transfer lists it.

Source: `plugin/kubernetes/xfr.go`. It has neither pods nor PTR nor `dns-version`.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from kubehop.dns.message import Record
from kubehop.dns.zone.answer import KubernetesZone
from kubehop.dns.zone.backends import NO_PORT, Backend, address_kind, kind_of
from kubehop.dns.zone.nameserver import servers
from kubehop.dns.zone.records import cname, data_of
from kubehop.model.service import Service

LAST_PORT = 0xFFFF
"""A port without a number is -1, of which a record has room for 16 bits."""


def transfer(zone: KubernetesZone, origin: str, serial: int = 0) -> tuple[Record, ...]:
    """SOA, NS, everything, SOA; the SOA alone if `serial` is the zone's (IXFR).

    `origin` is the zone as the question spells it.
    """
    soa = zone.soa(origin)
    if serial and serial == zone.serial:
        return (soa,)
    glue = servers(zone.sight, zone.own, origin)
    ttl = zone.options.ttl
    names = dict.fromkeys(record.name for record in glue)
    return (
        soa,
        *(Record(origin, ttl, "NS", name) for name in names),
        *(replace(record, ttl=0) for record in glue),
        *_services(zone, origin),
        soa,
    )


def _services(zone: KubernetesZone, origin: str) -> Iterator[Record]:
    sight = zone.sight
    found = sorted(sight.data.services(), key=lambda entry: (entry[0][1], entry[0][0]))
    below = "" if origin == "." else origin
    for (namespace, name), backend, _ in found:
        service = sight.service(backend)
        if service is None or not sight.namespace_exposed(namespace):
            continue
        owner = f"{name}.{namespace}.svc.{below}"
        if service.spec.type == "ExternalName":
            host = service.spec.external_name or ""
            if kind_of(host) == "CNAME":
                yield cname(owner, host, zone.options.ttl)
        elif service.cluster_ips:
            yield from _cluster_ips(service, owner, zone.options.ttl)
        else:
            yield from _endpoints(zone, backend, owner)


def _cluster_ips(service: Service, owner: str, ttl: int) -> Iterator[Record]:
    """Addresses, and SRV at the bare name for every port, at its own for a named one."""
    for address in service.cluster_ips:
        yield _address(owner, address, ttl)
    for port in service.ports:
        data = f"0 100 {port.port} {owner}"
        yield Record(owner, ttl, "SRV", data)
        if port.name:
            named = f"_{port.name}._{port.protocol}".lower()
            yield Record(f"{named}.{owner}", ttl, "SRV", data)
    if not service.ports:
        yield Record(owner, ttl, "SRV", f"0 100 {NO_PORT & LAST_PORT} {owner}")


def _endpoints(zone: KubernetesZone, backend: Backend, owner: str) -> Iterator[Record]:
    """Each endpoint at the Service's name and at its own, and SRV for named ports."""
    ttl, ready = zone.options.ttl, zone.sight.ready(backend)
    for endpoint in ready.endpoints:
        host = f"{endpoint.label}.{owner}"
        if endpoint.kind == "CNAME":
            # Where the address is a name there is none to list, and SRV names the root.
            host = "."
        else:
            yield _address(owner, endpoint.address, ttl)
            yield _address(host, endpoint.address, ttl)
        share = math.floor(100.0 / (100.0 * endpoint.of_slice) * 100)
        for port in endpoint.ports:
            if port.name:
                data = f"0 {max(1, share)} {port.number & LAST_PORT} {host}"
                yield Record(f"_{port.name}._{port.protocol}.{owner}", ttl, "SRV", data)


def _address(owner: str, address: str, ttl: int) -> Record:
    kind = address_kind(address)
    return Record(owner, ttl, kind, data_of(address, kind))
