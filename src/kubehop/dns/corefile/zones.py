"""Zones and addresses as a Corefile writes them.

Source: `plugin/normalize.go`, `plugin/pkg/cidr`, `plugin/pkg/parse` of coredns/coredns.
"""

import ipaddress
from collections.abc import Iterable

from kubehop.dns.names import folded
from kubehop.model.addresses import IPNetwork, is_address, socket_address
from kubehop.model.errors import InputError

PORTS = {"dns": 53, "tls": 853, "quic": 853, "grpc": 443, "https3": 443, "https": 443}
"""The default port of every transport that a server block can have."""
SCHEMES = (*PORTS, "unix")
MAX_ZONES = 4096


def transport(text: str) -> tuple[str, str]:
    """What stands in front of `://`, "dns" without, and the rest."""
    scheme, found, rest = text.partition("://")
    return (scheme, rest) if found and scheme in SCHEMES else ("dns", text)


def split_zone(text: str) -> tuple[tuple[str, ...], int | None]:
    """The zones, folded and absolute, and the port of `zone[:port]` without a transport.

    A CIDR gives the reverse zones that cover it, which may be several. Raises InputError.
    """
    zone, port = text, None
    head, colon, tail = text.rpartition(":")
    if colon and not tail:
        raise InputError(f'expecting data after last colon: "{text}"')
    if colon and tail.lstrip("+-").isdecimal() and tail.isascii():
        zone, port = head, int(tail)
    if len(zone) > 255:
        raise InputError(f"specified zone is too long: {len(zone)} > 255")
    if not is_domain_name(zone):
        raise InputError(f"zone is not a valid domain name: {zone}")
    network = _network(zone)
    return ((folded(zone),) if network is None else reverse_zones(network)), port


def zones(arguments: Iterable[str], otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """The zones of a plugin: its arguments, else those of the server block.

    What is not a zone is left out without a word, as `OriginsFromArgsOrServerBlock` does.
    """
    given = list(arguments)
    return tuple(zone for text in given for zone in exact(text)) if given else otherwise


def exact(text: str) -> tuple[str, ...]:
    """The zones that `[transport://]zone[:port]` names, () if it names none."""
    try:
        return split_zone(transport(text)[1])[0]
    except InputError:
        return ()


def fall_zones(arguments: list[str]) -> tuple[str, ...]:
    """The zones of `fallthrough`, all of them without arguments."""
    return zones(arguments, ()) if arguments else (".",)


def matched(candidates: Iterable[str], name: str) -> str:
    """The longest of the zones that `name` is in, "" if none; all folded."""
    best = ""
    for zone in candidates:
        if len(zone) > len(best) and (
            zone == "." or (name.endswith(zone) and (name == zone or name[-len(zone) - 1] == "."))
        ):
            best = zone
    return best


def is_reverse(zone: str) -> bool:
    """True for a zone of addresses: `0.10.in-addr.arpa.`, not for `in-addr.arpa.` itself."""
    return zone.endswith((".in-addr.arpa.", ".ip6.arpa."))


def is_domain_name(text: str) -> bool:
    """True if `text` can be a domain name; labels may hold any character."""
    name = text.removesuffix(".")
    if not name:
        return text == "."
    return len(name.encode()) < 255 and all(0 < len(p.encode()) < 64 for p in name.split("."))


def reverse_zones(network: IPNetwork) -> tuple[str, ...]:
    """The reverse zones that cover a network: more than one if it ends inside a label."""
    size = 8 if network.version == 4 else 4
    prefix = -(-network.prefixlen // size) * size
    found = network.subnets(new_prefix=prefix) if prefix > network.prefixlen else (network,)
    return tuple(_reverse_zone(part.network_address, prefix // size) for part in found)


def _reverse_zone(address: ipaddress.IPv4Address | ipaddress.IPv6Address, labels: int) -> str:
    parts = address.reverse_pointer.split(".")
    kept = parts[len(parts) - 2 - labels :]
    return f"{'.'.join(kept)}."


def _network(text: str) -> IPNetwork | None:
    """The network of a CIDR, None for anything else."""
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def spelt_as_go(address: str) -> str:
    """`net.IP.String`: an IPv4 address that is written as an IPv6 one is an IPv4 one."""
    found = ipaddress.ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def split_address(text: str) -> tuple[str, str] | None:
    """`10.0.0.1:53` or `[fd00::1]:53` in two parts, as `net.SplitHostPort` does; None if not."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return None
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], port
    return None if ":" in host or "[" in host or "]" in host else (host, port)


def host_port(text: str, default: int) -> str | None:
    """An address with its port, `default` where it has none; None if it is no address."""
    bare = text.partition("%")[0]
    if is_address(bare):
        return socket_address(text, default)
    parts = split_address(text)
    if parts is None or not is_address(parts[0].partition("%")[0]):
        return None
    return text if parts[1] else f"{text}{default}"
