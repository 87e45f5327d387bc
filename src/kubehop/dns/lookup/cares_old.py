"""c-ares 1.18 (`ares_getaddrinfo.c`, `ares_process.c` of 1.18.1), as in Debian 12.

Names as in 1.34, but SERVFAIL, REFUSED and silence always end the lookup. Each of A and AAAA goes
through the servers, `tries` rounds, twice as long each round; a server that gave an error or ICMP
is left out if there are others. No EDNS.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

from kubehop.dns.lookup.candidates import Candidate, in_order
from kubehop.dns.lookup.cares import ERRORS, Ended
from kubehop.dns.lookup.files import from_files
from kubehop.dns.lookup.protocol import (
    Ask,
    Heard,
    Machine,
    Outcome,
    Query,
    Silence,
    Status,
    Transport,
    addresses,
    canonical,
)
from kubehop.dns.message import Kind, Question, Reply
from kubehop.dns.names import absolute
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.values import Option, ResolvConf

AT_ONCE = 0.01
"""Seconds within which datagrams leave together."""


@dataclass(slots=True)
class _Pending:
    """struct query: which server's turn it is, and which are out."""

    question: Question
    why: str
    server: int = 0
    tries: int = 0
    tcp: bool = False
    error: str = "ECONNREFUSED"
    skipped: set[int] = field(default_factory=set)
    spoken_tcp: set[int] = field(default_factory=set)
    sent: Query | None = None
    deadline: float = 0.0


@dataclass(slots=True)
class _Channel:
    """ares_channel: the queries of one name, and what was written to each server's socket."""

    conf: ResolvConf
    now: float = 0.0
    turn: int = 0
    running: list[_Pending] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    sending: list[Query] = field(default_factory=list)
    written: dict[str, list[Query]] = field(default_factory=dict)
    written_at: float = 0.0
    moment: float = 0.0
    """Seconds within which replies are there together."""

    def first_server(self) -> int:
        server = self.turn
        if self.conf.has(Option.ROTATE):
            self.turn = (self.turn + 1) % len(self.conf.nameservers)
        return server

    def send(self, pending: _Pending) -> None:
        """ares__send_query()"""
        if pending.tcp:
            pending.spoken_tcp.add(pending.server)
        transport = Transport.TCP if pending.tcp else Transport.UDP
        address = self.conf.nameservers[pending.server]
        query = Query(pending.question, address, pending.why, transport)
        rounds = min(pending.tries // len(self.conf.nameservers), 16)
        pending.sent, pending.deadline = query, self.now + float(self.conf.timeout << rounds)
        if self.now - self.written_at > AT_ONCE:
            self.written.clear()
        self.written_at = self.now
        if transport is Transport.UDP:
            self.written.setdefault(address, []).append(query)
        self.sending.append(query)

    def next_server(self, pending: _Pending) -> None:
        """next_server(): a TCP connection that stayed silent is never used again for a query."""
        count, before = len(self.conf.nameservers), self.conf.nameservers[pending.server]
        while True:
            pending.tries += 1
            if pending.tries >= count * self.conf.attempts:
                self.end(pending, None, pending.error)
                return
            pending.server = (pending.server + 1) % count
            spoken = pending.tcp and pending.server in pending.spoken_tcp
            if pending.server not in pending.skipped and not spoken:
                pending.why = f"again: no usable reply from {before}"
                self.send(pending)
                return

    def skip(self, pending: _Pending) -> None:
        """skip_server()"""
        if len(self.conf.nameservers) > 1:
            pending.skipped.add(pending.server)

    def end(self, pending: _Pending, reply: Reply | None, error: str) -> None:
        self.running.remove(pending)
        self.ended.append(Ended(pending.question, reply, error))


def lookup(
    name: str,
    conf: ResolvConf,
    hosts: Hosts,
    types: tuple[str, ...] = ("A", "AAAA"),
    moment: float = 0.0,
) -> Machine:
    """Look `name` up as ares_getaddrinfo() does."""
    listed = from_files(name, hosts, types, Matching.FOLDED, strict=True)
    if listed is not None:
        return listed
    if name == "localhost":
        loopback = ("::1",) * ("AAAA" in types) + ("127.0.0.1",) * ("A" in types)
        return Outcome(Status.FOUND, loopback, name)
    channel, error, nodata = _Channel(conf, turn=conf.first, moment=moment), "ENOTFOUND", False
    for candidate in in_order(name, conf.search, conf.ndots):
        if not candidate.sendable or _joined_with_root(candidate, name):
            return ERRORS["EBADNAME"]
        ended = yield from _ask(channel, candidate, types)
        replies = [e.reply for e in ended]
        if addresses(*replies):
            return Outcome(Status.FOUND, addresses(*replies), canonical(*replies))
        error = ended[-1].error or "ENODATA"
        nodata = nodata or error == "ENODATA"
        if error not in ("ENOTFOUND", "ENODATA"):
            return ERRORS[error]
    return ERRORS["ENODATA" if nodata else error]


def _joined_with_root(candidate: Candidate, name: str) -> bool:
    """ares__cat_domain() joins with a dot and no more: the search domain `.` makes `name..`."""
    return not candidate.typed and candidate.name == absolute(name)


def _ask(
    channel: _Channel, candidate: Candidate, types: tuple[str, ...]
) -> Generator[Ask, Heard, list[Ended]]:
    """All types of one name at the same time; how each ended, in the order of ending."""
    running = [_Pending(Question(candidate.name, kind), candidate.why) for kind in types]
    channel.running, channel.ended, channel.sending = running, [], []
    for pending in tuple(running):
        pending.server = channel.first_server()
        channel.send(pending)
    while running:
        heard = yield Ask(tuple(channel.sending), min(p.deadline for p in running))
        channel.sending, channel.now = [], heard.now
        _process(channel, heard)
        while heard.query is not None:
            # Sockets are read until they are empty, before the errors of what is sent meanwhile.
            heard = yield Ask((), channel.now + channel.moment)
            if heard.query is not None:
                _process(channel, heard)
    return channel.ended


def _process(channel: _Channel, heard: Heard) -> None:
    if heard.query is not None:
        _hear(channel, heard)
        return
    for pending in [p for p in channel.running if p.deadline <= heard.now]:
        pending.error = "ETIMEOUT"
        channel.next_server(pending)


def _hear(channel: _Channel, heard: Heard) -> None:
    """process_answer(), or what an ICMP error or a closed TCP port leads to."""
    pending = next((p for p in channel.running if p.sent is heard.query), None)
    if heard.result is Silence.UNREACHABLE and heard.query is not None:
        _unreachable(channel, heard.query, pending)
        return
    reply = heard.reply
    if pending is None or reply is None:
        return
    if reply.truncated and not pending.tcp:
        pending.tcp, pending.why = True, "over TCP: the reply was truncated"
        channel.send(pending)
    elif reply.kind in (Kind.SERVFAIL, Kind.REFUSED):
        channel.skip(pending)
        channel.next_server(pending)
    else:
        none = {Kind.NXDOMAIN: "ENOTFOUND", Kind.NODATA: "ENODATA"}.get(reply.kind, "")
        channel.end(pending, reply, none)


def _unreachable(channel: _Channel, query: Query, pending: _Pending | None) -> None:
    """Of datagrams that leave together, the error of one meets the write() of the next.

    So the first one is waited for though nobody is there, and the second one moves on at once.
    The error of the last one is read: then all queries to this server move on.
    """
    if query.transport is Transport.UDP:
        written = channel.written.get(query.server, [])
        if query not in written:
            return
        place = written.index(query)
        if place % 2 == 0 and place + 1 < len(written):
            return
        if place % 2:
            if pending is not None:
                channel.skip(pending)
                channel.next_server(pending)
            return
    channel.written.pop(query.server, None)
    for other in [p for p in channel.running if p.sent and p.sent.server == query.server]:
        channel.skip(other)
        channel.next_server(other)
