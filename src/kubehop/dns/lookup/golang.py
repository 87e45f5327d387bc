"""Go's own resolver (`src/net/dnsclient_unix.go`), as in a program without cgo.

1. A trailing dot: as typed only. Enough dots: as typed, then the search list. Else the search
   list, then as typed. Nothing ends the search but addresses.
2. A and AAAA at the same time, each in a goroutine with sockets of its own; with `single-request`
   one after the other.
3. Each asks the servers in order, `attempts` rounds, `timeout` seconds each; NXDOMAIN and NODATA
   end the rounds for this name.
4. EDNS with 1232 octets; a truncated reply is asked for again over TCP.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass

from kubehop.dns.lookup.candidates import Candidate, in_order
from kubehop.dns.lookup.files import from_files, is_foreign
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
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.values import Option, ResolvConf

PAYLOAD = 1232
LONGEST = 254
"""With the trailing dot."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """A DNSError: what it says, and its kind."""

    text: str
    server: str
    status: Status


@dataclass(slots=True)
class _Client:
    conf: ResolvConf
    now: float = 0.0
    turn: int = 0


Tried = Reply | _Failure
NO_SUCH_HOST = "no such host"


def lookup(
    name: str, conf: ResolvConf, hosts: Hosts, types: tuple[str, ...] = ("A", "AAAA")
) -> Machine:
    """Look `name` up as net.LookupIP does."""
    if is_foreign(name, types):
        return Outcome(Status.FAILED, text=f"address {name}: no suitable address found")
    listed = from_files(name, hosts, types, Matching.ABSOLUTE, strict=True)
    if listed is not None:
        return listed
    if not _domain_name(name):
        return _failed(name, None)
    client, last = _Client(conf, turn=conf.first), None
    for candidate in _name_list(name, conf):
        results = yield from _both(client, candidate, types)
        replies = [result for result in results if isinstance(result, Reply)]
        for failure in results:
            # The name as typed has the last word, but one that ends in a dot is not compared so.
            if isinstance(failure, _Failure) and (last is None or candidate.name == f"{name}."):
                last = failure
        if addresses(*replies):
            return Outcome(Status.FOUND, addresses(*replies), canonical(*replies))
    return _failed(name, last)


def _domain_name(name: str) -> bool:
    """isDomainName(): other names are never asked for, nor is a number."""
    if name == ".":
        return True
    part = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    plausible = re.fullmatch(rf"{part}(?:\.{part})*\.?", name) is not None
    return plausible and re.search("[A-Za-z_-]", name) is not None


def _failed(name: str, failure: _Failure | None) -> Outcome:
    if failure is None:
        return Outcome(Status.NOT_FOUND, text=f"lookup {name}: {NO_SUCH_HOST}")
    return Outcome(failure.status, text=f"lookup {name} on {failure.server}:53: {failure.text}")


def _name_list(name: str, conf: ResolvConf) -> list[Candidate]:
    """nameList(): names that are too long, and .onion (RFC 7686), are left out."""
    found = in_order(name, conf.search, conf.ndots)
    return [
        c
        for c in found
        if len(c.name) <= LONGEST and not c.name.lower().endswith(".onion.") and c.sendable
    ]


def _both(
    client: _Client, candidate: Candidate, types: tuple[str, ...]
) -> Generator[Ask, Heard, list[Tried]]:
    parts = [_try_one_name(client, Question(candidate.name, t), candidate.why) for t in types]
    single = client.conf.has(Option.SINGLE_REQUEST)
    if not single:
        return (yield from together(parts))
    results = []
    for part in parts:
        results.append((yield from part))
    return results


def _try_one_name(client: _Client, question: Question, why: str) -> Generator[Ask, Heard, Tried]:
    """tryOneName(): a reply with a record of the type, or the last failure."""
    servers, offset = client.conf.nameservers, 0
    if client.conf.has(Option.ROTATE):
        offset, client.turn = client.turn % len(servers), client.turn + 1
    failure = _Failure("no servers", "", Status.FAILED)
    again = why
    for _ in range(client.conf.attempts):
        for shift in range(len(servers)):
            server = servers[(shift + offset) % len(servers)]
            reply = yield from _exchange(client, question, server, again)
            again = f"again: no usable reply from {server} ({why})"
            if isinstance(reply, _Failure):
                failure = reply
                continue
            if reply.rcode == Rcode.NXDOMAIN:
                return _Failure(NO_SUCH_HOST, server, Status.NOT_FOUND)
            problem = _problem(reply)
            if problem:
                failure = _Failure(problem, server, Status.TRY_AGAIN)
                continue
            if not any(record.type == question.type for record in reply.answer):
                return _Failure(NO_SUCH_HOST, server, Status.NOT_FOUND)
            return reply
    return failure


def _problem(reply: Reply) -> str:
    """checkHeader(); EDNS is always sent, so an empty reply is no lame referral here."""
    return "" if reply.rcode == Rcode.NOERROR else "server misbehaving"


def _exchange(
    client: _Client, question: Question, server: str, why: str
) -> Generator[Ask, Heard, Tried]:
    """exchange(): UDP and, if truncated, TCP, each with the whole timeout."""
    only = client.conf.has(Option.USE_VC)
    for transport in (Transport.TCP,) if only else (Transport.UDP, Transport.TCP):
        query = Query(question, server, why, transport, PAYLOAD, client.conf.has(Option.TRUST_AD))
        ask: tuple[Query, ...] = (query,)
        deadline = client.now + client.conf.timeout
        while True:
            heard = yield Ask(ask, deadline)
            ask, client.now = (), heard.now
            if heard.query is None:
                text = f"read {transport}: i/o timeout"
                return _Failure(text, server, Status.TRY_AGAIN)
            if heard.query is query:
                break
        if heard.reply is None:
            udp, tcp = "read udp: read: connection refused", f"dial tcp {server}:53: connect: "
            text = udp if transport is Transport.UDP else f"{tcp}connection refused"
            return _Failure(text, server, Status.TRY_AGAIN)
        if not heard.reply.truncated or transport is Transport.TCP:
            return heard.reply
        why = "over TCP: the reply was truncated"
    raise AssertionError("TCP is always last")
