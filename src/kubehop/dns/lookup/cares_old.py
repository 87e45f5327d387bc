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
    Status,
    Transport,
    addresses,
    canonical,
)
from kubehop.dns.lookup.together import together
from kubehop.dns.message import Kind, Question
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.values import Option, ResolvConf


@dataclass(slots=True)
class _Channel:
    conf: ResolvConf
    now: float = 0.0
    turn: int = 0


@dataclass(slots=True)
class _State:
    server: int
    tries: int = 0
    tcp: bool = False
    why: str = ""
    skipped: set[int] = field(default_factory=set)
    spoken_tcp: set[int] = field(default_factory=set)


def lookup(
    name: str, conf: ResolvConf, hosts: Hosts, types: tuple[str, ...] = ("A", "AAAA")
) -> Machine:
    """Look `name` up as ares_getaddrinfo() does."""
    listed = from_files(name, hosts, types, Matching.FOLDED, strict=True)
    if listed is not None:
        return listed
    if name == "localhost":
        loopback = ("::1",) * ("AAAA" in types) + ("127.0.0.1",) * ("A" in types)
        return Outcome(Status.FOUND, loopback, name)
    channel, error, nodata = _Channel(conf), "ENOTFOUND", False
    for candidate in in_order(name, conf.search, conf.ndots):
        if not candidate.sendable:
            return ERRORS["EBADNAME"]
        ended = yield from together([_query(channel, candidate, kind) for kind in types])
        replies = [e.reply for e in ended]
        if addresses(*replies):
            return Outcome(Status.FOUND, addresses(*replies), canonical(*replies))
        error = ended[-1].error or "ENODATA"
        nodata = nodata or error == "ENODATA"
        if error not in ("ENOTFOUND", "ENODATA"):
            return ERRORS[error]
    return ERRORS["ENODATA" if nodata else error]


def _query(channel: _Channel, candidate: Candidate, kind: str) -> Generator[Ask, Heard, Ended]:
    """One question until a server answers it or all tries are spent."""
    question, state = Question(candidate.name, kind), _State(channel.turn, why=candidate.why)
    if channel.conf.has(Option.ROTATE):
        channel.turn = (channel.turn + 1) % len(channel.conf.nameservers)
    error = "ECONNREFUSED"
    while True:
        query = _send(channel, state, question)
        deadline = channel.now + float(channel.conf.timeout << _round(channel, state))
        ask: tuple[Query, ...] = (query,)
        while True:
            heard = yield Ask(ask, deadline)
            ask, channel.now = (), heard.now
            if heard.query in (None, query):
                break
        reply = heard.reply
        if reply is not None and reply.truncated and query.transport is Transport.UDP:
            state.tcp, state.why = True, "over TCP: the reply was truncated"
            continue
        if reply is not None and reply.kind not in (Kind.SERVFAIL, Kind.REFUSED):
            none = {Kind.NXDOMAIN: "ENOTFOUND", Kind.NODATA: "ENODATA"}.get(reply.kind, "")
            return Ended(question, reply, none)
        if heard.query is None:
            error = "ETIMEOUT"
        elif len(channel.conf.nameservers) > 1:
            state.skipped.add(state.server)
        if not _next_server(channel, state):
            return Ended(question, None, error)
        state.why = f"again: no usable reply from {query.server} ({candidate.why})"


def _round(channel: _Channel, state: _State) -> int:
    return min(state.tries // len(channel.conf.nameservers), 16)


def _send(channel: _Channel, state: _State, question: Question) -> Query:
    if state.tcp:
        state.spoken_tcp.add(state.server)
    transport = Transport.TCP if state.tcp else Transport.UDP
    return Query(question, channel.conf.nameservers[state.server], state.why, transport)


def _next_server(channel: _Channel, state: _State) -> bool:
    """next_server(): a TCP connection that stayed silent is never used again for a query."""
    count = len(channel.conf.nameservers)
    while True:
        state.tries += 1
        if state.tries >= count * channel.conf.attempts:
            return False
        state.server = (state.server + 1) % count
        spoken = state.tcp and state.server in state.spoken_tcp
        if state.server not in state.skipped and not spoken:
            return True
