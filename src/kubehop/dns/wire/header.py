"""The twelve octets at the start of every message (RFC 1035 4.1.1), and records to step over."""

import struct

from kubehop.dns.wire.errors import WireError
from kubehop.dns.wire.names import unpack_labels

LENGTH = 12
QR, AA, TC, RD, RA, Z, AD, CD = (1 << bit for bit in (15, 10, 9, 8, 7, 6, 5, 4))
OPCODE, RCODE = 0x7800, 0x000F
QUERY, NOTIFY = 0, 4

COUNTS = struct.Struct("!6H")
"""Id, flags, and the counts of questions, answers, authority and additional records."""
RECORD = struct.Struct("!HHIH")
"""Type, class, TTL and data length of a record, after its owner."""


def opcode(flags: int) -> int:
    """The kind of query: QUERY, NOTIFY, ..."""
    return (flags & OPCODE) >> 11


def copied(flags: int) -> int:
    """The flags of a query that its reply repeats: opcode, and RD and CD of a standard query."""
    kept = flags & OPCODE
    return kept | flags & (RD | CD) if kept == QUERY else kept


def record(message: bytes, at: int) -> tuple[tuple[int, int, int], int, int]:
    """A record at `at`: (type, class, TTL), where its data begins and where it ends.

    Raises WireError if it runs out of the message.
    """
    _, fixed = unpack_labels(message, at)
    begin = fixed + RECORD.size
    if begin > len(message):
        raise WireError("a record runs out of its message")
    type, rdclass, ttl, length = RECORD.unpack_from(message, fixed)
    if begin + length > len(message):
        raise WireError("record data runs out of its message")
    return (type, rdclass, ttl), begin, begin + length


def after_record(message: bytes, at: int) -> int:
    """Where a well-formed record ends that begins at `at`."""
    while message[at] and message[at] < 192:
        at += message[at] + 1
    data = at + (2 if message[at] else 1) + RECORD.size
    return data + int.from_bytes(message[data - 2 : data], "big")
