"""Whatever the file, the name and the answers: machines end, within bounds, and ask properly."""

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.dns.lookup.drive import Late, Lookup, drive
from kubehop.dns.lookup.protocol import Query, Silence, Status, Transport
from kubehop.dns.lookup.resolvers import RESOLVERS, Resolver
from kubehop.dns.message import Rcode, Record, Reply
from kubehop.dns.names import fits
from kubehop.dns.resolv import hosts

SERVERS = ["10.43.0.10", "10.43.0.11", "fd00::a", "10.43.0.13", "10.43.0.14"]
LABEL = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), st.just("x" * 63), st.just("y" * 64)
)
NAME = st.one_of(
    st.lists(LABEL, min_size=1, max_size=7).map(".".join),
    st.lists(LABEL, min_size=1, max_size=5).map(lambda labels: ".".join(labels) + "."),
    st.sampled_from(["", ".", "..", "a..b", "*.x", "10.0.0.1", "::1", "localhost", "x.onion"]),
    st.text(max_size=12),
)
OPTION = st.one_of(
    st.builds(
        "{}:{}".format, st.sampled_from(["ndots", "timeout", "attempts"]), st.integers(-1, 40)
    ),
    st.sampled_from(
        [
            "rotate",
            "edns0",
            "single-request",
            "single-request-reopen",
            "use-vc",
            "no-tld-query",
            "no-aaaa",
            "trust-ad",
        ]
    ),
)
SEARCH = st.lists(
    st.one_of(st.lists(LABEL, min_size=1, max_size=3).map(".".join), st.just(".")), max_size=6
)


@st.composite
def resolv_confs(draw: st.DrawFn) -> str:
    servers = draw(st.lists(st.sampled_from(SERVERS), max_size=4, unique=True))
    lines = [f"nameserver {server}\n" for server in servers]
    search = draw(SEARCH)
    if search:
        lines.append(f"search {' '.join(search)}\n")
    options = draw(st.lists(OPTION, max_size=4))
    if options:
        lines.append(f"options {' '.join(options)}\n")
    return "".join(draw(st.permutations(lines)))


@st.composite
def answers(draw: st.DrawFn) -> list[tuple[str, float]]:
    kinds = [
        "answer",
        "nodata",
        "nxdomain",
        "servfail",
        "refused",
        "formerr",
        "lame",
        "tc",
        "cname",
        "silent",
        "unreachable",
        "many",
    ]
    return draw(
        st.lists(
            st.tuples(st.sampled_from(kinds), st.sampled_from([0.0, 0.0, 0.0, 0.3, 3.0, 7.0])),
            min_size=1,
            max_size=12,
        )
    )


class Server:
    """Answers by turns; over TCP never truncated."""

    def __init__(self, script: list[tuple[str, float]]) -> None:
        self.script, self.turn = script, 0

    def __call__(self, query: Query) -> Reply | Silence | Late:
        kind, after = self.script[self.turn % len(self.script)]
        self.turn += 1
        if kind == "silent":
            return Silence.SILENT
        if kind == "unreachable":
            return Silence.UNREACHABLE
        result = self._reply(query, kind)
        return Late(result, after) if after else result

    def _reply(self, query: Query, kind: str) -> Reply:
        rcodes = {"nxdomain": 3, "servfail": 2, "refused": 5, "formerr": 1}
        name, what = query.question.name, query.question.type
        data = "2001:db8::1" if what == "AAAA" else "192.0.2.1"
        records: tuple[Record, ...] = ()
        if kind in ("answer", "tc"):
            records = (Record(name, 5, what, data),)
        elif kind == "many":
            records = tuple(Record(name, 5, what, data) for _ in range(60))
        elif kind == "cname":
            records = (Record(name, 5, "CNAME", "elsewhere.example."),)
        truncated = kind == "tc" and query.transport is Transport.UDP
        return Reply(
            Rcode(rcodes.get(kind, 0)),
            records,
            authoritative=kind != "lame",
            recursive=kind not in ("lame", "nodata"),
            truncated=truncated,
        )


def run(resolver: Resolver, name: str, text: str, script: list[tuple[str, float]]) -> Lookup:
    listed = hosts.parse("127.0.0.1 localhost\n")
    return drive(resolver.machine(name, text, listed), Server(script))


@settings(deadline=None, max_examples=150)
@given(name=NAME, text=resolv_confs(), script=answers())
def test_every_machine_ends_within_bounds(
    name: str, text: str, script: list[tuple[str, float]]
) -> None:
    for resolver in RESOLVERS.values():
        lookup = run(resolver, name, text, script)
        conf = resolver.parse(text, "")
        assert lookup.queries <= 6000
        assert lookup.seconds >= 0
        assert (lookup.outcome.status is Status.FOUND) == bool(
            lookup.outcome.addresses or lookup.outcome.canonical
        )
        assert (lookup.seconds == float("inf")) == (lookup.outcome.status is Status.HANGS)
        for step in lookup.steps:
            assert step.query.server in conf.nameservers
            question = step.query.question.name
            assert question == "." or fits(question), (resolver.name, question)
            assert question.endswith(".")
            assert step.query.why
        times = [step.at for step in lookup.steps]
        assert times == sorted(times)


@settings(deadline=None, max_examples=60)
@given(name=NAME, text=resolv_confs(), script=answers())
def test_the_same_lookup_again_is_the_same(
    name: str, text: str, script: list[tuple[str, float]]
) -> None:
    for resolver in RESOLVERS.values():
        first, second = (run(resolver, name, text, script) for _ in range(2))
        assert first.outcome == second.outcome
        assert [(s.query.question, s.at) for s in first.steps] == [
            (s.query.question, s.at) for s in second.steps
        ]


@given(address=st.ip_addresses(), resolver=st.sampled_from(["glibc", "musl", "go", "c-ares"]))
def test_an_address_needs_no_query(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, resolver: str
) -> None:
    lookup = run(RESOLVERS[resolver], str(address), "nameserver 10.43.0.10\n", [("silent", 0)])
    assert lookup.outcome.addresses == (str(address),)
    assert lookup.queries == 0
