"""From a message to its reply: by the table where it can, else through the plugin chain."""

from collections.abc import Callable
from functools import partial

from kubehop.dns.chain.values import Answering
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.wire import query
from kubehop.dns.wire.compiled import MAX_MESSAGE, addresses, compiled, fitted, turned
from kubehop.dns.wire.errors import WireError
from kubehop.dns.wire.transfer import parts
from kubehop.dns.wire.types import NUMBERS
from kubehop.dnsserver.faults import Faults
from kubehop.dnsserver.forward import Forwarder
from kubehop.dnsserver.log import Log, Logged
from kubehop.dnsserver.table import Entry, Table
from kubehop.dnsserver.tally import Kind, Kinds
from kubehop.dnsserver.values import Chain, Client, Send, Waiting

MOST_WAITING = 1000
"""Queries that may wait for upstreams at once; one more gets SERVFAIL."""

SERVFAIL = Reply(Rcode.SERVFAIL)
SPELLING_FREE = frozenset(("A", "AAAA", "TXT", "SOA"))
"""Types whose records look the same however the question is spelt: names in them point to it."""
TRANSFERS = ("AXFR", "IXFR")

OTHER = 0
"""Counted as this type are all that CoreDNS calls "other": clients cannot make new counters."""
COUNTED = frozenset(NUMBERS.values())


class Responder:
    """Answers what comes in at the listeners for one port of the Corefile."""

    def __init__(
        self,
        chain: Chain,
        port: int,
        *,
        forwarder: Forwarder,
        kinds: Kinds,
        faults: Faults,
        now: Callable[[], float],
        log: Log | None = None,
    ) -> None:
        self.chain, self.port, self.table, self.log = chain, port, Table(), log
        self.waiting = 0
        self._forwarder, self._kinds, self._faults, self._now = forwarder, kinds, faults, now

    def respond(self, message: bytes, client: Client, send: Send) -> None:
        """Send the reply to a message, at once or when upstreams have spoken."""
        asked = query.parse(message)
        if asked is None:
            client.tally.dropped += 1
        elif isinstance(asked, query.Refusal):
            self._count(client, OTHER, asked.octets)
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
            answering = self.chain.answer(waiting.asked(self.port), self._now())
            self._go_on(waiting, answering, None)
        else:
            self._reply(waiting, self._entry(waiting, SERVFAIL))

    # Through the chain

    def _go_on(self, waiting: Waiting, answering: Answering, said: Reply | None) -> None:
        """Let the chain go on with what an upstream said, until it has an answer."""
        try:
            wish = answering.send(said)
        except StopIteration as done:
            reply: Reply = done.value
        except Exception as error:
            self._faults.note(error)
            reply = SERVFAIL
        else:
            self._forwarder.ask(wish, partial(self._go_on, waiting, answering))
            return
        self.waiting -= 1
        self._done(waiting, reply)

    def _done(self, waiting: Waiting, reply: Reply) -> None:
        asked = waiting.query
        if asked.question.type in TRANSFERS and waiting.client.transport == "tcp":
            for part in parts(asked.question.name, asked.octets[-4:], reply):
                self._send(waiting, fitted(part, asked, MAX_MESSAGE))
            return
        entry = self._entry(waiting, reply)
        static = reply is not SERVFAIL and self.chain.is_static(asked.question, self.port)
        # Kept for all spellings, unless it suits no other than this one.
        if static and (asked.octets == asked.key or not entry.spelt):
            self.table.keep(asked.key, entry, present=bool(reply.answer))
        octets, kind = self._reply(waiting, entry)
        # A cache sets AA from the second time on: a reply without is not yet what it repeats.
        if not static and reply.authoritative and not entry.turning and waiting.repeatable:
            now = self._now()
            until = self.chain.lasts(waiting.asked(self.port), now)
            if until > now:
                self.table.remember_until(until, waiting.message[2:], octets[2:], kind)

    def _entry(self, waiting: Waiting, reply: Reply) -> Entry:
        """The compiled answer; SERVFAIL for what cannot be written."""
        asked, name = waiting.query, waiting.query.question.name
        try:
            answer = compiled(name, asked.octets[-4:], reply)
        except WireError as error:
            self._faults.note(error)
            return self._entry(waiting, SERVFAIL)
        data = (record.type for record in (*reply.answer, *reply.additional))
        several = len(reply.answer) > 1 and self._turns(asked.question)
        run = addresses(answer, name) if several else None
        return Entry(answer, self.chain.owner_of(name), not SPELLING_FREE.issuperset(data), run)

    def _turns(self, question: Question) -> bool:
        """True if the Corefile wants addresses in another order each time (plugin/loadbalance)."""
        block = self.chain.block(question, self.port)
        plugins = block.options.plugins if block else ()
        return any(plugin.name == "loadbalance" for plugin in plugins)

    # To the client

    def _reply(self, waiting: Waiting, entry: Entry) -> tuple[bytes, int]:
        """Send the reply; returns it with the number of its kind."""
        asked, answer = waiting.query, entry.answer
        if entry.turning:
            # The id is the client's die: no two replies need to agree on what comes first.
            answer = turned(answer, entry.turning, int.from_bytes(asked.id, "big"))
        limit = asked.limit if waiting.client.transport == "udp" else MAX_MESSAGE
        octets = fitted(answer, asked, limit)
        kind = self._send(waiting, octets)
        if entry.replies is not None and waiting.repeatable:
            self.table.remember(entry, waiting.message[2:], octets[2:], kind)
        return octets, kind

    def _send(self, waiting: Waiting, octets: bytes) -> int:
        """Send, count and log; returns the number of the reply's kind."""
        question, client = waiting.query.question, waiting.client
        type = int.from_bytes(waiting.query.key[-4:-2], "big")
        kind = self._count(client, type if type in COUNTED else OTHER, octets)
        if self.log:
            rcode, size = octets[3] & 15, len(octets)
            self.log(Logged(question, client.address, client.port, client.transport, rcode, size))
        waiting.send(octets)
        return kind

    def _count(self, client: Client, type: int, octets: bytes) -> int:
        number = self._kinds.number(Kind.of(type, octets))
        client.tally.hits[number] += 1
        client.tally.octets += len(octets)
        return number
