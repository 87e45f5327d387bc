"""The scenarios of the shared recordings: what each of its nameservers says to a query."""

from kubehop.dns.lookup.protocol import Query, Silence, Transport
from kubehop.dns.message import Rcode, Record, Reply
from kubehop.dns.names import folded, within
from tests.dns.lookup.servers import ADDRESSES, NON_TERMINALS

SERVERS = ("127.0.0.10", "127.0.0.11", "127.0.0.12", "127.0.0.13")
NOBODY = "127.0.0.99"
"""Where nothing listens."""
HEADER = 12
OPT = 11
PLAIN, LARGEST = 512, 65535

_SOA = Record(".", 30, "SOA", "ns.dns. hostmaster. 1 7200 1800 86400 5")
_NXDOMAIN, _SERVFAIL, _REFUSED, _NODATA = (
    Reply(rcode, authority=(_SOA,) * negative, authoritative=True, recursive=True)
    for rcode, negative in (
        (Rcode.NXDOMAIN, True),
        (Rcode.SERVFAIL, False),
        (Rcode.REFUSED, False),
        (Rcode.NOERROR, True),
    )
)
_ALWAYS: dict[str, Reply | None] = {
    "nxdomain": _NXDOMAIN,
    "servfail": _SERVFAIL,
    "refused": _REFUSED,
    "nodata": _NODATA,
    "timeout": None,
}
_OUTSIDE: dict[str, Reply | None] = {"upstream_servfail": _SERVFAIL, "upstream_timeout": None}
_AAAA: dict[str, Reply | None] = {
    "aaaa_drop": None,
    "aaaa_nxdomain": _NXDOMAIN,
    "aaaa_servfail": _SERVFAIL,
}
_FIRST: dict[str, Reply | None] = {
    "first_dead": None,
    "first_servfail": _SERVFAIL,
    "first_nxdomain": _NXDOMAIN,
}
SCENARIOS = ("cluster", *_ALWAYS, *_OUTSIDE, *_AAAA, *_FIRST, "tcp_blocked")


def answer(scenario: str, query: Query) -> Reply | Silence:
    """What comes to a query, as the wire brings it."""
    if query.server == NOBODY:
        return Silence.UNREACHABLE
    if scenario == "tcp_blocked" and query.transport is Transport.TCP:
        return Silence.SILENT
    reply = _whole(scenario, query)
    return Silence.SILENT if reply is None else _cut(query, reply)


def _whole(scenario: str, query: Query) -> Reply | None:
    if scenario in _ALWAYS:
        return _ALWAYS[scenario]
    if scenario in _AAAA and query.question.type == "AAAA":
        return _AAAA[scenario]
    if scenario in _FIRST and query.server == SERVERS[0]:
        return _FIRST[scenario]
    if scenario in _OUTSIDE and not within(folded(query.question.name), "cluster.local."):
        return _OUTSIDE[scenario]
    return _cluster(query)


def _cluster(query: Query) -> Reply:
    name, kind = folded(query.question.name), query.question.type
    if name not in ADDRESSES:
        return _NODATA if name in NON_TERMINALS else _NXDOMAIN
    data = [a for a in ADDRESSES[name] if kind == ("AAAA" if ":" in a else "A")]
    if not data:
        return _NODATA
    records = tuple(Record(query.question.name, 5, kind, one) for one in data)
    return Reply(Rcode.NOERROR, records, authoritative=True, recursive=True)


def _cut(query: Query, reply: Reply) -> Reply:
    """As many records as there is room for; names after the first are pointers of 2 octets."""
    if query.transport is Transport.TCP or not reply.answer:
        return reply
    question = len(query.question.name) + 1 + 4
    each = 12 + (16 if query.question.type == "AAAA" else 4)
    room = max(query.payload, PLAIN) - HEADER - question - (OPT if query.payload else 0)
    if len(reply.answer) * each <= room:
        return reply
    return Reply(reply.rcode, reply.answer[: room // each], (), (), True, True, truncated=True)


def said(result: Reply | Silence) -> str:
    """The word of the recordings for a reply."""
    if isinstance(result, Silence):
        return "DROP"
    return f"TC({len(result.answer)})" if result.truncated else str(result.kind)
