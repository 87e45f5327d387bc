"""From a message to its reply: by the table where it can, else through the plugin chain."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from kubehop.dns.chain.blocks import Block
from kubehop.dns.chain.values import Answering, Asked
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.wire import query
from kubehop.dns.wire.compiled import MAX_MESSAGE, addresses, compiled, fitted, turned
from kubehop.dns.wire.errors import WireError
from kubehop.dns.wire.transfer import parts
from kubehop.dns.wire.types import NUMBERS
from kubehop.dnsserver.forward import Forwarder
from kubehop.dnsserver.log import Log, Logged
from kubehop.dnsserver.table import Entry, Table
from kubehop.dnsserver.tally import Kind, Kinds, Tally
from kubehop.model.changes import Change

MOST_WAITING = 1000
"""Queries that may wait for upstreams at once; one more gets SERVFAIL."""

SERVFAIL = Reply(Rcode.SERVFAIL)
SPELLING_FREE = frozenset(("A", "AAAA", "TXT", "SOA"))
"""Types whose records look the same however the question is spelt: names in them point to it."""
TRANSFERS = ("AXFR", "IXFR")

OTHER = 0
"""Counted as this type are all that CoreDNS calls "other": clients cannot make new counters."""
COUNTED = frozenset(NUMBERS.values())

Send = Callable[[bytes], None]


class Chain(Protocol):
    """What the server needs of `kubehop.dns.chain.Serving`."""

    serial: int

    def answer(self, asked: Asked, now: float) -> Answering: ...

    def is_static(self, question: Question, port: int = 0) -> bool: ...

    def owner_of(self, name: str) -> str: ...

    def block(self, question: Question, port: int = 0) -> Block | None: ...

    def apply(self, change: Change) -> frozenset[str]: ...

    def unready(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Client:
    """Who asked: IP address and port, over what, and where it is counted."""

    address: str
    port: int
    transport: query.Transport
    tally: Tally


@dataclass(frozen=True, slots=True)
class Waiting:
    """A query that has no reply yet, as it came and as it was read, and where that goes."""

    message: bytes
    query: query.Query
    client: Client
    send: Send


class Responder:
    """Answers what comes in at the listeners for one port of the Corefile."""

    def __init__(
        self,
        chain: Chain,
        port: int,
        *,
        forwarder: Forwarder,
        kinds: Kinds,
        now: Callable[[], float],
        log: Log | None = None,
    ) -> None:
        self.chain, self.port, self.table, self.log = chain, port, Table(), log
        self.waiting = self.panics = 0
        self._forwarder, self._kinds, self._now = forwarder, kinds, now

    def respond(self, message: bytes, client: Client, send: Send) -> None:
        """Send the reply to a message, at once or when upstreams have spoken."""
        asked = query.parse(message)
        if asked is None:
            client.tally.dropped += 1
        elif isinstance(asked, query.Refusal):
            self._count(client, Kind.of(OTHER, asked.octets), asked.octets)
            send(asked.octets)
        else:
            self._answer(Waiting(message, asked, client, send))

    def _answer(self, waiting: Waiting) -> None:
        asked = waiting.query
        entry = self.table.entries.get(asked.key)
        if entry and (asked.octets == asked.key or not entry.spelt):
            self._reply(waiting, entry)
        elif self.waiting < MOST_WAITING:
            self.waiting += 1
            answering = self.chain.answer(_asked(waiting, self.port), self._now())
            self._go_on(waiting, answering, None)
        else:
            self._reply(waiting, self._entry(asked, SERVFAIL))

    # Through the chain

    def _go_on(self, waiting: Waiting, answering: Answering, reply: Reply | None) -> None:
        """Let the chain go on with what an upstream said, until it has an answer."""
        try:
            wish = answering.send(reply)
        except StopIteration as done:
            self._done(waiting, done.value)
        except Exception:  # CoreDNS recovers from a plugin's panic, too
            self.panics += 1
            self._done(waiting, SERVFAIL)
        else:
            self._forwarder.ask(wish, partial(self._go_on, waiting, answering))

    def _done(self, waiting: Waiting, reply: Reply) -> None:
        self.waiting -= 1
        asked = waiting.query
        if asked.question.type in TRANSFERS and waiting.client.transport == "tcp":
            self._transfer(waiting, reply)
            return
        entry = self._entry(asked, reply)
        if reply is not SERVFAIL and self.chain.is_static(asked.question, self.port):
            self._keep(asked, entry, bool(reply.answer))
        self._reply(waiting, entry)

    def _entry(self, asked: query.Query, reply: Reply) -> Entry:
        name = asked.question.name
        try:
            answer = compiled(name, asked.octets[-4:], reply)
        except WireError:
            self.panics += 1
            return self._entry(asked, SERVFAIL)
        data = (record.type for record in (*reply.answer, *reply.additional))
        spelt = not SPELLING_FREE.issuperset(data)
        several = len(reply.answer) > 1 and self._turns(asked.question)
        run = addresses(answer, name) if several else None
        return Entry(answer, self.chain.owner_of(name), spelt, run)

    def _turns(self, question: Question) -> bool:
        """True if the Corefile wants addresses in another order each time (plugin/loadbalance)."""
        block = self.chain.block(question, self.port)
        plugins = block.options.plugins if block else ()
        return any(plugin.name == "loadbalance" for plugin in plugins)

    def _keep(self, asked: query.Query, entry: Entry, present: bool) -> None:
        """Keep it for all spellings, unless it suits no other than this one."""
        if asked.octets == asked.key or not entry.spelt:
            self.table.keep(asked.key, entry, present)

    # To the client

    def _reply(self, waiting: Waiting, entry: Entry) -> None:
        asked, answer = waiting.query, entry.answer
        if entry.turning:
            # The id is the client's die: no two replies need to agree on what comes first.
            answer = turned(answer, entry.turning, int.from_bytes(asked.id, "big"))
        limit = asked.limit if waiting.client.transport == "udp" else MAX_MESSAGE
        octets = fitted(answer, asked, limit)
        kind = self._send(waiting, octets)
        if waiting.client.transport == "udp" and asked.repeatable(waiting.message):
            self.table.remember(entry, waiting.message[2:], octets[2:], kind)

    def _transfer(self, waiting: Waiting, reply: Reply) -> None:
        asked = waiting.query
        for part in parts(asked.question.name, asked.octets[-4:], reply):
            self._send(waiting, fitted(part, asked, MAX_MESSAGE))

    def _send(self, waiting: Waiting, octets: bytes) -> int:
        """Send and count; returns the number of the reply's kind."""
        asked, client = waiting.query, waiting.client
        kind = self._count(client, Kind.of(_counted(asked), octets), octets)
        if self.log:
            rcode, size = octets[3] & 15, len(octets)
            self.log(
                Logged(asked.question, client.address, client.port, client.transport, rcode, size)
            )
        waiting.send(octets)
        return kind

    def _count(self, client: Client, kind: Kind, octets: bytes) -> int:
        number = self._kinds.number(kind)
        client.tally.hits[number] += 1
        client.tally.octets += len(octets)
        return number


def _counted(asked: query.Query) -> int:
    type = int.from_bytes(asked.key[-4:-2], "big")
    return type if type in COUNTED else OTHER


def _asked(waiting: Waiting, port: int) -> Asked:
    asked, client = waiting.query, waiting.client
    edns = asked.edns
    return Asked(
        asked.question,
        client.address,
        client.transport,
        payload=edns.payload if edns else 0,
        recursion_desired=asked.recursion_desired,
        checking_disabled=asked.checking_disabled,
        dnssec_ok=edns.dnssec_ok if edns else False,
        port=port,
        serial=asked.serial,
    )
