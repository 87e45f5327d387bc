"""Servers for lookups: answers in the words of the recordings (`cluster`, `aaaa_drop`, ...)."""

from kubehop.dns.lookup.drive import Answer, Lookup, drive
from kubehop.dns.lookup.protocol import Query, Silence, Transport
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.message import Rcode, Record, Reply
from kubehop.dns.resolv.hosts import NO_HOSTS, Hosts

SEARCH = (
    "search default.svc.cluster.local svc.cluster.local cluster.local "
    "ca-central-1.compute.internal\n"
)
POD = f"{SEARCH}nameserver 10.43.0.10\noptions ndots:5\n"
TWO = f"{SEARCH}nameserver 10.43.0.10\nnameserver 10.43.0.11\noptions ndots:5\n"

ADDRESSES = {
    "whoami.default.svc.cluster.local.": ("10.43.5.5",),
    "kubernetes.default.svc.cluster.local.": ("10.43.0.1",),
    "example.com.": ("93.184.216.34", "2606:2800:220:1::1"),
    "a.b.c.d.e.example.com.": ("93.184.216.35",),
    "api.us-east-1.amazonaws.com.": ("54.1.2.3",),
    "big.default.svc.cluster.local.": tuple(f"10.42.0.{i}" for i in range(1, 61)),
    "huge.default.svc.cluster.local.": tuple(
        f"10.42.{j}.{i}" for j in range(2) for i in range(1, 201)
    ),
}
NON_TERMINALS = {
    "default.svc.cluster.local.",
    "svc.cluster.local.",
    "cluster.local.",
}


def reply(rcode: Rcode, *records: Record, truncated: bool = False) -> Reply:
    return Reply(rcode, records, authoritative=True, recursive=True, truncated=truncated)


NXDOMAIN, SERVFAIL = reply(Rcode.NXDOMAIN), reply(Rcode.SERVFAIL)
REFUSED, NODATA = reply(Rcode.REFUSED), reply(Rcode.NOERROR)


def cluster(query: Query) -> Reply:
    """The names above, NODATA at empty non-terminals, NXDOMAIN elsewhere; cut as UDP cuts."""
    name, kind = query.question.name.lower(), query.question.type
    if name not in ADDRESSES:
        return NODATA if name in NON_TERMINALS else NXDOMAIN
    data = [a for a in ADDRESSES[name] if kind == ("AAAA" if ":" in a else "A")]
    records = [Record(name, 5, kind, a) for a in data]
    fitting = ((query.payload or 512) - len(name) - 18) // 16
    if query.transport is Transport.UDP and len(records) > fitting:
        return reply(Rcode.NOERROR, *records[:fitting], truncated=True)
    return reply(Rcode.NOERROR, *records)


def always(result: Reply | Silence) -> Answer:
    return lambda query: result


def for_aaaa(result: Reply | Silence) -> Answer:
    """As the cluster, but every AAAA query gets this."""
    return lambda query: result if query.question.type == "AAAA" else cluster(query)


def first_server(result: Reply | Silence) -> Answer:
    """As the cluster, but the first of the two servers gives this."""
    return lambda query: result if query.server == "10.43.0.10" else cluster(query)


def over_tcp(result: Reply | Silence) -> Answer:
    return lambda query: result if query.transport is Transport.TCP else cluster(query)


def outside(result: Reply | Silence) -> Answer:
    """As the cluster, but names that are not of the cluster get this."""
    return lambda query: (
        cluster(query) if query.question.name.endswith(".cluster.local.") else result
    )


def look_up(
    resolver: str,
    name: str,
    answer: Answer = cluster,
    resolv_conf: str = POD,
    hosts: Hosts = NO_HOSTS,
) -> Lookup:
    return drive(RESOLVERS[resolver].machine(name, resolv_conf, hosts), answer)


def asked(lookup: Lookup) -> list[str]:
    """`whoami.default.svc.cluster.local. A`, in the order of sending."""
    return [f"{s.query.question.name} {s.query.question.type}" for s in lookup.steps]
