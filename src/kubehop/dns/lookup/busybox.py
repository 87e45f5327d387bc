"""busybox's nslookup since 1.29 (`networking/nslookup.c`): a resolver of its own.

1. 1.29: the name as it stands, no search at all. 1.30 and newer: a name with a dot as it stands,
   ndots or not; a name without one under ALL search domains at the same moment, never bare.
2. One server at a time: all queries, again after half of five seconds; any reply ends the round
   of servers, though other queries be unanswered. SERVFAIL is asked again at once, twice for each
   query and round. No TCP: a truncated reply is taken as it is.
3. Exit code: 1.29 and 1.30 fail only if nobody answered; 1.31 and newer whenever one query had an
   error, though another one found the address.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

from kubehop.dns.lookup.candidates import Candidate, searched
from kubehop.dns.lookup.files import from_files
from kubehop.dns.lookup.protocol import (
    Ask,
    Heard,
    Machine,
    Outcome,
    Query,
    Silence,
    Status,
    addresses,
    canonical,
)
from kubehop.dns.message import Kind, Question, Rcode, Reply
from kubehop.dns.names import absolute, reverse
from kubehop.dns.resolv.hosts import NO_HOSTS, Hosts, Matching
from kubehop.dns.resolv.values import ResolvConf

TIMEOUT, TRIES = 5.0, 2
NOBODY = ";; connection timed out; no servers could be reached"


@dataclass(frozen=True, slots=True)
class Version:
    """What a release does; the newest by default."""

    search: bool = True
    """Dotless names go through the search list (1.30)."""
    exits: bool = True
    """An error of any query is the exit code (1.31)."""


NEWEST = Version()
SINCE_1_30 = Version(exits=False)
SINCE_1_29 = Version(search=False, exits=False)


def lookup(
    name: str,
    conf: ResolvConf,
    hosts: Hosts,
    version: Version,
    types: tuple[str, ...] = ("A", "AAAA"),
) -> Machine:
    """Run `nslookup name`; the hosts file is not consulted. An address is looked up backwards."""
    del hosts
    if conf.unusable:
        return Outcome(Status.FAILED, text=conf.unusable, exit=1)
    replies: dict[Question, Reply] = {}
    questions = _questions(name, conf, version, types)
    now = 0.0
    for server in conf.nameservers:
        now, replies = yield from _server(questions, server, now)
        if replies:
            return _outcome(questions, replies, version)
    return Outcome(Status.TRY_AGAIN, text=NOBODY, exit=1)


def _questions(
    name: str, conf: ResolvConf, version: Version, types: tuple[str, ...]
) -> list[tuple[Question, str]]:
    """The queries and why each is sent, in the order of sending."""
    if from_files(name, NO_HOSTS, types, Matching.EXACT) is not None:
        return [(Question(reverse(name), "PTR"), "the name of an address")]
    if version.search and conf.search and "." not in name:
        names = searched(name, conf.search)
        why = "; all search domains at once, as the name has no dot"
    else:
        names = [Candidate(absolute(name), "as typed: busybox nslookup ignores ndots")]
        why = "" if version.search else " and has no search list"
    return [(Question(c.name, t), f"{c.why}{why}") for t in types for c in names if c.sendable]


@dataclass(slots=True)
class _Pending:
    question: Question
    why: str
    live: list[Query] = field(default_factory=list)


def _server(
    questions: list[tuple[Question, str]], server: str, now: float
) -> Generator[Ask, Heard, tuple[float, dict[Question, Reply]]]:
    """send_queries(): the time it is, and the replies of this server; none if it is given up."""
    pending = {question: _Pending(question, why) for question, why in questions}
    replies: dict[Question, Reply] = {}
    end, sent_at, retries = now + TIMEOUT, float("-inf"), 0
    sending: list[Query] = []
    while now < end and pending:
        if now - sent_at >= TIMEOUT / TRIES:
            sending += [_send(waiting, server) for waiting in pending.values()]
            sent_at, retries = now, 2 * len(questions)
        heard = yield Ask(tuple(sending), min(sent_at + TIMEOUT / TRIES, end))
        sending, now = [], heard.now
        if heard.query is None:
            continue
        waiting = pending.get(heard.query.question)
        if waiting is None or heard.query not in waiting.live:
            continue
        reply = heard.reply
        if reply is None:
            # The error of the first datagram meets the next write(): the server is given up.
            if heard.result is Silence.UNREACHABLE and len(questions) > 1:
                return now, {}
            continue
        if reply.rcode == Rcode.SERVFAIL and retries:
            retries -= 1
            waiting.why = "again at once: SERVFAIL"
            sending = [_send(waiting, server)]
            continue
        replies[waiting.question] = reply
        del pending[waiting.question]
    return now, replies


def _send(waiting: _Pending, server: str) -> Query:
    query = Query(waiting.question, server, waiting.why, ad=True)
    waiting.live.append(query)
    waiting.why = waiting.why if waiting.why.startswith("again") else f"again: {waiting.why}"
    return query


def _outcome(
    questions: list[tuple[Question, str]], replies: dict[Question, Reply], version: Version
) -> Outcome:
    given = [replies.get(question) for question, _ in questions]
    bad = [r.kind for r in given if r is not None and r.rcode != Rcode.NOERROR]
    code = int(bool(bad)) if version.exits else 0
    found = addresses(*given)
    pointers = tuple(r.data for g in given if g for r in g.answer if r.type == "PTR")
    if found or pointers:
        return Outcome(Status.FOUND, found, canonical(*given) or pointers[0], exit=code)
    if not bad:
        return Outcome(Status.NO_DATA, exit=code)
    text = "".join(
        f"** server can't find {q.name.removesuffix('.')}: {reply.rcode.name}\n"
        for q, reply in replies.items()
        if reply.rcode != Rcode.NOERROR
    )
    status = Status.NOT_FOUND if set(bad) == {Kind.NXDOMAIN} else Status.TRY_AGAIN
    return Outcome(status, text=text, exit=code)
