"""Our server on the generated cluster: `python -m benchmarks.dns_serve SCALE PORT COREFILE`.

Prints its figures as one line of JSON, then serves until it is ended.
"""

import gc
import json
import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import dns.message
import msgspec

from benchmarks.dns_mix import addresses, cluster
from benchmarks.measures import median
from kubehop.dns.chain import Asked, Serving
from kubehop.dns.corefile import parse
from kubehop.dns.lookup.drive import drive
from kubehop.dns.lookup.protocol import Query, Status
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.message import Rcode, Record, Reply
from kubehop.dns.zone import ZoneData
from kubehop.dnsserver import Listen, Server
from kubehop.dnsserver.values import Client
from kubehop.model.changes import Change
from kubehop.model.cluster import Cluster

CHANGES = 200
RESOLV_CONF = """\
search team-0.svc.cluster.local svc.cluster.local cluster.local ec2.internal
nameserver 172.20.0.10
options ndots:5
"""


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(scale: float, port: int, corefile: str) -> None:
    found = cluster(scale)
    gc.collect()
    gc.freeze()
    queries = [question(name, type) for name, _ in addresses(scale) for type in ("A", "AAAA")]
    before, started = resident_mb(), time.perf_counter()
    serving = Serving(parse(Path(corefile).read_text()), ZoneData.of(found), serial=1)
    indexed = time.perf_counter() - started
    server = Server(serving, [Listen("127.0.0.1", port)])
    compile_all(server, queries)
    figures = {
        "services": len(found.services),
        "pods": len(found.pods),
        "index_seconds": indexed,
        "compile_seconds": time.perf_counter() - started,
        "more_mb": resident_mb() - before,
        "change_us": changes(server, found) * 1e6,
        "lookup_us": median(lambda: predicted(serving)) * 1e6,
    }
    print(json.dumps(figures), flush=True)
    server.run()


def compile_all(server: Server, queries: list[bytes]) -> None:
    """Have the answer to each query in the table."""
    for query in queries:
        respond(server, query)
    (responder,) = server._responders.values()
    assert len(responder.table) == len(queries)


def respond(server: Server, query: bytes) -> None:
    """What a listener does with a query that has no reply yet."""
    (responder,) = server._responders.values()
    client = Client("127.0.0.1", 53, "udp", server._tallies["udp", "1"])
    responder.respond(query, client, lambda _: None)


def changes(server: Server, found: Cluster) -> float:
    """The median time from a changed Service to its new answer, in seconds."""
    times = []
    for service, endpoints in list(zip(found.services, found.slices, strict=True))[:CHANGES]:
        fewer = msgspec.structs.replace(endpoints, endpoints=(endpoints.endpoints or ())[1:])
        query = question(f"{service.name}.{service.namespace}.svc.cluster.local.", "A")
        for changed in (fewer, endpoints):
            started = time.perf_counter()
            server.apply(Change(put=(service, changed)))
            respond(server, query)
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def predicted(serving: Serving) -> None:
    """What glibc in a pod asks for a name outside the cluster: ten queries."""
    found = drive(RESOLVERS["glibc"].machine("example.com", RESOLV_CONF), partial(said, serving))
    assert (found.queries, found.outcome.status) == (10, Status.FOUND)


def said(serving: Serving, query: Query) -> Reply:
    """The reply of cluster DNS; the name exists outside."""
    answering = serving.answer(Asked(query.question, payload=query.payload), 0.0)
    reply = None
    try:
        while True:
            wish = answering.send(reply).question
            found = (Record(wish.name, 60, "A", "192.0.2.1"),) if wish.type == "A" else ()
            outside = wish.name == "example.com."
            reply = Reply(Rcode.NOERROR if outside else Rcode.NXDOMAIN, found if outside else ())
    except StopIteration as end:
        answer: Reply = end.value
        return answer


def question(name: str, type: str) -> bytes:
    return dns.message.make_query(name, type, use_edns=False).to_wire()


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
