"""A nameserver of the test: it answers from a function and keeps a log of what it was asked."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from kubehop.dns.message import Question, Record, Reply
from tests.real.namespace import Namespace

Address = tuple[str, int]
Answers = Callable[[Question], Reply | None]
"""A reply to a question, or None for silence."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One query as a server saw it; `at` on the monotonic clock in seconds."""

    question: Question
    server: str
    client: str
    transport: str
    at: float


@dataclass
class Log:
    """Queries in the order in which they arrived, at whatever server."""

    seen: list[Seen] = field(default_factory=list)

    def taken(self) -> list[Seen]:
        """What was seen since the last time."""
        found, self.seen = self.seen, []
        return found


@contextmanager
def nameserver(
    address: Address, answers: Answers, inside: Namespace, log: Log | None = None
) -> Iterator[Log]:
    """Serve UDP and TCP at an address inside until the body ends."""
    log = log if log is not None else Log()
    datagram, stream = inside.socket(), inside.socket(kind=socket.SOCK_STREAM)
    with datagram, stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        datagram.bind(address)
        stream.bind(address)
        stream.listen(64)
        loops = [
            threading.Thread(target=loop, args=(wire, answers, log))
            for loop, wire in ((_datagrams, datagram), (_connections, stream))
        ]
        for loop in loops:
            loop.start()
        try:
            yield log
        finally:
            for wire in (datagram, stream):
                with contextlib.suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)
            for loop in loops:
                loop.join()


def _datagrams(wire: socket.socket, answers: Answers, log: Log) -> None:
    while True:
        query, client = wire.recvfrom(65535)
        if not query:
            return
        reply = _handled(query, "udp", wire.getsockname(), client, answers, log)
        if reply:
            wire.sendto(reply, client)


def _connections(listener: socket.socket, answers: Answers, log: Log) -> None:
    while True:
        try:
            wire, client = listener.accept()
        except OSError:
            return
        threading.Thread(target=_stream, args=(wire, client, answers, log), daemon=True).start()


def _stream(wire: socket.socket, client: Address, answers: Answers, log: Log) -> None:
    with wire, wire.makefile("rb") as read, contextlib.suppress(OSError):
        while head := read.read(2):
            query = read.read(*struct.unpack("!H", head))
            reply = _handled(query, "tcp", wire.getsockname(), client, answers, log)
            if reply:
                wire.sendall(struct.pack("!H", len(reply)) + reply)


def _handled(
    wire: bytes, transport: str, server: Address, client: Address, answers: Answers, log: Log
) -> bytes | None:
    at = time.monotonic()
    query = dns.message.from_wire(wire)
    asked = query.question[0]
    question = Question(asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype))
    log.seen.append(Seen(question, server[0], client[0], transport, at))
    reply = answers(question)
    limit = query.payload or 512 if transport == "udp" else 65535
    return encoded(query, reply, limit) if reply else None


def encoded(query: dns.message.Message, reply: Reply, limit: int) -> bytes:
    """The reply on the wire, cut to `limit` octets with TC where it is longer."""
    message = dns.message.make_response(query)
    message.set_rcode(dns.rcode.Rcode(reply.rcode))
    if reply.authoritative:
        message.flags |= dns.flags.AA
    if reply.recursive:
        message.flags |= dns.flags.RA
    message.answer = [_rrset(one) for one in reply.answer]
    message.authority = [_rrset(one) for one in reply.authority]
    message.additional = [_rrset(one) for one in reply.additional]
    while len(wire := message.to_wire(max_size=65535)) > limit:
        message.flags |= dns.flags.TC
        message.additional, message.authority = [], []
        message.answer.pop()
    return wire


def _rrset(record: Record) -> dns.rrset.RRset:
    return dns.rrset.from_text(record.name, record.ttl, "IN", record.type, record.data)
