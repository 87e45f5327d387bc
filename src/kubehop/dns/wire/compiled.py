"""A Reply written once, and fitted to each query that asks for it.

A *compiled* answer is a whole message but for its id, as sent to a query with RD and without
EDNS over a transport without limits. `fitted` gives it the id, flags, spelling, size and OPT
record of one query: a few slices, because names in it point to the question.
"""

from dataclasses import replace
from itertools import takewhile

from kubehop.dns.message import Question, Record, Reply
from kubehop.dns.wire import header
from kubehop.dns.wire.errors import WireError
from kubehop.dns.wire.names import pack
from kubehop.dns.wire.query import Query, Transport
from kubehop.dns.wire.rdata import write
from kubehop.dns.wire.types import IN, type_number
from kubehop.dns.wire.writer import Writer

MAX_MESSAGE = 65535
"""Longest message over TCP (RFC 1035 4.2.2)."""
_ADDRESSES = tuple(type_number(type).to_bytes(2, "big") + IN for type in ("A", "AAAA"))


def compiled(name: str, fixed: bytes, reply: Reply) -> bytes:
    """`reply` to a question (its name, and type and class in octets), without the id.

    Record sections that do not fit into 64 KiB are cut off, with TC. Raises WireError for a
    record that cannot be written.
    """
    out = Writer(bytes(header.LENGTH))
    out.name(name)
    out.octets += fixed
    sections = (reply.answer, reply.authority, reply.additional)
    counts = [0, 0, 0]
    truncated = reply.truncated
    for index, record in ((i, r) for i, section in enumerate(sections) for r in section):
        before = len(out.octets)
        _write_record(out, record)
        if len(out.octets) > MAX_MESSAGE:
            del out.octets[before:]
            truncated = True
            break
        counts[index] += 1
    header.COUNTS.pack_into(out.octets, 0, 0, _flags(reply, truncated), 1, *counts)
    return bytes(out.octets[2:])


def _flags(reply: Reply, truncated: bool) -> int:
    return (
        header.QR
        | header.RD
        | (header.AA if reply.authoritative else 0)
        | (header.RA if reply.recursive else 0)
        | (header.TC if truncated else 0)
        | reply.rcode & header.RCODE
    )


def _write_record(out: Writer, record: Record) -> None:
    out.name(record.name)
    out.octets += header.RECORD.pack(type_number(record.type), 1, record.ttl, 0)
    begin = len(out.octets)
    write(out, record.type, record.data)
    length = len(out.octets) - begin
    if length > MAX_MESSAGE:
        raise WireError(f"record data of {record.name} is longer than a message")
    out.octets[begin - 2 : begin] = length.to_bytes(2, "big")


def fitted(answer: bytes, query: Query, limit: int) -> bytes:
    """The reply to `query` in at most `limit` octets, from its compiled `answer`.

    What does not fit is left out record by record from the end, with TC (as miekg/dns does).
    """
    opt = query.edns.echo if query.edns else b""
    body = header.LENGTH + len(query.octets) - 2
    if 2 + len(answer) + len(opt) > limit:
        answer, _ = shortened(answer, body, limit - len(opt))
    flags = int.from_bytes(answer[:2], "big") & ~header.RD | header.copied(query.flags)
    additional = int.from_bytes(answer[8:10], "big") + bool(opt)
    return b"".join(
        (
            query.id,
            flags.to_bytes(2, "big"),
            answer[2:8],
            additional.to_bytes(2, "big"),
            query.octets,
            answer[body:],
            opt,
        )
    )


def shortened(answer: bytes, body: int, limit: int) -> tuple[bytes, tuple[int, int, int]]:
    """The records of a compiled answer that fit, and how many of each section they are.

    `body` is where its records begin; `limit` counts the octets of the message with its id.
    """
    _, *promised = header.COUNTS.unpack_from(b"\0\0" + answer)
    left, end = [0, 0, 0], body
    for section in (index for index, n in enumerate(promised[2:]) for _ in range(n)):
        after = header.after_record(answer, end)
        if after + 2 > limit:
            flags = int.from_bytes(answer[:2], "big") | header.TC
            answer = header.COUNTS.pack(0, flags, 1, *left)[2:] + answer[10:end]
            break
        end = after
        left[section] += 1
    return answer, (left[0], left[1], left[2])


Run = tuple[int, int, int]
"""Address records one after the other: where they begin, the octets of each, how many."""


def addresses(answer: bytes, name: str) -> Run | None:
    """The addresses that end a compiled answer's answer section, if they are several of a kind."""
    count = int.from_bytes(answer[4:6], "big")
    ends = [header.LENGTH + len(pack(name)) + 4 - 2]
    for _ in range(count):
        ends.append(header.after_record(answer, ends[-1]))
    starts = ends[-2::-1]
    alike = sum(1 for _ in takewhile(lambda at: _same(answer, at, starts[0]), starts))
    size = ends[-1] - starts[0] if starts else 0
    return (ends[-1] - alike * size, size, alike) if alike > 1 else None


def _same(answer: bytes, one: int, other: int) -> bool:
    """True if two address records have one owner, by a pointer, and one type."""
    prefix = answer[one : one + 6]
    return prefix[0] >= 192 and prefix[2:] in _ADDRESSES and prefix == answer[other : other + 6]


def turned(answer: bytes, run: Run, by: int) -> bytes:
    """The same answer with its addresses turned, so that another one comes first."""
    begin, size, count = run
    first, end = begin + by % count * size, begin + size * count
    return b"".join((answer[:begin], answer[first:end], answer[begin:first], answer[end:]))


def fit(
    question: Question, reply: Reply, *, payload: int = 0, transport: Transport = "udp"
) -> Reply:
    """What of `reply` gets through: the records that fit, `truncated` and `size` as they say.

    `payload` is the EDNS payload size of the query in octets, 0 without EDNS.
    """
    fixed = type_number(question.type).to_bytes(2, "big") + IN
    answer = compiled(question.name, fixed, reply)
    opt = header.RECORD.size + 1 if payload else 0
    limit = MAX_MESSAGE if transport == "tcp" else max(512, payload)
    body = header.LENGTH + len(pack(question.name)) + len(fixed) - 2
    cut, counts = shortened(answer, body, limit - opt)
    return replace(
        reply,
        answer=reply.answer[: counts[0]],
        authority=reply.authority[: counts[1]],
        additional=reply.additional[: counts[2]],
        truncated=bool(cut[0] & header.TC >> 8),
        size=len(cut) + 2 + opt,
    )
