"""Who serves the zone: CoreDNS finds itself among the endpoints.

Source: `plugin/kubernetes/ns.go`.
"""

from kubehop.dns.message import Record
from kubehop.dns.zone.backends import address_kind, of_slice
from kubehop.dns.zone.find import Sight
from kubehop.dns.zone.records import data_of

DEFAULT = "ns.dns."


def is_default(name: str, zone: str) -> bool:
    """True for `ns.dns.<zone>`; the zone is compared as it is spelt, the name is folded."""
    return name.startswith(DEFAULT) and name.find(zone) == len(DEFAULT)


def servers(sight: Sight, own: tuple[str, ...], zone: str) -> tuple[Record, ...]:
    """Names and addresses of the Services that CoreDNS is an endpoint of.

    `own` are its addresses; if no endpoint has one of them it is `ns.dns.<zone>`.
    """
    known = sight.data.by_endpoint_ip if sight.options.endpoints else {}
    slices = [
        name
        for address in own
        for name in known.get(address, ())
        if sight.slice_seen(sight.data.slices[name])
    ]
    if not slices:
        return tuple(_record(DEFAULT, address, zone, sight) for address in own)
    return tuple(record for name in slices for record in _of_slice(sight, name, zone))


def _of_slice(sight: Sight, name: tuple[str, str], zone: str) -> tuple[Record, ...]:
    """The cluster IPs of the slice's Service, the slice's own addresses if it has none."""
    endpoint_slice = sight.data.slices[name]
    backend = sight.data.backends.get((name[0], endpoint_slice.service_name))
    service = sight.service(backend)
    if backend is None or service is None:
        return ()
    owner = f"{service.name}.{service.namespace}.svc."
    if not service.headless:
        return tuple(_record(owner, ip, zone, sight) for ip in service.cluster_ips)
    return tuple(
        _record(f"{endpoint.label}.{owner}", endpoint.address, zone, sight)
        for endpoint in of_slice(endpoint_slice, sight.options.endpoint_pod_names)
    )


def _record(owner: str, address: str, zone: str, sight: Sight) -> Record:
    kind = address_kind(address)
    name = owner + zone if zone != "." else owner
    return Record(name, sight.options.ttl, kind, data_of(address, kind))
