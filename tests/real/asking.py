"""Questions over sockets, and replies in a form that compares: sections as sorted lines."""

import re
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from kubehop.dns.message import Rcode, Record, Reply
from tests.real.namespace import Namespace

WAIT_SECONDS = 10.0
OLD_SERIAL = 7
_SERIAL = re.compile(r"^(\S+ \d+ IN SOA \S+ \S+) \d+")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question and how it is asked; `client` is the source address, "" for the usual one."""

    name: str
    type: str
    transport: str = "udp"
    payload: int = 0
    client: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a reply says, whoever gave it: order and the SOA's serial are no part of it."""

    rcode: str
    authoritative: bool
    recursive: bool
    truncated: bool
    answer: tuple[str, ...]
    authority: tuple[str, ...]
    additional: tuple[str, ...]


def said(reply: Reply) -> Said:
    return Said(
        Rcode(reply.rcode).name,
        reply.authoritative,
        reply.recursive,
        reply.truncated,
        _lines(reply.answer),
        _lines(reply.authority),
        _lines(reply.additional),
    )


def _lines(records: tuple[Record, ...]) -> tuple[str, ...]:
    return tuple(sorted(_SERIAL.sub(r"\1 <serial>", str(record)) for record in records))


def exchange(ask: Ask, server: tuple[str, int], inside: Namespace) -> list[Reply]:
    """Ask a server: its reply, several for a transfer, none if it says nothing."""
    query = query_bytes(ask)
    stream = ask.transport == "tcp"
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with inside.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as wire:
        wire.settimeout(WAIT_SECONDS)
        if ask.client:
            wire.bind((ask.client, 0))
        try:
            wire.connect(server)
            return list(_replies(ask, query, wire) if stream else _reply(query, wire))
        except TimeoutError:
            return []


def query_bytes(ask: Ask) -> bytes:
    """The query on the wire, its name spelt as it is."""
    edns = 0 if ask.payload else -1
    query = dns.message.make_query(ask.name, ask.type, use_edns=edns, payload=ask.payload or 1232)
    if ask.type == "IXFR":
        # What the client has already (RFC 1995 3).
        soa = f". . {OLD_SERIAL} 0 0 0 0"
        query.authority.append(dns.rrset.from_text(ask.name, 0, "IN", "SOA", soa))
    return query.to_wire()


def _reply(query: bytes, wire: socket.socket) -> Iterator[Reply]:
    wire.send(query)
    answer = wire.recv(65535)
    assert answer[:2] == query[:2]
    yield decoded(answer)


def _replies(ask: Ask, query: bytes, wire: socket.socket) -> Iterator[Reply]:
    """A transfer ends with the SOA that it began with (RFC 5936 2.2)."""
    wire.sendall(struct.pack("!H", len(query)) + query)
    with wire.makefile("rb") as stream:
        soas = 0
        while head := stream.read(2):
            reply = decoded(stream.read(*struct.unpack("!H", head)))
            yield reply
            soas += sum(record.type == "SOA" for record in reply.answer)
            if ask.type not in ("AXFR", "IXFR") or soas > 1 or reply.rcode != Rcode.NOERROR:
                return


def decoded(wire: bytes) -> Reply:
    """A reply from the wire; the OPT record is of the transport and left out."""
    message = dns.message.from_wire(wire, one_rr_per_rrset=True, ignore_trailing=False)
    return Reply(
        Rcode(message.rcode()),
        _records(message.answer),
        _records(message.authority),
        _records(message.additional),
        authoritative=bool(message.flags & dns.flags.AA),
        recursive=bool(message.flags & dns.flags.RA),
        truncated=bool(message.flags & dns.flags.TC),
        size=len(wire),
    )


def _records(section: list[dns.rrset.RRset]) -> tuple[Record, ...]:
    return tuple(
        Record(
            found.name.to_text(), found.ttl, dns.rdatatype.to_text(found.rdtype), found[0].to_text()
        )
        for found in section
    )


def difference(real: Said, ours: Said, slack: int = 0) -> str:
    """What only one of two replies says, "" if they are the same; TTLs may be `slack` apart."""
    found = []
    for field in fields(Said):
        theirs, mine = getattr(real, field.name), getattr(ours, field.name)
        if isinstance(theirs, tuple):
            theirs, mine = _unpaired(theirs, mine, slack)
        if theirs != mine:
            found.append(f"{field.name}: real {theirs}, ours {mine}")
    return "; ".join(found)


def _unpaired(
    theirs: tuple[str, ...], mine: tuple[str, ...], slack: int
) -> tuple[list[str], list[str]]:
    """The first lines of each that the other has not."""
    only_theirs, only_mine = [], list(mine)
    for line in theirs:
        pair = next((other for other in only_mine if _alike(line, other, slack)), None)
        if pair is None:
            only_theirs.append(line)
        else:
            only_mine.remove(pair)
    return only_theirs[:3], only_mine[:3]


def _alike(line: str, other: str, slack: int) -> bool:
    if line == other or not slack:
        return line == other
    (owner, ttl, rest), (owner_2, ttl_2, rest_2) = line.split(" ", 2), other.split(" ", 2)
    return (owner, rest) == (owner_2, rest_2) and abs(int(ttl) - int(ttl_2)) <= slack


def joined(replies: Iterable[Reply]) -> Reply:
    """The messages of a transfer as one."""
    first, *others = replies
    return replace(first, answer=tuple(r for one in (first, *others) for r in one.answer))
