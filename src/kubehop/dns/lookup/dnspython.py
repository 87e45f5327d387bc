"""dnspython's Resolver.resolve(name, search=True) (`dns/resolver.py`, 2.x): A only.

Two seconds for a try, five for the lookup; when all servers were silent, a pause that doubles
(0.1 s at first) and all again. SERVFAIL, REFUSED and a closed TCP port take a server out; ICMP is
not heard. NODATA ends it.
"""

from collections.abc import Generator
from dataclasses import dataclass

from kubehop.dns.lookup.candidates import Candidate, Unfit, in_order, unfit
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
from kubehop.dns.resolv.hosts import Hosts
from kubehop.dns.resolv.values import Option, ResolvConf

LIFETIME, BACKOFF, MAX_BACKOFF, PAYLOAD = 5.0, 0.1, 2.0, 1232


@dataclass(slots=True)
class _Run:
    conf: ResolvConf
    now: float = 0.0
    over: bool = False


_WORDS = {
    Unfit.EMPTY_LABEL: "A DNS label is empty.",
    Unfit.LONG_LABEL: "A DNS label is > 63 octets long.",
    Unfit.LONG_NAME: "A DNS name is > 255 octets long.",
}


def lookup(name: str, conf: ResolvConf, hosts: Hosts, types: tuple[str, ...] = ("A",)) -> Machine:
    """Look `name` up; the hosts file is not consulted."""
    del hosts
    if conf.unusable:
        return Outcome(Status.FAILED, text=conf.unusable)
    run, kind = _Run(conf), types[0]
    for candidate in in_order(name, conf.search, conf.ndots):
        if not candidate.sendable:
            text = _WORDS[unfit(candidate.name) or Unfit.LONG_NAME]
            return Outcome(Status.FAILED, text=text)
        reply = yield from _resolve(run, candidate, kind)
        if run.over:
            text = f"The resolution lifetime expired after {run.now:.3f} seconds"
            return Outcome(Status.TRY_AGAIN, text=text)
        if reply is None:
            text = f"All nameservers failed to answer the query {candidate.name} IN {kind}"
            return Outcome(Status.TRY_AGAIN, text=text)
        if reply.kind is Kind.NXDOMAIN:
            continue
        if addresses(reply):
            return Outcome(Status.FOUND, addresses(reply), canonical(reply))
        text = f"The DNS response does not contain an answer to the question: {candidate.name}"
        return Outcome(Status.NO_DATA, text=text)
    return Outcome(Status.NOT_FOUND, text="None of DNS query names exist")


def _resolve(run: _Run, candidate: Candidate, kind: str) -> Generator[Ask, Heard, Reply | None]:
    """One name: a reply, or None when no server is left or the lifetime is over."""
    question, why = Question(candidate.name, kind), candidate.why
    servers, backoff, tcp = list(run.conf.nameservers), BACKOFF, False
    while servers:
        for server in tuple(servers):
            while True:
                left = LIFETIME - run.now
                if left <= 0:
                    run.over = True
                    return None
                heard, reply = yield from _exchange(
                    run, question, server, why, min(left, run.conf.timeout), tcp
                )
                if reply is None or not reply.truncated or tcp:
                    break
                tcp, why = True, "over TCP: the reply was truncated"
            tcp, why = False, f"again: no usable reply from {server} ({candidate.why})"
            if reply is not None and reply.kind not in (Kind.SERVFAIL, Kind.REFUSED):
                return reply
            if heard.query is not None:
                servers.remove(server)
        if servers:
            run.now = yield from _pause(run.now + backoff)
            backoff = min(backoff * 2, MAX_BACKOFF)
    return None


def _pause(until: float) -> Generator[Ask, Heard, float]:
    while True:
        heard = yield Ask((), until)
        if heard.query is None:
            return heard.now


def _exchange(
    run: _Run, question: Question, server: str, why: str, seconds: float, tcp: bool
) -> Generator[Ask, Heard, tuple[Heard, Reply | None]]:
    transport = Transport.TCP if tcp else Transport.UDP
    payload = PAYLOAD if run.conf.has(Option.EDNS0) else 0
    query = Query(question, server, why, transport, payload)
    ask: tuple[Query, ...] = (query,)
    deadline = run.now + seconds
    while True:
        heard = yield Ask(ask, deadline)
        ask, run.now = (), heard.now
        if heard.result is Silence.UNREACHABLE and not tcp:
            # Its socket is not connected: ICMP errors are not heard.
            continue
        if heard.query in (None, query):
            return heard, heard.reply
