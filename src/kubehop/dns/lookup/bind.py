"""dig, host and BIND's nslookup (`bin/dig/dighost.c`, 9.18): one query at a time.

1. Without a search list (dig without +search), with enough dots or a trailing one: as typed
   only. Else the search list, then as typed. NXDOMAIN goes on, everything else ends it.
2. The first server that fails is asked `tries` times, every other one once, and so for all names
   of the search; silence and ICMP count alike.
3. host and nslookup: SERVFAIL goes to the next server, if there is one; nslookup also leaves a
   server that does not recurse, as CoreDNS does not for names of the cluster.
4. TC: all again over TCP from the first server on.
5. host asks for AAAA and MX, nslookup for AAAA, of the name that A was found under. If the name
   as typed had enough dots and that one has not, NXDOMAIN sends these through the search list: a
   trailing dot counts as a dot, and is gone by then.
The hosts file is never consulted.
"""

from collections.abc import Generator
from dataclasses import dataclass

from kubehop.dns.lookup.candidates import (
    Candidate,
    Unfit,
    as_typed,
    dots,
    enough_dots,
    rooted,
    searched,
    too_few_dots,
    unfit,
)
from kubehop.dns.lookup.files import pointer_of
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
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.names import absolute, folded
from kubehop.dns.resolv.hosts import Hosts
from kubehop.dns.resolv.values import ResolvConf

DEFAULT_SECONDS = {Transport.UDP: 5, Transport.TCP: 10}
NOBODY = "no servers could be reached"


@dataclass(frozen=True, slots=True)
class Tool:
    """What sets the three programs apart; `tries` 0 takes those of resolv.conf."""

    program: str
    search: bool = True
    tries: int = 0
    payload: int = 0
    ad: bool = False
    skips_servfail: bool = True
    wants_recursion: bool = False
    more: tuple[str, ...] = ()


DIG = Tool("dig", search=False, payload=1232, ad=True, skips_servfail=False)
DIG_SEARCH = Tool("dig", payload=1232, ad=True, skips_servfail=False)
HOST = Tool("host", tries=2, more=("AAAA", "MX"))
NSLOOKUP = Tool("nslookup", wants_recursion=True, more=("AAAA",))


@dataclass(slots=True)
class _Run:
    tool: Tool
    conf: ResolvConf
    now: float = 0.0
    tcp: bool = False
    retries: int = 0

    def begin(self) -> None:
        """A lookup of its own: what is left of the tries is inherited within one only."""
        self.retries = self.tool.tries or self.conf.attempts


def lookup(
    name: str, conf: ResolvConf, hosts: Hosts, tool: Tool, types: tuple[str, ...] = ("A",)
) -> Machine:
    """Run the program on `name`; `types` holds the first type that it asks for."""
    del hosts
    if conf.unusable:
        return Outcome(Status.FAILED, text=f"{tool.program}: {conf.unusable}", exit=1)
    if problem := _illegal(name):
        code = 1 if tool.program == "host" else 10
        text = f"{tool.program}: '{name}' is not a legal name ({problem})"
        return Outcome(Status.FAILED, text=text, exit=code)
    run, kind = _Run(tool, conf), types[0]
    pointer = pointer_of(name) if tool.program != "dig" else None
    if pointer is not None:
        name, kind = pointer, "PTR"
    run.begin()
    candidate, reply = yield from _walk(run, _candidates(run, name), kind)
    if reply is None:
        return _nobody(tool)
    given = [_Given(name, candidate.name, reply)]
    if reply.rcode == Rcode.NOERROR and kind == "A":
        found = _end_of_chain(candidate.name, reply)
        for more in tool.more:
            run.begin()
            asked, extra = yield from _walk(run, _further(run, name, found, more), more)
            # Without a reply it says so and goes on; its exit code does not change.
            if extra is not None:
                given.append(_Given(found.removesuffix("."), asked.name, extra))
    return _outcome(tool, given)


_WORDS = {
    Unfit.EMPTY_LABEL: "empty label",
    Unfit.LONG_LABEL: "label too long",
    Unfit.LONG_NAME: "ran out of space",
}


def _illegal(name: str) -> str:
    """Why dns_name_fromtext() refuses a name, "" if it does not."""
    problem = unfit(name)
    if problem is None:
        return "" if name else "unexpected end of input"
    return _WORDS[problem]


@dataclass(frozen=True, slots=True)
class _Given:
    """What was typed, or found and asked for with other types, the name it ended at, its reply."""

    text: str
    name: str
    reply: Reply


def _further(run: _Run, typed: str, found: str, kind: str) -> list[Candidate]:
    """Where AAAA and MX are asked for, once A was."""
    own = Candidate(found, f"{run.tool.program} asks {kind} too")
    bare, ndots = found.removesuffix("."), run.conf.ndots
    if not run.tool.search or dots(typed) < ndots or dots(bare) >= ndots:
        return [own]
    return [own, *(searched(bare, run.conf.search) or [own])]


def _walk(
    run: _Run, names: list[Candidate], kind: str
) -> Generator[Ask, Heard, tuple[Candidate, Reply | None]]:
    """next_origin(): the candidate that ended the search and what it got."""
    candidate, reply = names[-1], None
    for candidate in names:
        if not candidate.sendable:
            # Too long: passed over. A label that is none ends the program.
            continue
        reply = yield from _ask(run, Question(candidate.name, kind), candidate.why)
        if reply is None or reply.rcode != Rcode.NXDOMAIN:
            break
    return candidate, reply


def _candidates(run: _Run, name: str) -> list[Candidate]:
    conf = run.conf
    if name.endswith("."):
        return [rooted(name)]
    if not run.tool.search:
        return [as_typed(name, "dig searches only with +search")]
    if dots(name) >= conf.ndots:
        return [enough_dots(name, conf.ndots)]
    if not conf.search:
        return [as_typed(name, "there is no search list")]
    return [*searched(name, conf.search), too_few_dots(name, conf.ndots)]


def _ask(run: _Run, question: Question, why: str) -> Generator[Ask, Heard, Reply | None]:
    """One lookup: all servers, over TCP once a reply was truncated; None if nobody answered."""
    while True:
        reply = yield from _servers(run, question, why)
        if reply is None or not reply.truncated or run.tcp:
            return reply
        run.tcp, why = True, "over TCP: the reply was truncated"


def _servers(run: _Run, question: Question, why: str) -> Generator[Ask, Heard, Reply | None]:
    servers, index, again = run.conf.nameservers, 0, why
    while True:
        reply = yield from _exchange(run, question, servers[index], again)
        if reply is None:
            again = f"again: no reply from {servers[index]} ({why})"
            if run.retries > 1:
                run.retries -= 1
                # Over TCP the whole lookup begins anew, at the first server.
                index = 0 if run.tcp else index
            elif index + 1 < len(servers):
                index += 1
            else:
                return None
        elif not (reply.truncated and not run.tcp) and _not_good(run.tool, reply):
            if index + 1 == len(servers):
                return reply
            again = f"again: {servers[index]} gave no usable reply ({why})"
            index += 1
        else:
            return reply


def _not_good(tool: Tool, reply: Reply) -> bool:
    if reply.rcode == Rcode.SERVFAIL and tool.skips_servfail:
        return True
    return tool.wants_recursion and not reply.recursive


def _exchange(
    run: _Run, question: Question, server: str, why: str
) -> Generator[Ask, Heard, Reply | None]:
    transport = Transport.TCP if run.tcp else Transport.UDP
    query = Query(question, server, why, transport, run.tool.payload, run.tool.ad)
    seconds = float(run.conf.timeout or DEFAULT_SECONDS[transport])
    ask: tuple[Query, ...] = (query,)
    deadline = run.now + seconds
    while True:
        heard = yield Ask(ask, deadline)
        ask, run.now = (), heard.now
        if heard.query in (None, query):
            return heard.reply


def _end_of_chain(name: str, reply: Reply) -> str:
    """chase_cnamechain(): the name at the end of the CNAMEs of a reply."""
    targets = {folded(r.name): absolute(r.data) for r in reply.answer if r.type == "CNAME"}
    for _ in targets:
        name = targets.get(folded(name), name)
    return name


def _nobody(tool: Tool) -> Outcome:
    return Outcome(Status.TRY_AGAIN, text=f";; {NOBODY}", exit=9 if tool.program == "dig" else 1)


_STATUS = {Rcode.NXDOMAIN: Status.NOT_FOUND, Rcode.SERVFAIL: Status.TRY_AGAIN}


def _outcome(tool: Tool, given: list[_Given]) -> Outcome:
    """What is printed and the exit code: dig's is 0 as long as somebody answered."""
    replies = [one.reply for one in given]
    bad = [one for one in given if one.reply.rcode != Rcode.NOERROR]
    found = addresses(*replies)
    pointers = tuple(r.data for reply in replies for r in reply.answer if r.type == "PTR")
    code = int(bool(bad)) if tool.program != "dig" else 0
    text = _complaint(tool, bad[0]) if bad and tool.program != "dig" else ""
    if found or pointers:
        where = canonical(*replies) or "".join(pointers[:1])
        return Outcome(Status.FOUND, found, where, text, code)
    if bad:
        status = _STATUS.get(bad[0].reply.rcode, Status.FAILED)
        return Outcome(status, text=text, exit=code)
    return Outcome(Status.NO_DATA, text=text, exit=code)


def _complaint(tool: Tool, given: _Given) -> str:
    asked, rcode = given.name.removesuffix("."), given.reply.rcode
    if tool.program == "host":
        said = given.text if rcode == Rcode.NXDOMAIN else asked
        return f"Host {said} not found: {int(rcode)}({rcode.name})"
    return f"** server can't find {asked}: {rcode.name}"
