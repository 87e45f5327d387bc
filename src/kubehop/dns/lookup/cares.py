"""c-ares 1.34 (`ares_getaddrinfo.c`, `ares_process.c`, `ares_metrics.c`): gRPC, Node's resolver.

1. Names in the order of all others; A and AAAA at the same time, as two queries of their own.
   NXDOMAIN and NODATA go on; SERVFAIL and REFUSED only for a name of one label; silence ends it.
2. `tries` for each server; the server with the fewest failures in a row is next. The first round
   waits `timeout`, later ones twice as long each round, minus a random part up to a half.
3. After three replies from a server the time is five times their average, 250 ms at least: a
   server that has answered quickly is given up quickly.
4. With an IPv4 address at hand the AAAA query is not sent again.
5. EDNS with 1232 octets; TC: over TCP. localhost is never asked for.
6. What was answered is kept for its TTL: a name that comes again is not asked for again.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

from kubehop.dns.lookup.candidates import Candidate, in_order
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
from kubehop.dns.message import Kind, Question, Reply
from kubehop.dns.names import absolute, labels
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.values import Option, ResolvConf

PAYLOAD = 1232
MIN_TIMEOUT, MAX_TIMEOUT, AVERAGE_TIMES, ENOUGH = 0.25, 5.0, 5, 3
MAX_TTL = 3600
MOMENT = 1e-5
Jitter = Callable[[], float]
"""A number from 0 to 1: which part of the half that may be cut off is cut off."""


Chance = Callable[[], bool]


def never() -> bool:
    """What is not left to chance: each reply is dealt with as it comes."""
    return False


def middle() -> float:
    """The jitter where nobody tells: half of what may be cut off."""
    return 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """How one query ended: a reply that counts, or why there is none."""

    question: Question
    reply: Reply | None
    error: str = ""


ERRORS = {
    "ENODATA": Outcome(Status.NO_DATA, text="DNS server returned answer with no data"),
    "ENOTFOUND": Outcome(Status.NOT_FOUND, text="Domain name not found"),
    "ESERVFAIL": Outcome(Status.TRY_AGAIN, text="DNS server returned general failure"),
    "EREFUSED": Outcome(Status.FAILED, text="DNS server refused query"),
    "ETIMEOUT": Outcome(Status.TRY_AGAIN, text="Timeout while contacting DNS servers"),
    "ECONNREFUSED": Outcome(Status.TRY_AGAIN, text="Could not contact DNS servers"),
    "EBADNAME": Outcome(Status.FAILED, text="Misformatted domain name"),
}


@dataclass(slots=True)
class _Server:
    index: int
    address: str
    failures: int = 0
    count: int = 0
    total: float = 0.0

    def timeout(self, first: float) -> float:
        """ares_metrics_server_timeout(), in seconds."""
        average = self.total / self.count * AVERAGE_TIMES if self.count >= ENOUGH else first
        return min(max(average, MIN_TIMEOUT), MAX_TIMEOUT)


@dataclass(slots=True)
class _Pending:
    question: Question
    why: str
    tries: int = 0
    tcp: bool = False
    retries: bool = True
    error: str = ""
    sent: Query | None = None
    sent_at: float = 0.0
    server: _Server | None = None
    deadline: float = float("inf")

    def same_transport(self, other: "_Pending") -> bool:
        return bool(self.sent and other.sent and self.sent.transport == other.sent.transport)


@dataclass(slots=True)
class Channel:
    """ares_channel_t: servers and what is known of them."""

    conf: ResolvConf
    jitter: Jitter = middle
    payload: int = PAYLOAD
    together: Chance = never
    """Whether replies of the same moment are all read before anything is sent."""
    checks: bool = True
    """False with ARES_FLAG_NOCHECKRESP: SERVFAIL and REFUSED are replies like others."""
    now: float = 0.0
    turn: int = 0
    servers: list[_Server] = field(default_factory=list)
    cache: dict[Question, tuple[Reply, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.servers = [_Server(i, a) for i, a in enumerate(self.conf.nameservers)]

    def cached(self, question: Question) -> Reply | None:
        """ares_qcache_fetch()"""
        reply, expires = self.cache.get(_key(question), (None, 0.0))
        return reply if self.now < expires else None

    def keep(self, question: Question, reply: Reply) -> None:
        """ares_qcache_insert()"""
        self.cache[_key(question)] = (reply, self.now + _ttl(reply))

    def pick(self) -> _Server:
        """The best server; with `rotate` any of the best (here: the next one)."""
        best = min(server.failures for server in self.servers)
        candidates = [server for server in self.servers if server.failures == best]
        if not self.conf.has(Option.ROTATE):
            return candidates[0]
        self.turn += 1
        return candidates[(self.turn - 1) % len(candidates)]


def _key(question: Question) -> Question:
    return Question(question.name.lower(), question.type)


def _ttl(reply: Reply) -> int:
    """Seconds for which c-ares keeps a reply."""
    if reply.kind is Kind.NXDOMAIN:
        soas = [record for record in reply.authority if record.type == "SOA"]
        return min((min(soa.ttl, int(soa.data.split()[-1])) for soa in soas), default=0)
    records = (*reply.answer, *reply.authority, *reply.additional)
    ttls = [record.ttl for record in records if record.type not in ("SOA", "OPT")]
    return min([*ttls, MAX_TTL])


def lookup(
    name: str,
    conf: ResolvConf,
    hosts: Hosts,
    types: tuple[str, ...] = ("A", "AAAA"),
    jitter: Jitter = middle,
    together: Chance = never,
) -> Machine:
    """Look `name` up as ares_getaddrinfo() does."""
    listed = from_files(name, hosts, types, Matching.FOLDED, strict=True)
    if _is_localhost(name):
        loopback = ("::1",) * ("AAAA" in types) + ("127.0.0.1",) * ("A" in types)
        return Outcome(Status.FOUND, loopback, name)
    if listed is not None:
        return listed
    return (yield from search(Channel(conf, jitter, together=together), name, types))


def search(channel: Channel, name: str, types: tuple[str, ...]) -> Machine:
    """next_dns_lookup() and host_callback(): candidates until one ends the lookup."""
    if name.lower().removesuffix(".").endswith(".onion"):
        return ERRORS["ENOTFOUND"]
    error, nodata = "ENOTFOUND", False
    for candidate in in_order(name, channel.conf.search, channel.conf.ndots):
        if not candidate.sendable:
            return ERRORS["EBADNAME"]
        ended = yield from _ask(channel, candidate, types)
        replies = [e.reply for e in ended]
        if addresses(*replies):
            return Outcome(Status.FOUND, addresses(*replies), canonical(*replies))
        # The status of the query that ended last decides, as in the callback.
        error = ended[-1].error or "ENODATA"
        nodata = nodata or error == "ENODATA"
        single = len(labels(candidate.name)) == 1
        if not (
            error in ("ENOTFOUND", "ENODATA") or (error in ("ESERVFAIL", "EREFUSED") and single)
        ):
            return ERRORS[error]
    return ERRORS["ENODATA" if nodata else error]


def node_resolve4(name: str, conf: ResolvConf, hosts: Hosts, jitter: Jitter = middle) -> Machine:
    """Node's `dns.resolve4`: the name as it stands, A only, no hosts file, no EDNS.

    Node sets ARES_FLAG_NOCHECKRESP (`ChannelWrap::Setup`): an error is taken at once.
    """
    del hosts
    channel = Channel(conf, jitter, payload=0, checks=False)
    why = "as typed: dns.resolve4 has no search list"
    candidate = Candidate(absolute(name), why, typed=True)
    if not candidate.sendable:
        return Outcome(Status.FAILED, text=f"queryA EBADNAME {name}")
    (ended,) = yield from _ask(channel, candidate, ("A",))
    if ended.reply is not None and addresses(ended.reply):
        return Outcome(Status.FOUND, addresses(ended.reply), canonical(ended.reply))
    error = ended.error or "ENODATA"
    return Outcome(ERRORS[error].status, text=f"queryA {error} {name}")


def _is_localhost(name: str) -> bool:
    lowered = name.lower()
    return lowered == "localhost" or lowered.endswith(".localhost")


def _ask(
    channel: Channel, candidate: Candidate, types: tuple[str, ...]
) -> Generator[Ask, Heard, list[Ended]]:
    """All types of one name at the same time; how each ended, in the order of ending."""
    asked = [Question(candidate.name, kind) for kind in types]
    kept = [(question, channel.cached(question)) for question in asked]
    ended = [Ended(question, reply, _none(reply)) for question, reply in kept if reply]
    running = [_Pending(question, candidate.why) for question, reply in kept if not reply]
    sending = [_send(channel, pending) for pending in running]
    while running:
        heard = yield Ask(tuple(sending), min(pending.deadline for pending in running))
        channel.now = heard.now
        _process(channel, heard, running, ended)
        together = channel.together()
        while together and heard.query is not None:
            heard = yield Ask((), channel.now + MOMENT)
            _process(channel, heard, running, ended)
        if any(e.reply is not None and _is_a(e) and addresses(e.reply) for e in ended):
            for other in running:
                other.retries = False
        # Retries leave together, after all failures of this moment are counted.
        sending = [_send(channel, p) for p in running if p.sent is None]
    return ended


def _process(channel: Channel, heard: Heard, running: list[_Pending], ended: list[Ended]) -> None:
    """A reply for one query, an error for a connection, or the time of some is up."""
    for pending, outcome in list(_outcomes(channel, heard, running)):
        if outcome is not None:
            running.remove(pending)
            ended.append(outcome)


def _outcomes(
    channel: Channel, heard: Heard, running: list[_Pending]
) -> Iterator[tuple[_Pending, Ended | None]]:
    if heard.query is None:
        for pending in [p for p in running if p.deadline <= heard.now]:
            yield pending, _failed(channel, pending, "ETIMEOUT")
        return
    mine = next((p for p in running if p.sent is heard.query), None)
    if mine is None:
        return
    if heard.reply is not None:
        yield mine, _heard(channel, mine, heard.reply)
        return
    # The connection is closed with all that is on it, and counts as one failure.
    shared = [p for p in running if p.server is mine.server and p.same_transport(mine)]
    for number, pending in enumerate(shared):
        yield pending, _failed(channel, pending, "ECONNREFUSED", counts=number == 0)


def _is_a(outcome: Ended) -> bool:
    return outcome.question.type == "A"


def _send(channel: Channel, pending: _Pending) -> Query:
    server = channel.pick()
    first = server.timeout(float(channel.conf.timeout))
    rounds = pending.tries // len(channel.servers)
    seconds = first * 2**rounds
    if rounds:
        seconds = max(seconds - seconds * channel.jitter() * 0.5, first)
    tcp = pending.tcp or channel.conf.has(Option.USE_VC)
    query = Query(
        pending.question,
        server.address,
        pending.why,
        Transport.TCP if tcp else Transport.UDP,
        channel.payload,
    )
    pending.sent, pending.server = query, server
    pending.sent_at, pending.deadline = channel.now, channel.now + seconds
    return query


def _heard(channel: Channel, pending: _Pending, reply: Reply) -> Ended | None:
    """process_answer(): the end of a query, or None if it is sent once more."""
    server = pending.server
    assert server is not None
    if reply.truncated and pending.sent is not None and pending.sent.transport is Transport.UDP:
        pending.tcp, pending.sent = True, None
        pending.why = "over TCP: the reply was truncated"
        return None
    if reply.kind in (Kind.SERVFAIL, Kind.REFUSED):
        if channel.checks:
            return _failed(channel, pending, f"E{reply.kind}")
        return Ended(pending.question, reply, f"E{reply.kind}")
    server.failures, server.count = 0, server.count + 1
    # Milliseconds, and never none.
    server.total += max(channel.now - pending.sent_at, 0.001)
    channel.keep(pending.question, reply)
    return Ended(pending.question, reply, _none(reply))


def _none(reply: Reply) -> str:
    return {Kind.NXDOMAIN: "ENOTFOUND", Kind.NODATA: "ENODATA"}.get(reply.kind, "")


def _failed(
    channel: Channel, pending: _Pending, error: str, *, counts: bool = True
) -> Ended | None:
    """ares_requeue_query(): once more, or the end."""
    assert pending.server is not None
    pending.server.failures += counts
    pending.error, pending.tries = error, pending.tries + 1
    pending.sent, pending.deadline = None, float("inf")
    if pending.tries < len(channel.servers) * channel.conf.attempts and pending.retries:
        pending.why = f"again: {_SAID[error]} from {pending.server.address}"
        return None
    return Ended(pending.question, None, error)


_SAID = {
    "ETIMEOUT": "no reply in time",
    "ESERVFAIL": "SERVFAIL",
    "EREFUSED": "REFUSED",
    "ECONNREFUSED": "port unreachable",
}
