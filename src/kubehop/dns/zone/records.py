"""Records of each type from what a name stands for.

Source: `plugin/backend_lookup.go`.
"""

import ipaddress
import math
from collections.abc import Iterable, Sequence

from kubehop.dns.message import Record
from kubehop.dns.names import absolute
from kubehop.dns.zone.backends import NO_PORT
from kubehop.dns.zone.find import Target

REFRESH, RETRY, EXPIRE = 7200, 1800, 86400
MAX_SOA_TTL = 300


def data_of(host: str, kind: str) -> str:
    """An address in presentation form; an IPv4 address may come as an IPv6 one."""
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host)
    return str(address.ipv4_mapped if kind == "A" and address.ipv4_mapped else address)


def addresses(name: str, kind: str, targets: Iterable[Target], ttl: int) -> tuple[Record, ...]:
    """A or AAAA records; an address that several ports give counts once."""
    hosts = dict.fromkeys([target.host for target in targets if target.kind == kind])
    return tuple([Record(name, ttl, kind, data_of(host, kind)) for host in hosts])


def services(
    name: str, zone: str, targets: Sequence[Target], ttl: int
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """SRV records and the addresses of what they name.

    The weight is shared by all (endpoint, port, address) before equal ones are merged.
    """
    weight = max(1, math.floor(100.0 / (100.0 * len(targets)) * 100)) if targets else 1
    srv: dict[tuple[str, int], Record] = {}
    glue: dict[tuple[str, str], Record] = {}
    for host, kind, port, owner in targets:
        if port == NO_PORT:
            continue
        target = owner + zone if zone != "." else owner
        srv.setdefault((target, port), Record(name, ttl, "SRV", f"0 {weight} {port} {target}"))
        if (target, host) not in glue:
            glue[target, host] = Record(target, ttl, kind, data_of(host, kind))
    return tuple(srv.values()), tuple(glue.values())


def cname(name: str, host: str, ttl: int) -> Record:
    """A CNAME record; a target without trailing dot is absolute all the same."""
    return Record(name, ttl, "CNAME", absolute(host))


def soa(zone: str, serial: int, ttl: int) -> Record:
    """The zone's SOA; the negative TTL is that of every answer."""
    below = "." if zone == "." else f".{zone}"
    numbers = f"{serial} {REFRESH} {RETRY} {EXPIRE} {ttl}"
    data = f"ns.dns{below} hostmaster{below} {numbers}"
    return Record(zone, min(ttl, MAX_SOA_TTL), "SOA", data)
