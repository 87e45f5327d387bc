"""What is answered before any query: addresses written as such, and the hosts file."""

from kubehop.dns.lookup.protocol import Outcome, Status
from kubehop.dns.names import reverse
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.scan import aton, dotted_quad, ipv6


def from_files(
    name: str, hosts: Hosts, types: tuple[str, ...], matching: Matching, strict: bool = False
) -> Outcome | None:
    """The outcome that needs no DNS, None if DNS is asked.

    `strict` for those to whom only four decimal parts are an address, not `127.1`.
    """
    literal = (dotted_quad if strict else aton)(name) or ipv6(name)
    if literal is not None:
        return Outcome(Status.FOUND, (literal,), name)
    listed = hosts.find(name, types, matching)
    if listed is None:
        return None
    return Outcome(Status.FOUND, listed.addresses, listed.canonical)


def is_foreign(name: str, types: tuple[str, ...]) -> bool:
    """True for an IPv6 address where only IPv4 is wanted; an IPv4-mapped one is both."""
    address = ipv6(name) if "AAAA" not in types else None
    return address is not None and not address.startswith("::ffff:")


def pointer_of(name: str) -> str | None:
    """The name that holds the PTR if `name` is an address as inet_pton() reads it."""
    address = dotted_quad(name) or ipv6(name)
    return reverse(address) if address is not None and "%" not in address else None
