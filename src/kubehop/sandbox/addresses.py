"""Addresses of interfaces from what the kernel answers to RTM_GETADDR; decoding only, no socket.

linux/if_addr.h. Words are those of ip(8), see `sandbox.words`.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable
from socket import AF_INET, AF_INET6

from msgspec.structs import replace

from kubehop.linux.netlink import Request
from kubehop.sandbox.fields import address, fields, number, text
from kubehop.sandbox.values import Interface, InterfaceAddress
from kubehop.sandbox.words import ADDRESS_FLAGS, SCOPES, unknown, word

_NEWADDR, _GETADDR = 20, 22
_ADDR, _CACHE = struct.Struct("=BBBBi"), struct.Struct("=II")
_ADDRESS, _LOCAL, _LABEL, _BROADCAST, _LIFETIMES, _FLAGS, _PRIORITY = 1, 2, 3, 4, 6, 8, 9
_SECONDARY, _PERMANENT = 0x01, 0x80
_FOREVER = 0xFFFFFFFF

ADDRESSES = Request(_GETADDR, 0, _ADDR.pack(0, 0, 0, 0, 0))
"""Dumps all addresses of all families."""


def with_addresses(
    interfaces: Iterable[Interface], messages: Iterable[tuple[int, bytes]]
) -> tuple[Interface, ...]:
    """The interfaces, each with its addresses in a dump, in its order: IPv4 and IPv6 only."""
    found: dict[int | None, list[InterfaceAddress]] = defaultdict(list)
    for type, body in messages:
        if type == _NEWADDR and len(body) >= _ADDR.size and body[0] in (AF_INET, AF_INET6):
            index, its = _decoded(body)
            found[index].append(its)
    return tuple(
        replace(interface, addresses=tuple(found.get(interface.index, ())))
        for interface in interfaces
    )


def _decoded(body: bytes) -> tuple[int, InterfaceAddress]:
    family, prefix, flags, scope, index = _ADDR.unpack_from(body)
    found = fields(body[_ADDR.size :])
    # With a peer, IFA_ADDRESS is the peer's; the kernel leaves out IFA_LOCAL with plain IPv6.
    other = address(found.get(_ADDRESS))
    local = address(found.get(_LOCAL)) or other
    valid, preferred = _lifetimes(found.get(_LIFETIMES, b""))
    return index, InterfaceAddress(
        address=local,
        prefix=prefix,
        scope=word(SCOPES, scope),
        flags=_flags(family, number(found, _FLAGS) or flags),
        label=text(found, _LABEL),
        peer=other if other != local else "",
        broadcast=address(found.get(_BROADCAST)),
        valid_seconds=valid,
        preferred_seconds=preferred,
        metric=number(found, _PRIORITY),
    )


def _flags(family: int, flags: int) -> tuple[str, ...]:
    """ip's words: an address is `dynamic` that is not permanent."""
    said = []
    for bit, name in ADDRESS_FLAGS:
        if bit == _PERMANENT:
            said += [] if flags & bit else ["dynamic"]
        elif flags & bit:
            said.append("temporary" if bit == _SECONDARY and family == AF_INET6 else name)
    rest = unknown(ADDRESS_FLAGS, flags)
    return (*said, *([f"flags {rest:02x}"] if rest else ()))


def _lifetimes(octets: bytes) -> tuple[int | None, int | None]:
    """Seconds that it is valid and preferred; ifa_cacheinfo has them the other way round."""
    if len(octets) < _CACHE.size:
        return None, None
    preferred, valid = _CACHE.unpack_from(octets)
    return _seconds(valid), _seconds(preferred)


def _seconds(number: int) -> int | None:
    return None if number == _FOREVER else number
