"""What a server sent: read into a Reply."""

from dataclasses import dataclass

from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.wire import header, names, rdata
from kubehop.dns.wire.errors import WireError
from kubehop.dns.wire.types import IN, OPT, type_name, type_number

MAX_RECORDS = 20_000
"""More than fit into 64 KiB, so that counts alone cannot keep anyone busy."""


@dataclass(frozen=True, slots=True)
class Received:
    """A reply with what ties it to a query: its id and the question it repeats, None if none."""

    id: bytes
    question: Question | None
    reply: Reply


def parse(message: bytes) -> Received:
    """Read a reply; OPT records are left out. Raises WireError."""
    if len(message) < header.LENGTH:
        raise WireError("a message has at least 12 octets")
    _, flags, questions, *counts = header.COUNTS.unpack_from(message)
    if not flags & header.QR or questions > 1 or sum(counts) > MAX_RECORDS:
        raise WireError("a message that is no reply to one question")
    question, at = _question(message) if questions else (None, header.LENGTH)
    answer, at = _records(message, at, counts[0])
    authority, at = _records(message, at, counts[1])
    additional, _ = _records(message, at, counts[2])
    reply = Reply(
        _rcode(flags & header.RCODE),
        answer,
        authority,
        additional,
        authoritative=bool(flags & header.AA),
        recursive=bool(flags & header.RA),
        truncated=bool(flags & header.TC),
        size=len(message),
    )
    return Received(message[:2], question, reply)


def _rcode(number: int) -> Rcode:
    """Rcodes that no resolver tells apart count as SERVFAIL."""
    return Rcode(number) if number in Rcode.__members__.values() else Rcode.SERVFAIL


def _question(message: bytes) -> tuple[Question, int]:
    name, end = names.unpack(message, header.LENGTH)
    if end + 4 > len(message) or message[end + 2 : end + 4] != IN:
        raise WireError("a question without type, or not of class IN")
    type = type_name(int.from_bytes(message[end : end + 2], "big"))
    return Question(name, type), end + 4


def _records(message: bytes, at: int, count: int) -> tuple[tuple[Record, ...], int]:
    found = []
    for _ in range(count):
        owner, _ = names.unpack(message, at)
        (type, _, ttl), begin, at = header.record(message, at)
        if type != OPT:
            data = rdata.read(message, begin, at, type)
            found.append(Record(owner, ttl, type_name(type), data))
    return tuple(found), at


def ask(id: bytes, question: Question, flags: int, opt: bytes = b"") -> bytes:
    """The message that asks `question`; `flags` as in the header, `opt` an OPT record."""
    counts = header.COUNTS.pack(int.from_bytes(id, "big"), flags, 1, 0, 0, bool(opt))
    fixed = type_number(question.type).to_bytes(2, "big") + IN
    return counts + names.pack(question.name) + fixed + opt
