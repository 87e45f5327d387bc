"""The fine print of programs, seen when they ran in scenarios beside their machines."""

import pytest

from kubehop.dns.lookup import busybox, cares, musl
from kubehop.dns.lookup.drive import Answer, drive
from kubehop.dns.lookup.protocol import Query, Silence, Status, Transport
from kubehop.dns.message import Rcode, Record, Reply
from kubehop.dns.resolv import busybox as busybox_file
from kubehop.dns.resolv import cares as cares_file
from kubehop.dns.resolv import musl as musl_file
from kubehop.dns.resolv.hosts import NO_HOSTS
from tests.dns.lookup.servers import (
    NXDOMAIN,
    POD,
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

FIRST_GONE = first_server(Silence.UNREACHABLE)
ROOT = "search . default.svc.cluster.local\nnameserver 10.43.0.10\noptions ndots:5\n"
ENDS_IN_ROOT = "search default.svc.cluster.local. .\nnameserver 10.43.0.10\noptions ndots:5\n"


def typed_fails(result: Reply | Silence) -> Answer:
    """NXDOMAIN under the search list, `result` for the name as typed."""
    return lambda query: result if query.question.name == "no.such." else NXDOMAIN


ERRNO = (
    # getaddrinfo for IPv4 only: what the last name got decides, whatever the search amounts to.
    (typed_fails(SERVFAIL), "ndots:5", Status.TRY_AGAIN),
    (typed_fails(Silence.SILENT), "ndots:5", Status.TRY_AGAIN),
    (typed_fails(SERVFAIL), "ndots:1", Status.NOT_FOUND),
    (typed_fails(Silence.SILENT), "ndots:1", Status.NOT_FOUND),
    # Over TCP a SERVFAIL is a reply.
    (typed_fails(SERVFAIL), "ndots:5 use-vc", Status.NOT_FOUND),
    (typed_fails(Silence.UNREACHABLE), "ndots:5 use-vc", Status.TRY_AGAIN),
)


@pytest.mark.parametrize(("answer", "options", "status"), ERRNO)
def test_errno_of_the_last_name_decides(answer: Answer, options: str, status: Status) -> None:
    resolv_conf = POD.replace("ndots:5", options)
    lookup = look_up("glibc-ipv4", "no.such", answer, resolv_conf)
    assert lookup.outcome.status is status
    both = look_up("glibc", "no.such", answer, resolv_conf)
    assert both.outcome.status is Status.TRY_AGAIN


def test_glibc_goes_on_after_servfail_over_tcp() -> None:
    resolv_conf = f"{POD}options use-vc\n"
    assert look_up("glibc-ipv4", "nosuch", always(SERVFAIL), resolv_conf).queries == 5
    assert look_up("glibc-ipv4", "nosuch", always(Silence.UNREACHABLE), resolv_conf).queries == 1


def test_three_rounds_of_musl_fill_its_time() -> None:
    """poll() is late by a thousandth: 3 * 1.666 s is more than 5 s."""
    resolv_conf = f"{POD}options attempts:3\n"
    lookup = look_up("musl", "example.com.", always(Silence.SILENT), resolv_conf)
    assert (lookup.queries, lookup.seconds) == (6, 5)


BIG, HUGE = "big.default.svc.cluster.local.", "huge.default.svc.cluster.local."
READ = (
    # version, name, addresses, status
    (musl.NEWEST, BIG, 48, Status.FOUND),
    (musl.NEWEST, HUGE, 48, Status.FOUND),
    (musl.ONLY_1_2_4, BIG, 45, Status.FOUND),
    (musl.ONLY_1_2_4, HUGE, 0, Status.NO_DATA),
    (musl.SINCE_1_2_1, BIG, 29, Status.FOUND),
)


@pytest.mark.parametrize(("version", "name", "count", "status"), READ)
def test_musl_reads_as_much_as_its_buffer_holds(
    version: musl.Version, name: str, count: int, status: Status
) -> None:
    """1.2.4 asks over TCP, reads 768 octets, and refuses a reply of more than 63 records."""
    conf = musl_file.parse(POD, "")
    outcome = drive(musl.lookup(name, conf, NO_HOSTS, version), cluster).outcome
    assert (len(outcome.addresses), outcome.status) == (count, status)


def test_dnspython_hears_no_icmp_but_meets_closed_tcp_ports() -> None:
    silent = look_up("dnspython", "example.com.", FIRST_GONE, TWO)
    assert (silent.queries, silent.seconds) == (2, 2)

    def closed(query: Query) -> Reply | Silence:
        return Silence.UNREACHABLE if query.transport is Transport.TCP else cluster(query)

    lookup = look_up("dnspython", "huge.default.svc.cluster.local.", closed)
    assert (lookup.queries, lookup.seconds) == (2, 0)


def test_the_error_of_one_datagram_meets_the_next_write_of_old_c_ares() -> None:
    """A waits for a server that is not there, AAAA goes on at once: they share a socket."""
    lookup = look_up("c-ares-1.18", "whoami", FIRST_GONE, TWO)
    there = [(s.query.question.type, s.at) for s in lookup.steps if s.query.server != "10.43.0.10"]
    assert there == [("AAAA", 0), ("A", 5)]
    alone = look_up("c-ares-1.18", "whoami", always(Silence.UNREACHABLE))
    assert (alone.seconds, alone.outcome.text) == (0, "Could not contact DNS servers")


def test_a_connection_that_fails_counts_once_for_all_that_is_on_it() -> None:
    three = TWO.replace("options", "nameserver 10.43.0.12\noptions")

    def answer(query: Query) -> Silence:
        return Silence.UNREACHABLE if query.server == "10.43.0.10" else Silence.SILENT

    lookup = look_up("c-ares", "nosuch.", answer, three)
    last = [step.query.server for step in lookup.steps if step.query.question.type == "A"]
    assert last[:4] == ["10.43.0.10", "10.43.0.11", "10.43.0.12", "10.43.0.10"]


def test_c_ares_keeps_what_was_answered() -> None:
    """The root in the list is the name as typed, which is not asked for a second time."""
    soa = Record(".", 30, "SOA", "ns.dns. hostmaster. 1 7200 1800 86400 5")
    kept = Reply(Rcode.NXDOMAIN, authority=(soa,), authoritative=True, recursive=True)
    assert asked(look_up("c-ares", "nosuch", always(kept), ROOT)) == [
        "nosuch. A",
        "nosuch. AAAA",
        "nosuch.default.svc.cluster.local. A",
        "nosuch.default.svc.cluster.local. AAAA",
    ]
    # Without a SOA nobody says for how long.
    assert look_up("c-ares", "nosuch", always(NXDOMAIN), ROOT).queries == 6


def test_old_c_ares_joins_the_root_to_a_name_that_is_none() -> None:
    lookup = look_up("c-ares-1.18", "nosuch", cluster, ENDS_IN_ROOT)
    assert (lookup.queries, lookup.outcome.text) == (2, "Misformatted domain name")
    assert look_up("c-ares-1.18", "whoami", cluster, ENDS_IN_ROOT).outcome.addresses


def test_c_ares_may_read_both_replies_before_it_sends() -> None:
    """Then AAAA is sent again although A is there: it depends on how quickly they come."""
    conf = cares_file.parse(TWO, "")
    both = cares.lookup("whoami", conf, NO_HOSTS, together=lambda: True)
    assert drive(both, for_aaaa(SERVFAIL)).queries == 3
    assert look_up("c-ares", "whoami", for_aaaa(SERVFAIL), TWO).queries == 2


SEARCHES_AGAIN = (
    # resolver, name, ndots, queries for AAAA
    ("host", "whoami.default.svc.cluster.local.", 5, 5),
    ("nslookup", "whoami.default.svc.cluster.local.", 5, 5),
    ("host", "whoami.default.svc.cluster.local.", 6, 1),
    ("host", "whoami.default.svc.cluster.local", 4, 1),
    ("host", "whoami", 5, 1),
)


@pytest.mark.parametrize(("resolver", "name", "ndots", "queries"), SEARCHES_AGAIN)
def test_a_trailing_dot_counts_as_a_dot_and_is_gone_for_aaaa(
    resolver: str, name: str, ndots: int, queries: int
) -> None:
    resolv_conf = f"{SEARCH}nameserver 10.43.0.10\noptions ndots:{ndots}\n"
    lookup = look_up(resolver, name, for_aaaa(NXDOMAIN), resolv_conf)
    kinds = [step.query.question.type for step in lookup.steps]
    assert kinds.count("AAAA") == queries


def test_host_names_what_was_found_when_aaaa_fails() -> None:
    lookup = look_up("host", "default", for_aaaa(NXDOMAIN))
    assert lookup.outcome.text == "Host default.svc.cluster.local not found: 3(NXDOMAIN)"
    lookup = look_up("host", "nosuch")
    assert lookup.outcome.text == "Host nosuch not found: 3(NXDOMAIN)"


def test_old_musl_packs_what_nobody_can_read_and_busybox_waits_for_it() -> None:
    conf = busybox_file.parse(ENDS_IN_ROOT, "")
    packing, refusing = (
        drive(
            busybox.lookup("whoami", conf, NO_HOSTS, busybox.Version(packs=packs), ("A", "AAAA")),
            cluster,
        )
        for packs in (True, False)
    )
    assert (packing.queries, packing.seconds) == (2, 5)
    assert packing.outcome.addresses == ("10.43.5.5",)
    assert refusing.outcome.status is Status.TRY_AGAIN


def test_go_says_how_it_failed() -> None:
    texts = [
        look_up("go", "example.com.", always(Silence.UNREACHABLE), f"{POD}options {more}\n")
        for more in ("use-vc", "")
    ]
    assert [lookup.outcome.text.split("53: ", 1)[1] for lookup in texts] == [
        "dial tcp 10.43.0.10:53: connect: connection refused",
        "read udp: read: connection refused",
    ]


def test_the_first_error_of_a_name_with_a_dot_is_go_s_last_word() -> None:
    """AAAA is known not to be there long before A's TCP times out."""
    blocked, huge = over_tcp(Silence.SILENT), "huge.default.svc.cluster.local"
    assert look_up("go", f"{huge}.", blocked).outcome.status is Status.NOT_FOUND
    bare = f"{SEARCH}nameserver 10.43.0.10\noptions ndots:1\n"
    assert look_up("go", huge, blocked, bare).outcome.status is Status.TRY_AGAIN


def test_upstream_errors_leave_names_of_the_cluster_alone() -> None:
    assert look_up("glibc-ipv4", "whoami", outside(SERVFAIL)).outcome.addresses


NO_NAMES = (
    # resolver, what is asked for -> what the program says, as seen
    ("glibc-ipv4", "fd00::1", "Address family for hostname not supported", Status.FAILED),
    ("glibc-gethostbyname", "fd00::1", "Unknown host", Status.NOT_FOUND),
    ("go-ipv4", "fd00::1", "address fd00::1: no suitable address found", Status.FAILED),
    ("dnspython", "a..b", "A DNS label is empty.", Status.FAILED),
    ("dnspython", "a" * 64, "A DNS label is > 63 octets long.", Status.FAILED),
    ("dnspython", "a." * 128, "A DNS name is > 255 octets long.", Status.FAILED),
    ("dig+search", "a..b", "dig: 'a..b' is not a legal name (empty label)", Status.FAILED),
)


@pytest.mark.parametrize(("resolver", "name", "said", "status"), NO_NAMES)
def test_what_cannot_be_asked_for(resolver: str, name: str, said: str, status: Status) -> None:
    lookup = look_up(resolver, name)
    assert (lookup.outcome.text, lookup.outcome.status, lookup.queries) == (said, status, 0)


@pytest.mark.parametrize("resolver", ["glibc", "go", "musl"])
def test_an_ipv6_address_is_found_where_both_families_are_wanted(resolver: str) -> None:
    assert look_up(resolver, "fd00::1").outcome.addresses == ("fd00::1",)
