"""busybox nslookup, dig, host, BIND's nslookup, dnspython; observed unless said."""

import pytest

from kubehop.dns.lookup.protocol import Silence, Status, Transport
from kubehop.dns.message import Rcode, Record, Reply
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
    reply,
)

BB, BB30, BB29 = "busybox", "busybox-1.30", "busybox-1.29"
SILENT = always(Silence.SILENT)
ENDS = (
    # resolver, name, answer, queries, seconds, status, exit code
    (BB, "whoami", cluster, 8, 0, Status.FOUND, 1),
    (BB30, "whoami", cluster, 8, 0, Status.FOUND, 0),
    (BB29, "whoami", cluster, 2, 0, Status.NOT_FOUND, 0),
    (BB, "kubernetes.default", cluster, 2, 0, Status.NOT_FOUND, 1),
    (BB, "a.b.c.d.e.example.com", always(NODATA), 2, 0, Status.NO_DATA, 0),
    (BB, "whoami", always(SERVFAIL), 24, 0, Status.TRY_AGAIN, 1),
    (BB30, "whoami", always(SERVFAIL), 24, 0, Status.TRY_AGAIN, 0),
    (BB, "whoami", outside(SERVFAIL), 24, 0, Status.FOUND, 1),
    (BB, "example.com.", always(REFUSED), 2, 0, Status.TRY_AGAIN, 1),
    (BB, "example.com.", SILENT, 4, 5, Status.TRY_AGAIN, 1),
    (BB29, "example.com.", SILENT, 4, 5, Status.TRY_AGAIN, 1),
    (BB, "whoami", always(Silence.UNREACHABLE), 8, 0, Status.TRY_AGAIN, 1),
    (BB, "example.com.", for_aaaa(NXDOMAIN), 2, 0, Status.FOUND, 1),
    (BB, "example.com.", for_aaaa(Silence.SILENT), 3, 5, Status.FOUND, 0),
    (BB, "10.43.5.5", cluster, 1, 0, Status.NOT_FOUND, 1),
    # Never over TCP: what fits is printed.
    (BB, "big.default.svc.cluster.local.", cluster, 2, 0, Status.FOUND, 0),
    ("busybox-1.28", "whoami", SILENT, 10, 30, Status.TRY_AGAIN, 1),
    ("busybox-1.28-musl", "whoami", SILENT, 4, 5, Status.TRY_AGAIN, 1),
    ("busybox-1.28-musl", "whoami", outside(SERVFAIL), 8, 5, Status.FOUND, 0),
    ("dig", "whoami", cluster, 1, 0, Status.NOT_FOUND, 0),
    ("dig+search", "default", cluster, 2, 0, Status.NO_DATA, 0),
    ("dig+search", "whoami", always(SERVFAIL), 1, 0, Status.TRY_AGAIN, 0),
    ("dig+search", "whoami", SILENT, 3, 15, Status.TRY_AGAIN, 9),
    ("dig+search", "whoami", always(Silence.UNREACHABLE), 3, 0, Status.TRY_AGAIN, 9),
    ("dig+search", "big.default.svc.cluster.local.", cluster, 1, 0, Status.FOUND, 0),
    ("dig+search", "huge.default.svc.cluster.local.", cluster, 2, 0, Status.FOUND, 0),
    (
        "dig+search",
        "huge.default.svc.cluster.local.",
        over_tcp(Silence.SILENT),
        4,
        30,
        Status.TRY_AGAIN,
        9,
    ),
    ("host", "whoami", SILENT, 2, 10, Status.TRY_AGAIN, 1),
    ("host", "whoami", always(SERVFAIL), 1, 0, Status.TRY_AGAIN, 1),
    ("host", "default", cluster, 4, 0, Status.NO_DATA, 0),
    ("host", "whoami", for_aaaa(NXDOMAIN), 3, 0, Status.FOUND, 1),
    ("host", "whoami", for_aaaa(Silence.SILENT), 4, 10, Status.FOUND, 0),
    ("host", "big.default.svc.cluster.local.", cluster, 4, 0, Status.FOUND, 0),
    ("host", "10.43.5.5", cluster, 1, 0, Status.NOT_FOUND, 1),
    ("nslookup", "whoami", for_aaaa(Silence.SILENT), 4, 15, Status.FOUND, 0),
    ("dnspython", "whoami", SILENT, 3, 5.4, Status.TRY_AGAIN, None),
    ("dnspython", "whoami", always(SERVFAIL), 1, 0, Status.TRY_AGAIN, None),
    ("dnspython", "default", cluster, 2, 0, Status.NO_DATA, None),
)


@pytest.mark.parametrize(
    ("resolver", "name", "answer", "queries", "seconds", "status", "code"), ENDS
)
def test_ends(resolver, name, answer, queries, seconds, status, code) -> None:  # type: ignore[no-untyped-def]
    lookup = look_up(resolver, name, answer)
    assert lookup.queries == queries
    assert lookup.seconds == pytest.approx(seconds)
    assert (lookup.outcome.status, lookup.outcome.exit) == (status, code)


TEXTS = (
    (BB, "kubernetes.default", "** server can't find kubernetes.default: NXDOMAIN\n" * 2),
    (BB, "nosuch.", "** server can't find nosuch.: NXDOMAIN\n" * 2),
    ("busybox-1.28", "nosuch", "nslookup: can't resolve 'nosuch'"),
    ("host", "nosuch", "Host nosuch not found: 3(NXDOMAIN)"),
    ("nslookup", "nosuch", "** server can't find nosuch: NXDOMAIN"),
)


@pytest.mark.parametrize(("resolver", "name", "text"), TEXTS)
def test_what_is_printed(resolver: str, name: str, text: str) -> None:
    assert look_up(resolver, name).outcome.text == text


def test_host_names_the_candidate_that_failed() -> None:
    said = look_up("host", "whoami", always(SERVFAIL)).outcome.text
    assert said == "Host whoami.default.svc.cluster.local not found: 2(SERVFAIL)"


def test_busybox_asks_for_all_a_before_all_aaaa() -> None:
    kinds = [s.query.question.type for s in look_up(BB, "whoami").steps]
    assert kinds == ["A"] * 4 + ["AAAA"] * 4


def test_busybox_1_28_prints_the_names_of_server_and_addresses() -> None:
    listed = hosts.parse("93.184.216.34 known\n")
    lookup = look_up("busybox-1.28", "example.com.", hosts=listed)
    assert asked(lookup) == [
        "10.0.43.10.in-addr.arpa. PTR",
        "example.com. A",
        "example.com. AAAA",
        f"{'1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.2.2.0.0.0.8.2.6.0.6.2'}.ip6.arpa. PTR",
    ]


def test_the_next_server_after_the_tries_of_the_first() -> None:
    seconds = {
        resolver: look_up(resolver, "example.com.", first_server(Silence.SILENT), TWO).seconds
        for resolver in (BB, "dig+search", "host", "dnspython")
    }
    assert seconds == {BB: 5, "dig+search": 15, "host": 30, "dnspython": 2}


def test_dig_s_tries_last_for_the_whole_search() -> None:
    """One silent server costs three tries at the first candidate, then one for each."""
    lookup = look_up("dig+search", "example.com", first_server(Silence.SILENT), TWO)
    assert (lookup.queries, lookup.seconds) == (12, 35)


def test_servfail_sends_host_and_nslookup_to_the_next_server_but_not_dig() -> None:
    found = {
        resolver: look_up(resolver, "whoami", first_server(SERVFAIL), TWO).outcome.status
        for resolver in ("host", "nslookup", "dig+search")
    }
    assert found == {
        "host": Status.FOUND,
        "nslookup": Status.FOUND,
        "dig+search": Status.TRY_AGAIN,
    }


def test_nslookup_leaves_a_server_that_does_not_recurse() -> None:
    """As CoreDNS for names of the cluster (source: `check_ra`)."""
    record = Record("whoami.default.svc.cluster.local.", 5, "A", "10.43.5.5")
    alone = Reply(Rcode.NOERROR, (record,), authoritative=True)
    lookup = look_up("nslookup", "whoami.default.svc.cluster.local.", always(alone), TWO)
    assert [s.query.server[-2:] for s in lookup.steps] == ["10", "11", "10", "11"]
    assert lookup.outcome.status is Status.FOUND


def test_host_stays_on_tcp_once_a_reply_was_truncated() -> None:
    lookup = look_up("host", "big.default.svc.cluster.local.")
    assert [(s.query.question.type, s.query.transport) for s in lookup.steps] == [
        ("A", Transport.UDP),
        ("A", Transport.TCP),
        ("AAAA", Transport.TCP),
        ("MX", Transport.TCP),
    ]


def test_host_asks_for_the_end_of_a_cname_chain() -> None:
    chain = reply(
        Rcode.NOERROR,
        Record("www.example.", 5, "CNAME", "a.example."),
        Record("a.example.", 5, "A", "192.0.2.1"),
    )
    assert asked(look_up("host", "www.example.", always(chain)))[1:] == [
        "a.example. AAAA",
        "a.example. MX",
    ]


def test_a_file_that_the_program_refuses_ends_it() -> None:
    broken = f"{SEARCH}nameserver 10.43.0.10 10.43.0.11\n"
    for resolver in ("dig", "host", "nslookup"):
        lookup = look_up(resolver, "example.com", resolv_conf=broken)
        assert (lookup.queries, lookup.outcome.exit) == (0, 1)
        assert "parse of /etc/resolv.conf failed" in lookup.outcome.text


def test_the_root_in_busybox_s_search_list_stops_everything() -> None:
    resolv_conf = "search . svc.cluster.local\nnameserver 10.43.0.10\n"
    lookup = look_up(BB, "whoami", resolv_conf=resolv_conf)
    assert (lookup.queries, lookup.outcome.exit) == (0, 1)


@pytest.mark.parametrize("resolver", ["dig", "host", "nslookup", BB, BB29, BB30, "dnspython"])
def test_the_hosts_file_is_never_consulted(resolver: str) -> None:
    listed = hosts.parse("10.9.9.9 foo.alias\n")
    assert look_up(resolver, "foo.alias", hosts=listed).queries > 0


def test_edns_and_ad_as_the_programs_set_them() -> None:
    sent = {r: look_up(r, "example.com.").steps[0].query for r in ("dig", "host", BB, "musl")}
    assert {r: (q.payload, q.ad) for r, q in sent.items()} == {
        "dig": (1232, True),
        "host": (0, False),
        BB: (0, True),
        "musl": (0, False),
    }
    assert look_up("dig", "x.", resolv_conf=POD).steps[0].query.payload == 1232
