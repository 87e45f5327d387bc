"""What rtnetlink's attributes hold, from octets that may be of any length."""

import sys
from socket import AF_INET, AF_INET6, inet_ntop
from typing import TypeAlias

from kubehop.linux.netlink import attributes

Fields: TypeAlias = dict[int, bytes]
_ORDER = sys.byteorder
_LENGTHS = {4: AF_INET, 16: AF_INET6}


def fields(data: bytes) -> Fields:
    """Attributes by type; of several of one type the last."""
    return dict(attributes(data))


def number(found: Fields, type: int) -> int | None:
    """An unsigned number of 1, 2 or 4 octets or more, of which 4 count; None if not there."""
    return int.from_bytes(found[type][:4], _ORDER) if found.get(type) else None


def signed(found: Fields, type: int) -> int | None:
    """The same for a signed one of 4 octets."""
    if len(found.get(type, b"")) < 4:
        return None
    return int.from_bytes(found[type][:4], _ORDER, signed=True)


def text(found: Fields, type: int) -> str:
    """A string up to its first zero; octets that are no text are escaped."""
    return string(found.get(type, b""))


def string(octets: bytes) -> str:
    """The same for octets."""
    return octets.partition(b"\0")[0].decode(errors="backslashreplace")


def address(octets: bytes | None) -> str:
    """An IP address, "" for what has another length than one."""
    family = _LENGTHS.get(len(octets or b""))
    return inet_ntop(family, octets) if family and octets else ""
