"""In which order a client tries a name's addresses, by where it would send from (RFC 6724).

Section 6 as glibc has it (`posix/getaddrinfo.c`, rfc3484_sort), whose rules a lookup from inside of
a pod goes by: rules 1, 2, 3, 5, 6, 8, 9 and 10. Rule 4 is for mobile nodes, rule 7 for tunnels.
`kubehop resolve` predicts the first of them by the same table (`trace.preference`).
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network

from kubehop.sandbox.values import InterfaceAddress
from kubehop.trace.preference import GLIBC, common, row

_GLOBAL = 14
_SCOPES = (
    ("127.0.0.0/8", 2),
    ("169.254.0.0/16", 2),
    ("::1/128", 2),
    ("fe80::/10", 2),
    ("fec0::/10", 5),
)
"""RFC 4291 2.7; of IPv4, RFC 6724 3.2. All else is global, multicast says its own."""


def in_order(
    addresses: Iterable[str], sources: Mapping[str, InterfaceAddress | None]
) -> tuple[str, ...]:
    """The addresses, the first to be tried first; `sources` are what each would be sent from."""
    return tuple(sorted(addresses, key=lambda one: _rank(one, sources.get(one)), reverse=True))


def _rank(address: str, source: InterfaceAddress | None) -> tuple[int, ...]:
    """Greater for what is better; equal ones stay as they are (rule 10)."""
    precedence, label = row(GLIBC, address)
    scope = _scope(address)
    if source is None:
        return 0, 0, 0, 0, precedence, -scope, 0
    own = source.address
    return (
        1,
        int(_scope(own) == scope),
        int("deprecated" not in source.flags),
        int(row(GLIBC, own)[1] == label),
        precedence,
        -scope,
        _alike(address, source),
    )


def _alike(address: str, source: InterfaceAddress) -> int:
    """Bits in common; of IPv4 only within the source's subnet."""
    if ":" in address:
        return common(address, source.address)
    subnet = ip_network(f"{source.address}/{source.prefix}", strict=False)
    inside = ip_address(address) in subnet
    return common(address, source.address) if inside else 0


def _scope(address: str) -> int:
    found = ip_address(address.partition("%")[0])
    if found.version == 6 and found.is_multicast:
        return found.packed[1] & 0xF
    return next((scope for net, scope in _SCOPES if found in ip_network(net)), _GLOBAL)
