"""What is answered before any query: addresses written as such, and the hosts file."""

from kubehop.dns.lookup.protocol import Outcome, Status
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.scan import aton, ipv6


def from_files(
    name: str, hosts: Hosts, types: tuple[str, ...], matching: Matching
) -> Outcome | None:
    """The outcome that needs no DNS, None if DNS is asked."""
    literal = aton(name) or ipv6(name)
    if literal is not None:
        return Outcome(Status.FOUND, (literal,), name)
    listed = hosts.find(name, types, matching)
    if listed is None:
        return None
    return Outcome(Status.FOUND, listed.addresses, listed.canonical)
