"""c-ares 1.34 and 1.18, and Node's resolver; observed unless said."""

import pytest

from kubehop.dns.lookup import cares
from kubehop.dns.lookup.drive import Late, drive
from kubehop.dns.lookup.protocol import Query, Silence, Status, Transport
from kubehop.dns.message import Reply
from kubehop.dns.resolv import cares as cares_file
from kubehop.dns.resolv.hosts import NO_HOSTS
from tests.dns.lookup.servers import (
    NODATA,
    NXDOMAIN,
    POD,
    REFUSED,
    SERVFAIL,
    TWO,
    always,
    cluster,
    first_server,
    for_aaaa,
    look_up,
    outside,
    over_tcp,
)

NEW, OLD, NODE = "c-ares", "c-ares-1.18", "node-resolve"
TIMEOUT, GENERAL = "Timeout while contacting DNS servers", "DNS server returned general failure"
CONTACT = "Could not contact DNS servers"

ENDS = (
    # resolver, name, answer, queries, seconds, status, text
    (NEW, "whoami", always(SERVFAIL), 6, 0, Status.TRY_AGAIN, GENERAL),
    (NEW, "example.com.", always(REFUSED), 6, 0, Status.FAILED, "DNS server refused query"),
    (NEW, "whoami", always(Silence.SILENT), 6, 11, Status.TRY_AGAIN, TIMEOUT),
    (NEW, "whoami", always(Silence.UNREACHABLE), 6, 0, Status.TRY_AGAIN, CONTACT),
    (NEW, "nosuch", cluster, 10, 0, Status.NOT_FOUND, "Domain name not found"),
    (NEW, "default", cluster, 10, 0, Status.NO_DATA, "DNS server returned answer with no data"),
    # The query that ended last decides: AAAA's SERVFAIL ends it at the first candidate.
    (NEW, "example.com", for_aaaa(SERVFAIL), 4, 0, Status.TRY_AGAIN, GENERAL),
    (NEW, "example.com", for_aaaa(NXDOMAIN), 10, 0, Status.FOUND, ""),
    # With an IPv4 address AAAA is not sent again.
    (NEW, "whoami", for_aaaa(Silence.SILENT), 2, 2, Status.FOUND, ""),
    (NEW, "big.default.svc.cluster.local.", cluster, 2, 0, Status.FOUND, ""),
    (NEW, "huge.default.svc.cluster.local.", cluster, 3, 0, Status.FOUND, ""),
    # Once three replies came quickly, 250 ms are enough: 0.25 + 0.375 + 0.75.
    (NEW, "example.com", outside(Silence.SILENT), 12, 1.375, Status.TRY_AGAIN, TIMEOUT),
    (NEW, "localhost", cluster, 0, 0, Status.FOUND, ""),
    (NEW, "a.localhost", cluster, 0, 0, Status.FOUND, ""),
    (NEW, "x.onion", cluster, 0, 0, Status.NOT_FOUND, "Domain name not found"),
    (OLD, "whoami", always(Silence.SILENT), 8, 75, Status.TRY_AGAIN, TIMEOUT),
    (OLD, "whoami", always(SERVFAIL), 8, 0, Status.TRY_AGAIN, CONTACT),
    (OLD, "big.default.svc.cluster.local.", cluster, 3, 0, Status.FOUND, ""),
    (
        OLD,
        "big.default.svc.cluster.local.",
        over_tcp(Silence.SILENT),
        3,
        5,
        Status.TRY_AGAIN,
        TIMEOUT,
    ),
    (OLD, "localhost", cluster, 0, 0, Status.FOUND, ""),
    # Node takes an error at once (ARES_FLAG_NOCHECKRESP), and has four tries.
    (NODE, "whoami", always(SERVFAIL), 1, 0, Status.TRY_AGAIN, "queryA ESERVFAIL whoami"),
    (NODE, "example.com", always(REFUSED), 1, 0, Status.FAILED, "queryA EREFUSED example.com"),
    (NODE, "example.com", always(NODATA), 1, 0, Status.NO_DATA, "queryA ENODATA example.com"),
    (NODE, "whoami", cluster, 1, 0, Status.NOT_FOUND, "queryA ENOTFOUND whoami"),
    (NODE, "big.default.svc.cluster.local", cluster, 2, 0, Status.FOUND, ""),
    (NODE, "localhost", cluster, 1, 0, Status.NOT_FOUND, "queryA ENOTFOUND localhost"),
)


@pytest.mark.parametrize(
    ("resolver", "name", "answer", "queries", "seconds", "status", "text"), ENDS
)
def test_ends(resolver, name, answer, queries, seconds, status, text) -> None:  # type: ignore[no-untyped-def]
    lookup = look_up(resolver, name, answer)
    assert (lookup.queries, lookup.seconds) == (queries, seconds)
    assert (lookup.outcome.status, lookup.outcome.text) == (status, text)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 14), (0.5, 11), (1.0, 8)])
def test_the_random_part_cuts_later_rounds_up_to_half(jitter: float, seconds: float) -> None:
    conf = cares_file.parse(POD)
    machine = cares.lookup("example.com.", conf, NO_HOSTS, jitter=lambda: jitter)
    assert drive(machine, always(Silence.SILENT)).seconds == seconds


def test_a_failed_server_comes_last() -> None:
    lookup = look_up(NEW, "whoami.default", first_server(SERVFAIL), TWO)
    assert [s.query.server[-2:] for s in lookup.steps] == ["10", "10", "11", "11", "11", "11"]


def test_every_server_is_asked_before_the_time_is_doubled() -> None:
    three = TWO.replace("options", "nameserver 10.43.0.12\noptions timeout:2 attempts:1")
    lookup = look_up(NEW, "whoami", always(Silence.SILENT), three)
    assert [(s.at, s.query.server[-2:]) for s in lookup.steps[::2]] == [
        (0, "10"),
        (2, "11"),
        (4, "12"),
    ]


def test_a_reply_that_comes_too_late_is_not_heard() -> None:
    """A timeout closes the socket."""

    def slow(query: Query) -> Reply | Silence | Late:
        return Late(cluster(query), 2.5)

    lookup = look_up(NEW, "example.com.", slow)
    assert lookup.queries == 4
    assert lookup.seconds == 4.5


def test_1_18_leaves_a_server_out_that_gave_an_error() -> None:
    lookup = look_up(OLD, "whoami", first_server(SERVFAIL), TWO)
    assert [s.query.server[-2:] for s in lookup.steps] == ["10", "10", "11", "11"]


def test_1_18_rotates_by_query() -> None:
    lookup = look_up(OLD, "whoami", resolv_conf=f"{TWO}options rotate\n")
    assert [s.query.server[-2:] for s in lookup.steps] == ["10", "11"]


def test_node_obeys_use_vc_where_c_ares_alone_forgets_it() -> None:
    resolv_conf = f"{POD}options use-vc\n"
    used = {
        resolver: look_up(resolver, "example.com.", resolv_conf=resolv_conf).steps[0]
        for resolver in (NEW, NODE)
    }
    assert used[NEW].query.transport is Transport.UDP
    assert used[NODE].query.transport is Transport.TCP
