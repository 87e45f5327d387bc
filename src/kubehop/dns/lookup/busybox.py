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
from itertools import takewhile

from kubehop.dns.lookup.candidates import Candidate, searched
from kubehop.dns.lookup.files import pointer_of
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
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.names import absolute, fits
from kubehop.dns.resolv.hosts import Hosts
from kubehop.dns.resolv.values import ResolvConf

BOTH = ("A", "AAAA")
"""Asked for where no -type is given; then an address is looked up backwards."""
TIMEOUT, TRIES = 5.0, 2
MILLISECOND = 0.001
"""What its clock counts in: a round that is due when the time is up is not sent."""
NOBODY = ";; connection timed out; no servers could be reached"


@dataclass(frozen=True, slots=True)
class Version:
    """What a release does; the newest by default."""

    search: bool = True
    """Dotless names go through the search list (1.30)."""
    exits: bool = True
    """An error of any query is the exit code (1.31)."""
    packs: bool = False
    """musl before 1.2.4: `whoami..` becomes a packet that no server can read, and is waited for."""


NEWEST = Version()
SINCE_1_30 = Version(exits=False)
SINCE_1_29 = Version(search=False, exits=False)


def lookup(
    name: str,
    conf: ResolvConf,
    hosts: Hosts,
    version: Version,
    types: tuple[str, ...] = BOTH,
) -> Machine:
    """Run `nslookup name`; the hosts file is not consulted."""
    del hosts
    if conf.unusable:
        return Outcome(Status.FAILED, text=conf.unusable, exit=1)
    asked = _asked(name, conf, version, types)
    now = 0.0
    for server in conf.nameservers:
        now, replies = yield from _server(asked, server, now, version)
        if replies:
            return _outcome(asked, replies, version)
    return Outcome(Status.TRY_AGAIN, text=NOBODY, exit=1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, why it is sent, and how the program spells its name."""

    question: Question
    why: str
    spelt: str

    @property
    def sendable(self) -> bool:
        """False for a name that is none, as the search domain `.` makes: `whoami..`."""
        return fits(self.question.name) and not self.spelt.endswith("..")


def _asked(name: str, conf: ResolvConf, version: Version, types: tuple[str, ...]) -> list[_Asked]:
    """All questions, in the order of sending."""
    pointer = pointer_of(name) if types == BOTH else None
    if pointer is not None:
        return [_Asked(Question(pointer, "PTR"), "the name of an address", pointer[:-1])]
    if version.search and conf.search and "." not in name:
        names = searched(name, conf.search)
        spelt = [f"{name}.{domain}" for domain in conf.search]
        why = "; all search domains at once, as the name has no dot"
    else:
        names = [Candidate(absolute(name), "as typed: busybox nslookup ignores ndots")]
        spelt, why = [name], "" if version.search else " and has no search list"
    return [
        _Asked(Question(candidate.name, kind), f"{candidate.why}{why}", said)
        for kind in types
        for candidate, said in zip(names, spelt, strict=True)
    ]


@dataclass(slots=True)
class _Pending:
    question: Question
    why: str
    live: list[Query] = field(default_factory=list)


def _server(
    questions: list[_Asked], server: str, now: float, version: Version
) -> Generator[Ask, Heard, tuple[float, dict[int, Reply]]]:
    """send_queries(): the time it is, and the replies of this server by the number of the query;
    none if it is given up. Each query has an id of its own, even one that repeats another."""
    pending = _readable(questions, version)
    unread = len(questions) - len(pending)
    if unread and not version.packs:
        # What cannot be packed cannot be written: the server is given up, and all are alike.
        yield Ask(tuple(_send(waiting, server) for waiting in pending.values()), now)
        return now, {}
    replies: dict[int, Reply] = {}
    end, due, retries = now + TIMEOUT, now, 0
    sending: list[Query] = []
    while end - now > MILLISECOND and (pending or unread):
        if now >= due:
            sending += [_send(waiting, server) for waiting in pending.values()]
            due, retries = now + TIMEOUT / TRIES, 2 * len(questions)
        heard = yield Ask(tuple(sending), min(due, end))
        sending, now = [], heard.now
        if heard.query is None:
            continue
        number = next((n for n, one in pending.items() if heard.query in one.live), None)
        if number is None:
            continue
        waiting, reply = pending[number], heard.reply
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
        replies[number] = reply
        del pending[number]
    return now, replies


def _readable(questions: list[_Asked], version: Version) -> dict[int, _Pending]:
    """The queries that reach a server: those before one that cannot be packed, or all others."""
    numbered = list(enumerate(questions))
    if version.packs:
        sent = [(number, asked) for number, asked in numbered if asked.sendable]
    else:
        sent = list(takewhile(lambda pair: pair[1].sendable, numbered))
    return {number: _Pending(asked.question, asked.why) for number, asked in sent}


def _send(waiting: _Pending, server: str) -> Query:
    query = Query(waiting.question, server, waiting.why, ad=True)
    waiting.live.append(query)
    waiting.why = waiting.why if waiting.why.startswith("again") else f"again: {waiting.why}"
    return query


def _outcome(asked: list[_Asked], replies: dict[int, Reply], version: Version) -> Outcome:
    given = [replies.get(number) for number in range(len(asked))]
    bad = [(one, r) for one, r in zip(asked, given, strict=True) if r is not None and r.rcode]
    code = int(bool(bad)) if version.exits else 0
    text = "".join(f"** server can't find {a.spelt}: {_rcode(r)}\n" for a, r in bad)
    found = addresses(*given)
    pointers = tuple(r.data for g in given if g for r in g.answer if r.type == "PTR")
    if found or pointers:
        where = canonical(*given) or "".join(pointers[:1])
        return Outcome(Status.FOUND, found, where, text, code)
    if not bad:
        return Outcome(Status.NO_DATA, exit=code)
    missing = all(reply.rcode == Rcode.NXDOMAIN for _, reply in bad)
    return Outcome(Status.NOT_FOUND if missing else Status.TRY_AGAIN, text=text, exit=code)


def _rcode(reply: Reply) -> str:
    return Rcode(reply.rcode).name
