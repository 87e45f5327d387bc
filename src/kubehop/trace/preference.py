"""Which of a name's addresses a client connects to first (RFC 6724 section 6).

Of its rules those are here that tell addresses of pods and Services apart: 5 (the label of the
own address matches), 6 (precedence) and, for IPv6, 9 (the longest common prefix). glibc still has
a table like RFC 3484's: it prefers IPv6 of every kind, where the others prefer IPv4 to unique
local addresses, which is what most clusters have. Java prefers IPv4 by a switch of its own, and
musl compares prefixes of IPv4 too once it sorts, which it does where there is IPv6. glibc compares
those of one subnet; a pod's is taken to be its address alone.

Sources: glibc `posix/getaddrinfo.c`, musl `src/network/lookup_name.c`, Go `net/addrselect.go`,
c-ares `ares_sortaddrinfo.c`, Java `java.net.preferIPv6Addresses`; all but c-ares observed.
"""

import ipaddress
from dataclasses import dataclass

from kubehop.model.addresses import Family, family

BITS = 128
GO_BITS = 64
"""Go compares no more than the network part."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy table, (prefix, precedence, label) in any order, and how rule 9 is applied."""

    table: tuple[tuple[str, int, int], ...]
    bits: int = BITS
    ipv4_first: bool = False
    ipv4_too: bool = False


GLIBC = Policy(
    (
        ("::1/128", 50, 0),
        ("::/0", 40, 1),
        ("2002::/16", 30, 2),
        ("::/96", 20, 3),
        ("::ffff:0:0/96", 10, 4),
        ("fec0::/10", 40, 5),
        ("fc00::/7", 40, 6),
        ("2001::/32", 40, 7),
    )
)
RFC_6724 = Policy(
    (
        ("::1/128", 50, 0),
        ("::/0", 40, 1),
        ("::ffff:0:0/96", 35, 4),
        ("2002::/16", 30, 2),
        ("2001::/32", 5, 5),
        ("fc00::/7", 3, 13),
        ("::/96", 1, 3),
        ("fec0::/10", 1, 11),
        ("3ffe::/16", 1, 12),
    )
)
GO = Policy(RFC_6724.table, GO_BITS)
MUSL = Policy(RFC_6724.table, ipv4_too=True)
JAVA = Policy(GLIBC.table, ipv4_first=True)

POLICIES = {
    "glibc": GLIBC,
    "node": GLIBC,
    "python": GLIBC,
    "java": JAVA,
    "go": GO,
    "musl": MUSL,
}
"""By the first word of a resolver's name; the others go by the RFC's own table."""


def first(resolver: str, own: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `found`, as the resolver of that name sorts them, that may come first.

    `own` are the client's addresses. Several are left where the rules do not tell them apart:
    then the order of the answer counts, which is chance. Addresses of a family that the client
    has not got are left only if there are no others.
    """
    policy = POLICIES.get(resolver.partition("-")[0], RFC_6724)
    sorts = any(family(address) is Family.IPV6 for address in found)
    ranks = {address: _rank(policy, own, address, sorts) for address in found}
    best = max(ranks.values())
    return tuple(address for address, rank in ranks.items() if rank == best)


def _rank(policy: Policy, own: tuple[str, ...], address: str, sorts: bool) -> tuple[int, ...]:
    source = next((one for one in own if family(one) is family(address)), None)
    if source is None:
        return (0,)
    precedence, label = row(policy, address)
    is_ipv4 = family(address) is Family.IPV4
    prefer = int(policy.ipv4_first and is_ipv4)
    compared = not is_ipv4 or (policy.ipv4_too and sorts)
    alike = min(common(source, address), policy.bits) if compared else 0
    return (1, prefer, int(row(policy, source)[1] == label), precedence, alike)


def row(policy: Policy, address: str) -> tuple[int, int]:
    """Precedence and label by the longest prefix (RFC 6724 section 2.1)."""
    number = _mapped(address)
    found = [
        (network.prefixlen, precedence, label)
        for prefix, precedence, label in policy.table
        if number in (network := ipaddress.IPv6Network(prefix))
    ]
    return max(found)[1:]


def _mapped(address: str) -> ipaddress.IPv6Address:
    text = address if family(address) is Family.IPV6 else f"::ffff:{address}"
    return ipaddress.IPv6Address(text)


def common(one: str, other: str) -> int:
    """Leading bits that two addresses share, IPv4 as mapped into IPv6."""
    return BITS - (int(_mapped(one)) ^ int(_mapped(other))).bit_length()
