"""musl's getaddrinfo() (`lookup_name.c`, `res_msend.c`), three generations.

1. A trailing dot or enough dots: as typed only, the search list is never a second chance.
2. Else the search list, then as typed, until the first outcome that is not NXDOMAIN: NODATA,
   SERVFAIL and silence end the search.
3. All servers are asked at the same moment, the first usable reply counts. SERVFAIL is answered
   with the same query again, twice for each question and round; other errors are not heard.
4. `timeout` is the time for all rounds together, `attempts` the number of rounds.
5. Since 1.2.1 an error for A or for AAAA is an error for the name; since 1.2.4 a truncated reply
   is asked for again over TCP, before it is taken as it is.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from kubehop.dns.lookup.candidates import (
    Candidate,
    dots,
    enough_dots,
    rooted,
    searched,
    too_few_dots,
)
from kubehop.dns.lookup.files import from_files
from kubehop.dns.lookup.protocol import (
    Ask,
    Heard,
    Machine,
    Outcome,
    Query,
    Status,
    Transport,
    addresses,
    canonical,
)
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import absolute
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.values import ResolvConf

MAX_ADDRESSES = 48
LONGEST = 255
MILLISECOND = 0.001
"""What musl's clock counts in: a round that is due when the time is up is not sent."""
LATE = 1.001
"""How late Linux lets poll() be: a thousandth. So three rounds, not four, fill 5 seconds."""
USABLE = (Rcode.NOERROR, Rcode.NXDOMAIN)


@dataclass(frozen=True, slots=True)
class Version:
    """What a generation of musl does; the newest by default."""

    strict: bool = True
    """An error for A or AAAA is an error for the name (1.2.1)."""
    tcp: bool = True
    """A truncated reply is asked for again over TCP (1.2.4)."""
    nodata: bool = True
    """NODATA has an error of its own (1.2.4)."""
    skips: bool = True
    """A candidate that cannot be sent counts as NXDOMAIN (1.2.4), before it is an error."""
    room: int = 4800
    """Octets of a reply that are read: 768 in 1.2.4, what fits UDP before."""
    records: int = 0
    """The most records, its question included, that a reply is read with (before 1.2.5), 0: all."""


NEWEST = Version()
ONLY_1_2_4 = Version(room=768, records=64)
"""A name with more than 63 addresses has none, one with 46 to 63 has 45 or so."""
SINCE_1_2_1 = Version(tcp=False, nodata=False, skips=False)
SINCE_1_1_13 = Version(strict=False, tcp=False, nodata=False, skips=False)

NOT_FOUND = Outcome(Status.NOT_FOUND, text="Name does not resolve")
NO_DATA = Outcome(Status.NO_DATA, text="Name has no usable address")
TRY_AGAIN = Outcome(Status.TRY_AGAIN, text="Try again")
FAILED = Outcome(Status.FAILED, text="Non-recoverable error")
CRASH = Outcome(Status.CRASHES, text="Floating point exception")


def lookup(
    name: str,
    conf: ResolvConf,
    hosts: Hosts,
    version: Version,
    types: tuple[str, ...] = ("A", "AAAA"),
) -> Machine:
    """Look `name` up as getaddrinfo() does."""
    listed = from_files(name, hosts, types, Matching.EXACT)
    if listed is not None:
        return listed
    return (yield from resolve(Exchange(conf, version), name, types))


def resolve(exchange: "Exchange", name: str, types: tuple[str, ...]) -> Machine:
    """The DNS part: candidates until one is more than NXDOMAIN."""
    stripped = name.removesuffix(".")
    if not 0 < len(name) < LONGEST or stripped in ("", ".") or stripped.endswith("."):
        return NOT_FOUND
    for candidate in candidates(name, exchange.conf):
        if not candidate.sendable:
            if exchange.version.skips:
                continue
            if candidate.name.endswith(".."):
                # Before 1.2.4 this becomes a packet that no server can read.
                yield from exchange.wait()
                return TRY_AGAIN
            return NOT_FOUND
        questions = tuple(Question(candidate.name, kind) for kind in types)
        replies = yield from exchange.ask(questions, candidate.why)
        if exchange.crashed:
            return CRASH
        outcome = _judge(replies, exchange.version)
        if outcome is not None:
            return outcome
    return NOT_FOUND


def candidates(name: str, conf: ResolvConf) -> list[Candidate]:
    """The names to try; a domain that makes the name too long is passed over."""
    if name.endswith("."):
        return [rooted(name)]
    if dots(name) >= conf.ndots:
        return [enough_dots(name, conf.ndots)]
    short = [d for d in conf.search if len(d) < LONGEST - len(name)]
    return [*(_as_joined(c, name) for c in searched(name, short)), too_few_dots(name, conf.ndots)]


def _as_joined(candidate: Candidate, name: str) -> Candidate:
    """musl joins with a dot and no more: the search domain `.` makes `name..`, which is nothing."""
    root = candidate.name == absolute(name)
    return Candidate(f"{name}..", candidate.why) if root else candidate


def _judge(replies: tuple[Reply | None, ...], version: Version) -> Outcome | None:
    """name_from_dns(): an outcome, or None for the next candidate."""
    if version.strict:
        for reply in replies:
            error = _error(reply)
            if error is not None:
                return error if error is not NOT_FOUND else None
    # The AAAA records are parsed first since 1.2.4; sorting follows either way.
    found = addresses(*(_read(reply, version) for reply in replies))[:MAX_ADDRESSES]
    if found:
        return Outcome(Status.FOUND, found, canonical(*replies))
    if not version.strict:
        error = _error(replies[0])
        if error is not None:
            return error if error is not NOT_FOUND else None
    return NO_DATA if version.nodata else Outcome(Status.NO_DATA, text=NOT_FOUND.text)


HEADER, QUESTION, RECORD = 12, 4, 12
OCTETS = {"A": 4, "AAAA": 16}


def _read(reply: Reply | None, version: Version) -> Reply | None:
    """__dns_parse(): as far as the buffer goes, if it is not refused whole."""
    if reply is None or (version.records and 1 + len(reply.answer) > version.records):
        return None
    left = version.room - HEADER - QUESTION
    fitting: list[Record] = []
    for record in reply.answer:
        # The question's name comes once, then there are pointers to it.
        left -= RECORD + OCTETS.get(record.type, len(record.data) + 1)
        left -= 0 if fitting else len(record.name) + 1
        if left < 0:
            break
        fitting.append(record)
    return replace(reply, answer=tuple(fitting))


def _error(reply: Reply | None) -> Outcome | None:
    if reply is None:
        return TRY_AGAIN
    return NOT_FOUND if reply.rcode == Rcode.NXDOMAIN else None


@dataclass(slots=True)
class Exchange:
    """__res_msend_rc(): questions to all servers at once, until all are answered or time is up."""

    conf: ResolvConf
    version: Version
    now: float = 0.0
    crashed: bool = False
    _live: list[Query] = field(default_factory=list)
    _found: dict[Question, Reply] = field(default_factory=dict)
    _over_tcp: set[Question] = field(default_factory=set)
    _retries: int = 0

    def ask(
        self, questions: tuple[Question, ...], why: str
    ) -> Generator[Ask, Heard, tuple[Reply | None, ...]]:
        """The reply for each question, None where none was usable."""
        if self.conf.attempts == 0:
            self.crashed = True
            return (None,) * len(questions)
        self._live, self._found, self._over_tcp = [], {}, set()
        interval = self.conf.timeout * 1000 // self.conf.attempts / 1000
        end, due, again = self.now + self.conf.timeout, self.now, why
        sending: list[Query] = []
        while end - self.now > MILLISECOND and len(self._found) < len(questions):
            if self.now >= due:
                sending += self._round(questions, again)
                due, self._retries = self.now + interval * LATE, 2 * len(questions)
                again = f"again: no usable reply in {interval:g} s"
            heard = yield Ask(tuple(sending), min(due, end))
            sending, self.now = [], heard.now
            if heard.query is not None and heard.query in self._live:
                further = self._hear(heard.query, heard.reply)
                if further is None:
                    break
                sending = further
        return tuple(self._found.get(question) for question in questions)

    def _hear(self, query: Query, reply: Reply | None) -> list[Query] | None:
        """What is sent in return; None gives the exchange up: what is complete counts."""
        question, usable = query.question, reply is not None and reply.rcode in USABLE
        if question in self._found:
            return []
        if query.transport is Transport.TCP:
            if not usable or reply is None:
                return None
            self._found[question] = reply
        elif reply is None or question in self._over_tcp:
            # ICMP errors are not heard, and the truncated question is TCP's by now.
            return []
        elif reply.rcode == Rcode.SERVFAIL and self._retries:
            self._retries -= 1
            return self._send(question, query.server, "again at once: SERVFAIL")
        elif usable and reply.truncated and self.version.tcp:
            self._over_tcp.add(question)
            why = "over TCP: the reply was truncated"
            return self._send(question, query.server, why, Transport.TCP)
        elif usable:
            self._found[question] = reply
        return []

    def wait(self) -> Generator[Ask, Heard, None]:
        """Let the time of an exchange pass."""
        end = self.now + self.conf.timeout
        while self.now < end:
            heard = yield Ask((), end)
            self.now = heard.now

    def _round(self, questions: tuple[Question, ...], why: str) -> list[Query]:
        return [
            query
            for question in questions
            if question not in self._found and question not in self._over_tcp
            for server in self.conf.nameservers
            for query in self._send(question, server, why)
        ]

    def _send(
        self, question: Question, server: str, why: str, transport: Transport = Transport.UDP
    ) -> list[Query]:
        query = Query(question, server, why, transport)
        self._live.append(query)
        return [query]
