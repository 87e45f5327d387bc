"""Which of its addresses a machine sends from, where several would do."""

from collections.abc import Iterable

from kubehop.model.addresses import contains, family, parse

_LABELS = (
    ("::1/128", 0),
    ("::/96", 3),
    ("::ffff:0:0/96", 4),
    ("2001::/32", 6),
    ("2001:10::/28", 7),
    ("2002::/16", 2),
    ("fec0::/10", 11),
    ("fc00::/7", 5),
)
"""The kernel's table (net/ipv6/addrlabel.c); everything else has _OTHER."""
_OTHER = 1


def source_for(addresses: Iterable[str], destination: str) -> str | None:
    """The source for `destination` among the addresses of one interface, or of all.

    IPv4: the first (`inet_select_addr`). IPv6: RFC 6724, rule 1, the destination itself; rule 6,
    its label; rule 8, the longest prefix in common; then the first (`ipv6_dev_get_saddr`).
    None if none is of its family.
    """
    fitting = [a for a in addresses if family(a) is family(destination)]
    if not fitting or ":" not in destination:
        return next(iter(fitting), None)
    label = _label(destination)
    return max(fitting, key=lambda a: (_label(a) == label, _in_common(a, destination)))


def _label(address: str) -> int:
    return next((label for cidr, label in _LABELS if contains(cidr, address)), _OTHER)


def _in_common(one: str, other: str) -> int:
    return 128 - (int(parse(one)) ^ int(parse(other))).bit_length()
