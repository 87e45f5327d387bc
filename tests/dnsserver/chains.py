"""Chains in a few words, and clients for the servers that serve them."""

import socket
from collections import Counter
from collections.abc import Iterable

import dns.message
import dns.query
import dns.rdatatype

from kubehop.dns.chain.blocks import Block, Surroundings
from kubehop.dns.chain.values import Answering, Asked, Upstream
from kubehop.dns.corefile import Plugin, ServerBlock
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded
from kubehop.dns.zone import ZoneData
from kubehop.dnsserver import Listen, Server
from kubehop.model.changes import Change

LOOPBACK = Listen("127.0.0.1", 0)
ZONE = "cluster.local."


class Names:
    """A chain that knows addresses by name, denies the rest, and may forward one zone.

    `seen` counts what got as far as the chain, by name and type.
    """

    def __init__(self, names: dict[str, Iterable[str]], *upstreams: str, **wish: object) -> None:
        self.names = {folded(name): tuple(found) for name, found in names.items()}
        self.upstreams, self.wish = upstreams, wish
        self.seen: Counter[tuple[str, str]] = Counter()
        self.clients: set[str] = set()
        self.touched: frozenset[str] = frozenset()
        self.waiting_for: tuple[str, ...] = ()
        self.serial = 0
        self._block: Block | None = None

    def with_loadbalance(self) -> "Names":
        plugins = (Plugin(name="loadbalance"),)
        around = Surroundings(ZoneData(), self.answer, (), (), lambda server: 0)
        self._block = Block(ServerBlock(keys=(), plugins=plugins), around)
        return self

    def answer(self, asked: Asked, now: float) -> Answering:
        question = asked.question
        self.seen[question.name, question.type] += 1
        self.clients.add(asked.client)
        if not self.is_static(question):
            wish = Upstream(question, self.upstreams, **self.wish)  # type: ignore[arg-type]
            return (yield wish) or Reply(Rcode.SERVFAIL)
        if question.name.startswith("fault."):
            raise ZeroDivisionError
        kind = "AAAA" if question.type == "AAAA" else "A"
        found = [
            Record(question.name, 30, kind, address)
            for address in self.names.get(folded(question.name), ())
            if (":" in address) == (kind == "AAAA")
        ]
        if question.type == kind and found:
            return Reply(Rcode.NOERROR, tuple(found), authoritative=True)
        rcode = Rcode.NOERROR if folded(question.name) in self.names else Rcode.NXDOMAIN
        return Reply(rcode, authority=(soa(question.name),), authoritative=True)

    def is_static(self, question: Question, port: int = 0) -> bool:
        return not question.name.endswith("example.com.")

    def lasts(self, asked: Asked, now: float) -> float:
        return now

    def owner_of(self, name: str) -> str:
        return folded(name)

    def block(self, question: Question, port: int = 0) -> Block | None:
        return self._block

    def apply(self, change: Change) -> frozenset[str]:
        for _, _, name in change.gone:
            self.names.pop(name)
        return self.touched

    def unready(self) -> tuple[str, ...]:
        return self.waiting_for


def soa(name: str) -> Record:
    zone = name[-len(ZONE) :] if folded(name).endswith(ZONE) else ZONE
    data = f"ns.dns.{zone} hostmaster.{zone} 1767225600 7200 1800 86400 30"
    return Record(zone, 30, "SOA", data)


def question(name: str, type: str = "A", payload: int = 0) -> dns.message.Message:
    return dns.message.make_query(name, type, use_edns=0 if payload else False, payload=payload)


def udp(
    server: Server,
    name: str,
    type: str = "A",
    *,
    payload: int = 0,
    host: str = "127.0.0.1",
    listener: int = 0,
) -> dns.message.Message:
    """What the server says over UDP, checked by dnspython to be a reply to the question."""
    asked = question(name, type, payload)
    return dns.query.udp(asked, host, port=server.ports[listener], timeout=5)


def tcp(server: Server, name: str, type: str = "A") -> dns.message.Message:
    return dns.query.tcp(question(name, type), "127.0.0.1", port=server.ports[0], timeout=5)


def addresses(reply: dns.message.Message) -> list[str]:
    return [str(rdata) for rrset in reply.answer for rdata in rrset]


def connected(server: Server) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", server.ports[0]), timeout=5)
    sock.settimeout(5)
    return sock


def framed(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def received(sock: socket.socket) -> bytes:
    """The next message on a TCP connection, b"" if it was closed."""
    length = exactly(sock, 2)
    return exactly(sock, int.from_bytes(length, "big")) if length else b""


def exactly(sock: socket.socket, count: int) -> bytes:
    octets = b""
    while len(octets) < count:
        more = sock.recv(count - len(octets))
        if not more:
            return b""
        octets += more
    return octets
