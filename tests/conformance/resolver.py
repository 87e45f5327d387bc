"""Recorded lookups, run again: the predicted queries, outcome and time against those observed.

The server that a machine speaks to here answers as the recording one did: each query gets the
reply that the same query got then (the k-th time the k-th), in the order in which the server saw
them; what was never asked gets what the scenario says. The recording server was one thread that
needed up to seconds for a truncated answer, as the times of its log show: that is replayed too.
The log has the times of the queries, not of the replies, so that they may have come earlier.

Compared: names in order, and for each name and type the servers and transports in order, so that
A and AAAA may change places; the outcome; the time in multiples of 5 seconds. Not compared, since
the file calls them races: which of several servers musl heard first, where a rotation begins.
"""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Protocol

from kubehop.dns.lookup.drive import Late, Lookup, drive
from kubehop.dns.lookup.protocol import Heard, Machine, Outcome, Query, Silence, Status, Transport
from kubehop.dns.lookup.resolvers import Resolver
from kubehop.dns.message import Rcode, Record, Reply
from kubehop.dns.names import reverse
from tests.conformance.outcome import Case, Check, differs
from tests.conformance.resolvers import lags, resolver_named, starts
from tests.conformance.said import addresses, cut, own_time, statuses

POOLS = {
    "big": [f"10.42.0.{i}" for i in range(1, 61)],
    "huge": [f"10.42.{j}.{i}" for j in range(2) for i in range(1, 201)],
}
"""The addresses of the two names whose answers do not fit."""
SLOWNESS = (1.0, 0.95, 0.0)
"""How much of the time until the next query in the log went into a truncated answer."""
LAST = 2
"""The place of the last of three servers."""
A_SECOND = 1.0
"""What a busy machine may add, where it makes another multiple of five seconds of it."""
KINDS = {"NXDOMAIN": Rcode.NXDOMAIN, "SERVFAIL": Rcode.SERVFAIL, "REFUSED": Rcode.REFUSED}
SOA = Record(".", 30, "SOA", "ns.dns. hostmaster. 1 7200 1800 86400 5")
SCENARIOS = {"servfail": "SERVFAIL", "refused": "REFUSED", "nodata": "NODATA", "timeout": "DROP"}


Sent = tuple[str, str, str, str]
"""(name, type, server, transport)."""


class Server(Protocol):
    """Who a machine speaks to; `now` is the time that it is told."""

    now: float

    def deaf(self, server: str) -> bool:
        """True if nothing listens there."""

    def answer(self, query: Query) -> Reply | Silence | Late:
        """What comes to a query."""


class RecordingServer:
    """Answers as the recording server did in one case."""

    def __init__(self, case: Case, document: Case, slow: float) -> None:
        self.case, self.now, self._busy = case, 0.0, 0.0
        self._deaf = set(re.findall(r"nameserver (\S+) = nothing", " ".join(document["caveats"])))
        self._replies: dict[tuple[str, ...], list[tuple[str, float, int]]] = defaultdict(list)
        log = _asked(case)
        for index, entry in enumerate(log):
            following = log[index + 1]["dt"] if index + 1 < len(log) else entry["dt"]
            truncated = entry["reply"].startswith("TC(")
            cost = (following - entry["dt"]) * slow if truncated else 0.0
            self._replies[_key(entry)].append((entry["reply"], max(cost, 0.0), index))
        self._known = [*addresses(case), *_named(log)]

    def deaf(self, server: str) -> bool:
        return server in self._deaf

    def answer(self, query: Query) -> Reply | Silence | Late:
        if self.deaf(query.server):
            return Silence.UNREACHABLE
        question = query.question
        key = (question.name.lower(), question.type, query.server, str(query.transport))
        seen = self._replies.get(key)
        if not seen and _rotates(self.case):
            seen = next((s for other, s in self._replies.items() if _alike(other, key)), None)
        if not seen:
            if self.case["scenario"] == "tcp_blocked" and query.transport is Transport.TCP:
                return Silence.SILENT
            fallback = SCENARIOS.get(self.case["scenario"], "NXDOMAIN")
            return self._reply(query, fallback)
        said, cost, index = seen.pop(0) if len(seen) > 1 else seen[0]
        blocked = self.case["scenario"] == "tcp_blocked" and query.transport is Transport.TCP
        result = Silence.SILENT if blocked else self._reply(query, said)
        if isinstance(result, Silence):
            return result
        self._busy = max(self._busy, self.now) + cost
        return Late(result, self._busy - self.now + index * 1e-7)

    def _reply(self, query: Query, said: str) -> Reply | Silence:
        if said == "DROP":
            return Silence.SILENT
        if said in KINDS:
            return Reply(KINDS[said], authority=(SOA,), authoritative=True, recursive=True)
        records = () if said == "NODATA" else self._records(query, said)
        truncated = said.startswith("TC(")
        return Reply(
            Rcode.NOERROR, records, authoritative=True, recursive=True, truncated=truncated
        )

    def _records(self, query: Query, said: str) -> tuple[Record, ...]:
        name, kind = query.question.name, query.question.type
        pool = POOLS.get(name.split(".")[0], [])
        if kind == "A":
            known = [a for a in self._known if ":" not in a]
            wanted = [*dict.fromkeys([*known, *pool])]
            count = int(said[3:-1]) if said.startswith("TC(") else len(pool) or len(known)
            data = wanted[:count]
        elif kind == "AAAA":
            data = [a for a in self._known if ":" in a]
        else:
            data = ["name.example."]
        return tuple(Record(name, 5, kind, d) for d in data or ["192.0.2.1"])


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """True if only the server differs: whichever of them the turn was at."""
    return one[:2] == other[:2] and one[3] == other[3]


def _key(entry: Case) -> Sent:
    return entry["qname"].lower(), entry["qtype"], entry["server"], entry["transport"]


def _clocked(machine: Machine, server: Server) -> Machine:
    """The machine, while the server looks at the clock."""
    heard: Heard | None = None
    while True:
        try:
            ask = next(machine) if heard is None else machine.send(heard)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        heard = yield ask
        server.now = heard.now


def lookup(case: Case, document: Case) -> str:
    """What is wrong with the prediction of one recorded lookup."""
    resolver = resolver_named(case["resolver"])
    if resolver is None:
        return f"unsupported resolver {case['resolver']}"
    problems = []
    chances = itertools.product(starts(resolver, case), SLOWNESS, lags(resolver, case))
    for start, slow, lag in chances:
        server = RecordingServer(case, document, slow)
        problems.append(compared(resolver, case, start(), server, lag))
        if not problems[-1]:
            return ""
    return problems[0]


def compared(
    resolver: Resolver, case: Case, machine: Machine, server: Server, lag: float = 0.0
) -> str:
    """What differs between a recorded lookup and that of a machine that speaks to `server`."""
    servers = resolver.parse(case["resolv_conf"], "").nameservers

    def answer(query: Query) -> Reply | Silence | Late:
        given = server.answer(query)
        if isinstance(given, Silence) or not lag:
            return given
        late = given if isinstance(given, Late) else Late(given, 0.0)
        place = servers.index(query.server) if lag > 0 else servers.index(query.server) - LAST
        return Late(late.result, late.after + lag * place)

    got = drive(_clocked(machine, server), answer)
    if _broken_off(case, got):
        return _begins_otherwise(case, server, got)
    found = (
        _queries_differ(resolver, case, server, got),
        _outcome_differs(case, got),
        _time_differs(case, got),
    )
    return "; ".join(filter(None, found))


ENDED = (0, 1, 2, 9)
"""Exit codes of programs that came to an end."""


def _broken_off(case: Case, got: Lookup) -> bool:
    """True if the recording was ended before the program was."""
    return case["exit"] not in ENDED and got.seconds > case["elapsed_s"] - 1


def _begins_otherwise(case: Case, server: Server, got: Lookup) -> str:
    """What differs until the recording was broken off."""
    until = case["elapsed_s"] - 1
    seen, sent = _seen(case, until), _sent(case, server, got, until)
    return differs("queries", Counter(seen), Counter(sent))


def _seen(case: Case, until: float = float("inf")) -> list[Sent]:
    return [_key(entry) for entry in _asked(case) if entry["dt"] < until]


def _asked(case: Case) -> list[Case]:
    """The log without connections on which nothing was asked."""
    return [entry for entry in case["queries"] if entry.get("qname") and entry.get("qtype")]


def _sent(case: Case, server: Server, got: Lookup, until: float = float("inf")) -> list[Sent]:
    """What the server would have logged: of a connection that nobody reads from, maybe nothing."""
    tcp = case["scenario"] != "tcp_blocked" or any(key[3] == Transport.TCP for key in _seen(case))
    queries = [step.query for step in got.steps if step.at < until]
    return [
        (q.question.name.lower(), q.question.type, q.server, q.transport)
        for q in queries
        if not server.deaf(q.server) and (tcp or q.transport is not Transport.TCP)
    ]


def _queries_differ(resolver: Resolver, case: Case, server: Server, got: Lookup) -> str:
    seen, sent = _seen(case), _sent(case, server, got)
    conf = resolver.parse(case["resolv_conf"], "")
    if resolver.parallel and len(conf.nameservers) > 1:
        if case["scenario"] in ("first_nxdomain", "first_servfail"):
            return ""
        return differs("queries", _unordered(seen), _unordered(sent))
    if _rotates(case) and resolver.name in ("c-ares", "node-resolve", "dnspython"):
        # They draw a server for each query: how many are asked is chance too.
        return differs("names", _names(seen), _names(sent))
    if _rotates(case) and resolver.name.startswith("go"):
        seen, sent = _either_first(seen), _either_first(sent)
    return differs("queries", _ordered(seen), _ordered(sent)) or differs(
        "names of addresses", _pointers(seen), _pointers(sent)
    )


def _names(sent: list[Sent]) -> list[str]:
    return list(dict.fromkeys(name for name, *_ in sent))


def _ordered(sent: Iterable[Sent]) -> list[str]:
    """Name by name, and for each type the servers and transports in order."""
    runs: list[tuple[str, dict[str, list[str]]]] = []
    for name, kind, server, transport in sent:
        if kind == "PTR":
            continue
        if not runs or runs[-1][0] != name:
            runs.append((name, defaultdict(list)))
        runs[-1][1][kind].append(f"{server}{'/tcp' if transport == Transport.TCP else ''}")
    return [
        f"{name} " + " ".join(f"{kind}={','.join(how[kind])}" for kind in sorted(how))
        for name, how in runs
    ]


def _pointers(sent: Iterable[Sent]) -> list[str]:
    return sorted(f"{name} {server}" for name, kind, server, _ in sent if kind == "PTR")


def _unordered(sent: list[Sent]) -> list[str]:
    """How often each, after the order in which the names first came."""
    order = _names([entry for entry in sent if entry[1] != "PTR"])
    counted = Counter(f"{name} {kind} {server}" for name, kind, server, _ in sent)
    return [*order, *(f"{what} x{count}" for what, count in sorted(counted.items()))]


def _either_first(sent: list[Sent]) -> list[Sent]:
    """Of a pair, either may be the first whose turn it is: for each name, servers in order."""
    found: list[Sent] = []
    for name in dict.fromkeys(name for name, *_ in sent):
        mine = [entry for entry in sent if entry[0] == name]
        kinds, hows = sorted(e[1] for e in mine), sorted(e[2:] for e in mine)
        found += [(name, kind, *how) for kind, how in zip(kinds, hows, strict=True)]
    return found


def _outcome_differs(case: Case, got: Lookup) -> str:
    outcome, printed = got.outcome, set(addresses(case))
    if outcome.status is Status.HANGS:
        return f"predicted to hang, ended with {case['exit']}"
    if outcome.status is Status.CRASHES:
        return f"predicted to crash, ended with {case['exit']}" if case["exit"] in ENDED else ""
    if outcome.exit is not None and outcome.exit != case["exit"]:
        return differs("exit code", case["exit"], outcome.exit)
    if printed or outcome.status is Status.FOUND:
        return _addresses_differ(case, printed, got)
    return _error_differs(case, got)


def _addresses_differ(case: Case, printed: set[str], got: Lookup) -> str:
    found = set(got.outcome.addresses)
    counted = re.search(r" n=(\d+)\n", case["stdout"])
    if counted:
        return differs("addresses", int(counted[1]), len(found)) or differs(
            "addresses", [], sorted(printed - found)
        )
    if cut(case):
        return differs("addresses", [], sorted(printed - found))
    return differs("addresses", sorted(printed), sorted(found))


def _error_differs(case: Case, got: Lookup) -> str:
    said, status, text = case["stdout"] + case["stderr"], got.outcome.status, got.outcome.text
    observed = statuses(case)
    if not observed:
        return f"outcome not understood: {said!r}"
    if status not in observed:
        return differs("outcome", sorted(observed), f"{status} ({text})")
    plain = re.sub(r"read (udp|tcp) \S+->\S+:", r"read \1:", said)
    if text.startswith(("getaddrinfo ", "queryA ")):
        text = text.split(" ")[1]
    if _rotates(case):
        text, plain = _without_server(text), _without_server(plain)
    # dnspython's messages hold times and lists of servers; numbers are no words.
    free = "h_errno" in said or case["resolver"].startswith(("dnspython", "c-ares-1.18"))
    if free or all(line in plain for line in text.splitlines()):
        return ""
    return differs("error", said, text)


def _rotates(case: Case) -> bool:
    return re.search(r"^options.*\brotate\b", case["resolv_conf"], re.MULTILINE) is not None


def _without_server(text: str) -> str:
    return re.sub(r" on [0-9.]+:53", "", text)


def _time_differs(case: Case, got: Lookup) -> str:
    if got.outcome.status is Status.HANGS:
        return ""
    seconds = own_time(case)
    same = int(seconds // 5) == int((got.seconds + 0.001) // 5)
    same = same or abs(seconds - got.seconds) < A_SECOND
    return "" if same else differs("time", seconds, got.seconds)


def _named(log: list[Any]) -> list[str]:
    """The addresses whose names were asked for."""
    pool = [*POOLS["huge"], "10.43.5.5"]
    asked = {entry["qname"] for entry in log if entry["qtype"] == "PTR"}
    return [address for address in pool if reverse(address) in asked]


SUITE: dict[str, Check] = {"lookup": lookup}
