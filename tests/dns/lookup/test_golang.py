"""Go's own resolver; observed unless said."""

import pytest

from kubehop.dns.lookup.protocol import Silence, Status, Transport
from kubehop.dns.message import Rcode, Record
from kubehop.dns.resolv import hosts
from tests.dns.lookup.servers import (
    NODATA,
    NXDOMAIN,
    POD,
    REFUSED,
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
    reply,
)

ON = "lookup {} on 10.43.0.10:53: "
ENDS = (
    # name, answer, queries, seconds, status, text behind "lookup NAME on SERVER: "
    ("whoami", always(SERVFAIL), 20, 0, Status.TRY_AGAIN, "server misbehaving"),
    ("example.com.", always(REFUSED), 4, 0, Status.TRY_AGAIN, "server misbehaving"),
    ("whoami", always(NODATA), 10, 0, Status.NOT_FOUND, "no such host"),
    ("nosuch", cluster, 10, 0, Status.NOT_FOUND, "no such host"),
    # Every candidate is tried, whatever became of the one before.
    ("whoami", always(Silence.SILENT), 20, 50, Status.TRY_AGAIN, "read udp: i/o timeout"),
    ("example.com", outside(Silence.SILENT), 14, 20, Status.TRY_AGAIN, "read udp: i/o timeout"),
    (
        "whoami",
        always(Silence.UNREACHABLE),
        20,
        0,
        Status.TRY_AGAIN,
        "read udp: read: connection refused",
    ),
)


@pytest.mark.parametrize(("name", "answer", "queries", "seconds", "status", "text"), ENDS)
def test_ends(name, answer, queries, seconds, status, text) -> None:  # type: ignore[no-untyped-def]
    lookup = look_up("go", name, answer)
    assert (lookup.queries, lookup.seconds) == (queries, seconds)
    assert lookup.outcome.status is status
    assert lookup.outcome.text == ON.format(name) + text


FOUND = (
    # name, answer, queries, seconds, addresses
    ("example.com", for_aaaa(NXDOMAIN), 10, 0, 1),
    ("example.com", for_aaaa(SERVFAIL), 15, 0, 1),
    ("whoami", for_aaaa(Silence.SILENT), 3, 10, 1),
    ("big.default.svc.cluster.local.", cluster, 2, 0, 60),
    ("huge.default.svc.cluster.local.", cluster, 3, 0, 400),
)


@pytest.mark.parametrize(("name", "answer", "queries", "seconds", "found"), FOUND)
def test_found(name, answer, queries, seconds, found) -> None:  # type: ignore[no-untyped-def]
    lookup = look_up("go", name, answer)
    assert (lookup.queries, lookup.seconds) == (queries, seconds)
    assert len(lookup.outcome.addresses) == found


def test_a_silent_tcp_server_costs_the_timeout_again() -> None:
    """Source: `exchange` gives each transport the whole timeout."""
    lookup = look_up("go-ipv4", "huge.default.svc.cluster.local.", over_tcp(Silence.SILENT))
    assert [(s.query.transport, s.at) for s in lookup.steps] == [
        (Transport.UDP, 0),
        (Transport.TCP, 0),
        (Transport.UDP, 5),
        (Transport.TCP, 5),
    ]
    assert lookup.seconds == 10


def test_single_request_asks_one_after_the_other() -> None:
    lookup = look_up("go", "whoami", for_aaaa(Silence.SILENT), f"{POD}options single-request\n")
    assert [s.query.question.type for s in lookup.steps] == ["A", "AAAA", "AAAA"]
    assert lookup.seconds == 10


def test_the_second_server_is_asked_after_the_timeout() -> None:
    lookup = look_up("go", "example.com.", first_server(Silence.SILENT), TWO)
    assert [s.query.server for s in lookup.steps] == ["10.43.0.10"] * 2 + ["10.43.0.11"] * 2
    assert lookup.seconds == 5


def test_nxdomain_of_the_first_server_is_final_for_a_name() -> None:
    assert look_up("go", "example.com.", first_server(NXDOMAIN), TWO).queries == 2


def test_rotation_moves_with_every_question() -> None:
    lookup = look_up("go", "whoami.default", resolv_conf=f"{TWO}options rotate\n")
    assert [s.query.server[-2:] for s in lookup.steps] == ["10", "11", "10", "11"]


def test_a_bare_cname_is_no_such_host() -> None:
    """Source: `skipToAnswer`."""
    bare = reply(Rcode.NOERROR, Record("a.example.", 5, "CNAME", "gone.example."))
    assert look_up("go", "a.example.", always(bare)).outcome.status is Status.NOT_FOUND


def test_too_long_candidates_and_onions_are_left_out() -> None:
    """Source: `nameList`, `avoidDNS`."""
    name = ".".join(["a" * 60] * 3 + ["b" * 50])
    assert asked(look_up("go-ipv4", name)) == [
        f"{name}.svc.cluster.local. A",
        f"{name}.cluster.local. A",
        f"{name}. A",
    ]
    assert look_up("go", "x.onion.").queries == 0


@pytest.mark.parametrize("name", ["*.example.com", "a..b", "-a.b", "a-.b", "12", "é.example", ""])
def test_what_is_no_domain_name_is_never_asked_for(name: str) -> None:
    lookup = look_up("go", name)
    assert (lookup.queries, lookup.outcome.text) == (0, f"lookup {name}: no such host")


@pytest.mark.parametrize("name", ["_http._tcp.example", "a-b.c", "1a.example", "x" * 63])
def test_what_is_a_domain_name_is_asked_for(name: str) -> None:
    assert look_up("go", name).queries == 10


def test_hosts_names_match_with_and_without_a_dot() -> None:
    listed = hosts.parse("10.9.9.9 foo.alias\n")
    assert look_up("go", "FOO.alias.", hosts=listed).queries == 0
