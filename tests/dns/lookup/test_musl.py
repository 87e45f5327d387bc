"""musl in three generations; observed unless said."""

import pytest

from kubehop.dns.lookup.protocol import Silence, Status, Transport
from kubehop.dns.resolv import hosts
from tests.dns.lookup.servers import (
    NODATA,
    NXDOMAIN,
    POD,
    REFUSED,
    SEARCH,
    SERVFAIL,
    TWO,
    always,
    asked,
    cluster,
    first_server,
    for_aaaa,
    look_up,
    outside,
    over_tcp,
)

OLDEST, OLD, NEW = "musl-1.1.13", "musl-1.2.1", "musl"
EACH = (OLDEST, OLD, NEW)
MISSING, AGAIN, UNUSABLE = "Name does not resolve", "Try again", "Name has no usable address"

ENDS = (
    # resolvers, name, answer, queries, seconds, status, text
    (EACH, "whoami", always(SERVFAIL), 12, 5, Status.TRY_AGAIN, AGAIN),
    (EACH, "whoami", always(REFUSED), 4, 5, Status.TRY_AGAIN, AGAIN),
    (EACH, "whoami", always(Silence.SILENT), 4, 5, Status.TRY_AGAIN, AGAIN),
    (EACH, "whoami", always(Silence.UNREACHABLE), 4, 5, Status.TRY_AGAIN, AGAIN),
    (EACH, "example.com", outside(Silence.SILENT), 10, 5, Status.TRY_AGAIN, AGAIN),
    (EACH, "a.b.c.d.e.example.com", always(NXDOMAIN), 2, 0, Status.NOT_FOUND, MISSING),
    ((OLDEST, OLD), "a.b.c.d.e.example.com", always(NODATA), 2, 0, Status.NO_DATA, MISSING),
    ((NEW,), "a.b.c.d.e.example.com", always(NODATA), 2, 0, Status.NO_DATA, UNUSABLE),
    # NODATA ends the search: `default` is a namespace.
    ((NEW,), "default", cluster, 4, 0, Status.NO_DATA, UNUSABLE),
    # An error for AAAA is one for the name since 1.2.1.
    ((OLDEST,), "whoami", for_aaaa(NXDOMAIN), 2, 0, Status.FOUND, ""),
    ((OLD, NEW), "whoami", for_aaaa(NXDOMAIN), 10, 0, Status.NOT_FOUND, MISSING),
    ((OLDEST,), "example.com", for_aaaa(SERVFAIL), 55, 25, Status.FOUND, ""),
    ((OLD, NEW), "example.com", for_aaaa(SERVFAIL), 55, 25, Status.TRY_AGAIN, AGAIN),
    ((OLDEST,), "whoami", for_aaaa(Silence.SILENT), 3, 5, Status.FOUND, ""),
    ((OLD, NEW), "whoami", for_aaaa(Silence.SILENT), 3, 5, Status.TRY_AGAIN, AGAIN),
    # A truncated reply: used as it is, TCP since 1.2.4.
    ((OLDEST, OLD), "big.default.svc.cluster.local.", cluster, 2, 0, Status.FOUND, ""),
    ((NEW,), "big.default.svc.cluster.local.", cluster, 3, 0, Status.FOUND, ""),
    (
        (NEW,),
        "big.default.svc.cluster.local.",
        over_tcp(Silence.SILENT),
        3,
        5,
        Status.TRY_AGAIN,
        AGAIN,
    ),
    (EACH, "x..example.com", cluster, 0, 0, Status.NOT_FOUND, MISSING),
    (EACH, ".", cluster, 0, 0, Status.NOT_FOUND, MISSING),
)


@pytest.mark.parametrize(
    ("resolvers", "name", "answer", "queries", "seconds", "status", "text"), ENDS
)
def test_ends(resolvers, name, answer, queries, seconds, status, text) -> None:  # type: ignore[no-untyped-def]
    for resolver in resolvers:
        resolv_conf = POD.replace("ndots:5", "ndots:1") if ".." in name else POD
        lookup = look_up(resolver, name, answer, resolv_conf)
        assert (resolver, lookup.queries, lookup.seconds) == (resolver, queries, seconds)
        assert (lookup.outcome.status, lookup.outcome.text) == (status, text)


def test_at_most_48_addresses() -> None:
    found = [len(look_up(r, "big.default.svc.cluster.local.").outcome.addresses) for r in EACH]
    assert found == [29, 29, 48]


def test_only_the_truncated_question_goes_over_tcp() -> None:
    lookup = look_up(NEW, "big.default.svc.cluster.local.")
    assert [(s.query.question.type, s.query.transport) for s in lookup.steps] == [
        ("A", Transport.UDP),
        ("AAAA", Transport.UDP),
        ("A", Transport.TCP),
    ]


def test_all_servers_are_asked_at_once_and_the_dead_one_costs_nothing() -> None:
    lookup = look_up(NEW, "example.com.", first_server(Silence.SILENT), TWO)
    assert [s.query.server for s in lookup.steps] == ["10.43.0.10", "10.43.0.11"] * 2
    assert (lookup.seconds, lookup.outcome.status) == (0, Status.FOUND)


def test_with_enough_dots_the_list_is_never_a_second_chance() -> None:
    one = POD.replace("ndots:5", "ndots:1")
    assert asked(look_up(NEW, "kubernetes.default", resolv_conf=one)) == [
        "kubernetes.default. A",
        "kubernetes.default. AAAA",
    ]
    assert look_up("glibc", "kubernetes.default", resolv_conf=one).outcome.status is Status.FOUND


def test_a_long_search_line_takes_all_short_names_away() -> None:
    """255 octets or more are ignored whole."""
    long = f"search default.svc.cluster.local {'x' * 63}.{'y' * 63}.example.com {'z' * 120}\n"
    resolv_conf = f"{long}nameserver 10.43.0.10\noptions ndots:5\n"
    assert asked(look_up(NEW, "whoami", resolv_conf=resolv_conf)) == ["whoami. A", "whoami. AAAA"]


def test_timeout_is_the_time_of_all_rounds_together() -> None:
    resolv_conf = f"{SEARCH}nameserver 10.43.0.10\noptions timeout:3 attempts:3\n"
    lookup = look_up(NEW, "example.com.", always(Silence.SILENT), resolv_conf)
    assert [round(step.at, 2) for step in lookup.steps[::2]] == [0, 1, 2]
    assert lookup.seconds == 3


def test_attempts_0_divides_by_zero() -> None:
    """Source: `timeout / attempts` in `res_msend.c`."""
    lookup = look_up(NEW, "example.com.", resolv_conf=f"{POD}options attempts:0\n")
    assert (lookup.queries, lookup.outcome.status) == (0, Status.CRASHES)


def test_timeout_0_asks_nobody() -> None:
    lookup = look_up(NEW, "example.com.", resolv_conf=f"{POD}options timeout:0\n")
    assert (lookup.queries, lookup.outcome.status) == (0, Status.TRY_AGAIN)


def test_the_search_domain_dot_makes_a_name_that_is_none() -> None:
    """Skipped since 1.2.4; before, a packet that nobody can read is sent."""
    resolv_conf = "search . svc.cluster.local\nnameserver 10.43.0.10\noptions ndots:5\n"
    assert look_up(NEW, "whoami", resolv_conf=resolv_conf).queries == 4
    old = look_up(OLD, "whoami", resolv_conf=resolv_conf)
    assert (old.queries, old.seconds, old.outcome.status) == (0, 5, Status.TRY_AGAIN)


def test_hosts_names_are_compared_with_case() -> None:
    listed = hosts.parse("10.9.9.9 foo.alias\n")
    assert look_up(NEW, "foo.alias", hosts=listed).queries == 0
    assert look_up(NEW, "FOO.alias", hosts=listed).queries == 10
