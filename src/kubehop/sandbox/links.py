"""Network interfaces from what the kernel answers to RTM_GETLINK; decoding only, no socket.

linux/if_link.h. Words are those of ip(8), see `sandbox.words`.
"""

import struct
from collections.abc import Iterable

from msgspec.structs import replace

from kubehop.linux.netlink import Request, attribute, attributes
from kubehop.sandbox.fields import Fields, address, fields, number, signed, string, text
from kubehop.sandbox.values import Interface
from kubehop.sandbox.words import (
    GROUPS,
    LINK_FLAGS,
    LINK_TYPES,
    LINK_TYPES_OF_IPV4,
    LINK_TYPES_OF_IPV6,
    STATES,
    unknown,
    word,
    words,
)

_NEWLINK, _GETLINK = 16, 18
_LINK = struct.Struct("=BxHiII")
_ADDRESS, _BROADCAST, _NAME, _MTU, _LINK_INDEX, _QDISC = 1, 2, 3, 4, 5, 6
_MASTER, _QUEUE_LENGTH, _STATE, _INFO, _GROUP, _EXT_MASK = 10, 13, 16, 18, 27, 29
_LINK_NAMESPACE, _NAMES, _OTHER_NAME, _PERMANENT = 37, 52, 53, 54
_INFO_KIND = 1
_SKIP_STATISTICS = 1 << 3
_UP, _POINT_TO_POINT, _RUNNING = 0x1, 0x10, 0x40

Message = tuple[int, bytes]
"""Its type, and what follows the header."""

LINKS = Request(
    _GETLINK,
    0,
    _LINK.pack(0, 0, 0, 0, 0) + attribute(_EXT_MASK, struct.pack("=I", _SKIP_STATISTICS)),
)
"""Dumps all interfaces."""


def interfaces(messages: Iterable[Message]) -> tuple[Interface, ...]:
    """Those in a dump, in its order, without their addresses. Messages of other types are left."""
    found = [
        _interface(body) for type, body in messages if type == _NEWLINK and len(body) >= _LINK.size
    ]
    flags = {interface.index: interface.flags for interface in found}
    return tuple(_below_down(interface, flags) for interface in found)


def by_index(messages: Iterable[Message]) -> dict[int, Message]:
    """The messages of a dump by the index of their interface: whoever needs few decodes few."""
    return {
        _LINK.unpack_from(body)[2]: (type, body)
        for type, body in messages
        if type == _NEWLINK and len(body) >= _LINK.size
    }


def _interface(body: bytes) -> Interface:
    _, type, index, flags, _ = _LINK.unpack_from(body)
    found = fields(body[_LINK.size :])
    mac = _mac(type, found.get(_ADDRESS))
    permanent = _mac(type, found.get(_PERMANENT))
    return Interface(
        name=text(found, _NAME),
        index=index,
        kind=text(fields(found.get(_INFO, b"")), _INFO_KIND),
        flags=_flags(flags),
        mtu=number(found, _MTU),
        qdisc=text(found, _QDISC),
        state=_state(found),
        group=word(GROUPS, number(found, _GROUP) or 0),
        queue_length=number(found, _QUEUE_LENGTH),
        link_type=LINK_TYPES.get(type, f"[{type}]"),
        mac=mac,
        broadcast=_mac(type, found.get(_BROADCAST)),
        link=number(found, _LINK_INDEX),
        link_namespace=signed(found, _LINK_NAMESPACE),
        master=number(found, _MASTER),
        permanent_mac=permanent if permanent != mac else "",
        other_names=_other_names(found),
    )


def _flags(flags: int) -> tuple[str, ...]:
    """NO-CARRIER is no flag of the kernel's: it is up and does not run."""
    lost = ("NO-CARRIER",) if flags & _UP and not flags & _RUNNING else ()
    rest = unknown(LINK_FLAGS, flags & ~_RUNNING)
    return (*lost, *words(LINK_FLAGS, flags), *([f"{rest:x}"] if rest else ()))


def _below_down(interface: Interface, flags: dict[int | None, tuple[str, ...]]) -> Interface:
    """M-DOWN says that the one below, of the same namespace, is not up."""
    below = interface.link if interface.link_namespace is None else None
    if not below or "UP" in flags.get(below, ()):
        return interface
    return replace(interface, flags=(*interface.flags, "M-DOWN"))


def _state(found: Fields) -> str:
    state = number(found, _STATE)
    if state is None:
        return ""
    return STATES[state] if state < len(STATES) else hex(state)


def _mac(type: int, octets: bytes | None) -> str:
    if octets and len(octets) == 4 and type in LINK_TYPES_OF_IPV4:
        return address(octets)
    if octets and len(octets) == 16 and type in LINK_TYPES_OF_IPV6:
        return address(octets)
    return (octets or b"").hex(":") if octets else ""


def _other_names(found: Fields) -> tuple[str, ...]:
    listed = attributes(found.get(_NAMES, b""))
    return tuple(string(octets) for type, octets in listed if type == _OTHER_NAME)
