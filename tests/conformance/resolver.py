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
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

from kubehop.dns.lookup import cares
from kubehop.dns.lookup.drive import Late, Lookup, drive
from kubehop.dns.lookup.protocol import Heard, Machine, Outcome, Query, Silence, Status, Transport
from kubehop.dns.lookup.resolvers import RESOLVERS, Resolver
from kubehop.dns.message import Rcode, Record, Reply
from kubehop.dns.names import reverse
from kubehop.dns.resolv import hosts
from kubehop.dns.resolv.values import ResolvConf
from tests.conformance.outcome import Case, Check, differs
from tests.conformance.said import addresses, cut, own_time, statuses

NAMES = (
    (r"glibc-getaddrinfo", "glibc"),
    (r"glibc-getaddrinfo-AF_INET", "glibc-ipv4"),
    (r"glibc-gethostbyname", "glibc-gethostbyname"),
    (r"musl-getaddrinfo-1\.1\.(1[3-9]|2\d)|musl-getaddrinfo-1\.2\.0", "musl-1.1.13"),
    (r"musl-getaddrinfo-1\.2\.[123]", "musl-1.2.1"),
    (r"musl-getaddrinfo-1\.2\.[4-9]", "musl"),
    (r"busybox-nslookup-debian", "busybox"),
    (r"busybox-nslookup-1\.28\.\d-glibc", "busybox-1.28"),
    (r"busybox-nslookup-1\.28\.\d-musl", "busybox-1.28-musl"),
    (r"busybox-nslookup-1\.29\.\d-\w+", "busybox-1.29"),
    (r"busybox-nslookup-1\.30\.\d-\w+", "busybox-1.30"),
    (r"busybox-nslookup-1\.3[1-9]\.\d-(glibc|musl)", "busybox"),
    (r"busybox-nslookup-1\.3[1-9]\.\d-(glibc|musl)-type-a", "busybox-type-a"),
    (r"dig", "dig"),
    (r"dig\+search", "dig+search"),
    (r"host", "host"),
    (r"nslookup-bind9", "nslookup"),
    (r"go-pure", "go"),
    (r"go-pure-ip4", "go-ipv4"),
    (r"c-ares-1\.18", "c-ares-1.18"),
    (r"c-ares-1\.34", "c-ares"),
    (r"java-\d+", "java"),
    (r"node-\d+-lookup", "node"),
    (r"node-\d+-resolve4", "node-resolve"),
    (r"python-3\.\d+", "python"),
    (r"dnspython-resolve", "dnspython"),
)
HOSTS = hosts.parse("127.0.0.1 localhost\n10.42.0.5 mypod\n10.9.9.9 foo.alias\n")
"""The hosts file of the namespaces in which the lookups ran."""
POOLS = {
    "big": [f"10.42.0.{i}" for i in range(1, 61)],
    "huge": [f"10.42.{j}.{i}" for j in range(2) for i in range(1, 201)],
}
"""The addresses of the two names whose answers do not fit."""
_PARTS = (0.0, 0.5, 1.0)
JITTERS = ((0.5, 0.5), *((one, other) for one in _PARTS for other in _PARTS))
"""What part of c-ares' random cut A and AAAA get, by turns."""
SLOWNESS = (1.0, 0.95, 0.0)
"""How much of the time until the next query in the log went into a truncated answer."""
GAVE_UP = 60
"""Seconds after which a recording was broken off."""
KINDS = {"NXDOMAIN": Rcode.NXDOMAIN, "SERVFAIL": Rcode.SERVFAIL, "REFUSED": Rcode.REFUSED}
SCENARIOS = {"servfail": "SERVFAIL", "refused": "REFUSED", "nodata": "NODATA", "timeout": "DROP"}


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
        log = case["queries"]
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
            return Reply(KINDS[said], authoritative=True, recursive=True)
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


def _key(entry: Case) -> tuple[str, ...]:
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


def resolver_named(recorded: str) -> Resolver | None:
    """The machine for a resolver as the recording calls it."""
    found = next((ours for pattern, ours in NAMES if re.fullmatch(pattern, recorded)), None)
    return RESOLVERS[found] if found else None


def lookup(case: Case, document: Case) -> str:
    """What is wrong with the prediction of one recorded lookup."""
    resolver = resolver_named(case["resolver"])
    if resolver is None:
        return f"unsupported resolver {case['resolver']}"
    problems = []
    for start, slow in itertools.product(starts(resolver, case), SLOWNESS):
        server = RecordingServer(case, document, slow)
        problems.append(compared(resolver, case, start(), server))
        if not problems[-1]:
            return ""
    return problems[0]


def compared(resolver: Resolver, case: Case, machine: Machine, server: Server) -> str:
    """What differs between a recorded lookup and that of a machine that speaks to `server`."""
    got = drive(_clocked(machine, server), server.answer)
    found = (
        _queries_differ(resolver, case, server, got),
        _outcome_differs(case, got),
        _time_differs(case, got),
    )
    return "; ".join(filter(None, found))


def starts(resolver: Resolver, case: Case) -> Iterator[Callable[[], Machine]]:
    """The lookup; c-ares waits for a random time, so that any of several may be the recorded."""
    start = JITTERED.get(resolver.name)
    if start is None:
        yield lambda: resolver.machine(case["name"], case["resolv_conf"], HOSTS)
        return
    conf = resolver.parse(case["resolv_conf"], "")
    for pair in JITTERS:
        yield partial(start, case["name"], conf, pair)


def _cares(name: str, conf: ResolvConf, pair: tuple[float, float]) -> Machine:
    return cares.lookup(name, conf, HOSTS, jitter=itertools.cycle(pair).__next__)


def _node(name: str, conf: ResolvConf, pair: tuple[float, float]) -> Machine:
    return cares.node_resolve4(name, conf, HOSTS, jitter=itertools.cycle(pair).__next__)


JITTERED = {"c-ares": _cares, "node-resolve": _node}


Sent = tuple[str, str, str, str]
"""(name, type, server, transport)."""


def _queries_differ(resolver: Resolver, case: Case, server: Server, got: Lookup) -> str:
    sent: list[Sent] = [
        (s.query.question.name.lower(), s.query.question.type, s.query.server, s.query.transport)
        for s in got.steps
        if not server.deaf(s.query.server)
    ]
    seen: list[Sent] = [_key(entry) for entry in case["queries"]]  # type: ignore[misc]
    if case["scenario"] == "tcp_blocked" and not any(entry[3] == Transport.TCP for entry in seen):
        # A connection that nobody reads from leaves nothing in the log.
        sent = [entry for entry in sent if entry[3] != Transport.TCP]
    conf = resolver.parse(case["resolv_conf"], "")
    if resolver.parallel and len(conf.nameservers) > 1:
        if case["scenario"] in ("first_nxdomain", "first_servfail"):
            return ""
        return differs("queries", _unordered(seen), _unordered(sent))
    if _rotates(case):
        random = resolver.name in ("c-ares", "dnspython")
        seen, sent = _rotated(seen, random), _rotated(sent, random)
    return differs("queries", _ordered(seen), _ordered(sent)) or differs(
        "names of addresses", _pointers(seen), _pointers(sent)
    )


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
    order = list(dict.fromkeys(name for name, kind, _, _ in sent if kind != "PTR"))
    counted = Counter(f"{name} {kind} {server}" for name, kind, server, _ in sent)
    return [*order, *(f"{what} x{count}" for what, count in sorted(counted.items()))]


def _rotated(sent: list[Sent], random: bool) -> list[Sent]:
    """Servers numbered as they first appear; of a pair, either may be first."""
    numbers: dict[str, int] = {}
    found: list[Sent] = []
    for name in dict.fromkeys(name for name, *_ in sent):
        mine = [entry for entry in sent if entry[0] == name]
        servers = sorted(str(numbers.setdefault(e[2], len(numbers))) for e in mine)
        kinds = sorted(e[1] for e in mine)
        for kind, server in zip(kinds, servers, strict=True):
            found.append((name, kind, "any" if random else server, "udp"))
    return found


def _outcome_differs(case: Case, got: Lookup) -> str:
    outcome, printed = got.outcome, set(addresses(case))
    if outcome.status is Status.HANGS:
        return "" if case["elapsed_s"] >= GAVE_UP - 5 else "predicted to hang"
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
    # dnspython's messages hold times and lists of servers.
    free = "h_errno" in said or case["resolver"].startswith("dnspython")
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
    return "" if same else differs("time", seconds, got.seconds)


def _named(log: list[Any]) -> list[str]:
    """The addresses whose names were asked for."""
    pool = [*POOLS["huge"], "10.43.5.5"]
    asked = {entry["qname"] for entry in log if entry["qtype"] == "PTR"}
    return [address for address in pool if reverse(address) in asked]


SUITE: dict[str, Check] = {"lookup": lookup}
