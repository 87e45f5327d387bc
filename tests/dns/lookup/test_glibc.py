"""glibc: what goes on with the search, which servers, habits, buffers; observed unless said."""

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

UNKNOWN = "Name or service not known"
NO_ADDRESS = "No address associated with hostname"
AGAIN = "Temporary failure in name resolution"

ENDS = (
    # name, answer, queries, seconds, status, text
    ("whoami", always(SERVFAIL), 20, 0, Status.TRY_AGAIN, AGAIN),
    ("a.b.c.d.e.example.com", always(SERVFAIL), 20, 0, Status.TRY_AGAIN, AGAIN),
    ("a.b.c.d.e.example.com", always(NODATA), 10, 0, Status.NO_DATA, NO_ADDRESS),
    ("example.com.", always(REFUSED), 4, 0, Status.TRY_AGAIN, AGAIN),
    # REFUSED and silence leave the list; then once more as typed.
    ("example.com", outside(REFUSED), 14, 0, Status.TRY_AGAIN, AGAIN),
    ("whoami", always(Silence.SILENT), 8, 20, Status.TRY_AGAIN, AGAIN),
    ("example.com", outside(Silence.SILENT), 14, 20, Status.TRY_AGAIN, AGAIN),
    # Nobody listens: the end at once.
    ("whoami", always(Silence.UNREACHABLE), 4, 0, Status.TRY_AGAIN, AGAIN),
    ("default", cluster, 10, 0, Status.NO_DATA, NO_ADDRESS),
    ("nosuch", cluster, 10, 0, Status.NOT_FOUND, UNKNOWN),
    # An error for one of the pair is forgiven, whatever it is.
    ("example.com", for_aaaa(NXDOMAIN), 10, 0, Status.FOUND, ""),
    ("example.com", for_aaaa(SERVFAIL), 10, 0, Status.FOUND, ""),
    # Half a pair missing: 5 s again, 5 s one by one, 5 s with new sockets; later names know.
    ("whoami", for_aaaa(Silence.SILENT), 6, 15, Status.FOUND, ""),
    ("example.com", for_aaaa(Silence.SILENT), 14, 35, Status.FOUND, ""),
    (
        "huge.default.svc.cluster.local.",
        over_tcp(Silence.UNREACHABLE),
        4,
        0,
        Status.TRY_AGAIN,
        AGAIN,
    ),
    # What is no hostname is never asked for.
    ("*.example.com", cluster, 0, 0, Status.NOT_FOUND, UNKNOWN),
    ("-x.example.com", cluster, 0, 0, Status.NOT_FOUND, UNKNOWN),
    ("10.0.0.1", cluster, 0, 0, Status.FOUND, ""),
)


@pytest.mark.parametrize(("name", "answer", "queries", "seconds", "status", "text"), ENDS)
def test_ends(name, answer, queries, seconds, status, text) -> None:  # type: ignore[no-untyped-def]
    lookup = look_up("glibc", name, answer)
    assert (lookup.queries, lookup.seconds) == (queries, seconds)
    assert (lookup.outcome.status, lookup.outcome.text) == (status, text)


OPTIONS = (
    # options, name, answer, queries, seconds
    ("ndots:5 no-tld-query", "nosuch", cluster, 8, 0),
    ("ndots:5 no-tld-query", "no.such", cluster, 10, 0),
    ("ndots:0", "whoami", cluster, 4, 0),
    ("ndots:5 no-aaaa", "whoami", cluster, 1, 0),
    # One by one, an error of the first query goes to the next server at once (bug 30081).
    ("ndots:5 single-request", "example.com.", always(SERVFAIL), 2, 0),
    ("ndots:5 single-request-reopen", "whoami", for_aaaa(Silence.SILENT), 2, 5),
    ("ndots:5 timeout:1", "example.com.", always(Silence.SILENT), 4, 2),
    ("ndots:5 attempts:1", "example.com.", always(Silence.SILENT), 2, 5),
    # No round at all: as if nobody listened.
    ("ndots:5 attempts:0", "example.com.", cluster, 0, 0),
    ("ndots:5 use-vc", "whoami", cluster, 2, 0),
    # Replies that do not fit 1024, 2048 octets: all again; with EDNS without TCP.
    ("ndots:5", "big.default.svc.cluster.local.", cluster, 12, 0),
    ("ndots:5 edns0", "big.default.svc.cluster.local.", cluster, 6, 0),
    ("ndots:5", "huge.default.svc.cluster.local.", cluster, 20, 0),
)


@pytest.mark.parametrize(("options", "name", "answer", "queries", "seconds"), OPTIONS)
def test_options(options, name, answer, queries, seconds) -> None:  # type: ignore[no-untyped-def]
    resolv_conf = f"{SEARCH}nameserver 10.43.0.10\noptions {options}\n"
    lookup = look_up("glibc", name, answer, resolv_conf)
    assert (lookup.queries, lookup.seconds) == (queries, seconds)


def test_use_vc_sends_everything_over_tcp() -> None:
    lookup = look_up("glibc", "whoami", resolv_conf=f"{POD}options use-vc\n")
    assert {step.query.transport for step in lookup.steps} == {Transport.TCP}


def test_a_silent_tcp_server_hangs_the_program() -> None:
    lookup = look_up("glibc", "big.default.svc.cluster.local.", over_tcp(Silence.SILENT))
    assert lookup.outcome.status is Status.HANGS
    assert lookup.seconds == float("inf")


def test_servers_wait_less_the_later_they_stand() -> None:
    three = TWO.replace("options", "nameserver 10.43.0.12\noptions timeout:2 attempts:1")
    lookup = look_up("glibc", "whoami", always(Silence.SILENT), three)
    assert [step.at for step in lookup.steps[::2]] == [0, 2, 3, 5, 7, 8]
    assert lookup.seconds == 10


def test_the_second_server_answers_after_the_first_stayed_silent() -> None:
    lookup = look_up("glibc", "example.com.", first_server(Silence.SILENT), TWO)
    assert [step.query.server for step in lookup.steps] == ["10.43.0.10"] * 2 + ["10.43.0.11"] * 2
    assert lookup.seconds == 5


def test_rotation_begins_each_name_with_the_next_server() -> None:
    lookup = look_up("glibc", "nosuch", resolv_conf=f"{TWO}options rotate\n")
    assert [s.query.server[-2:] for s in lookup.steps[::2]] == ["10", "11", "10", "11", "10"]


def test_an_empty_reply_without_authority_counts_as_none() -> None:
    """A lame server (rule of `res_send.c`)."""
    lame = Reply(Rcode.NOERROR)
    assert look_up("glibc", "example.com.", always(lame)).queries == 4
    assert look_up("glibc", "example.com.", always(NODATA)).queries == 2


def test_the_root_in_the_search_list_replaces_the_name_as_typed() -> None:
    resolv_conf = "search default.svc.cluster.local. .\nnameserver 10.43.0.10\noptions ndots:5\n"
    assert asked(look_up("glibc", "nosuch", resolv_conf=resolv_conf)) == [
        "nosuch.default.svc.cluster.local. A",
        "nosuch.default.svc.cluster.local. AAAA",
        "nosuch. A",
        "nosuch. AAAA",
    ]


def test_a_cname_that_leads_nowhere_is_no_name() -> None:
    """Source: `gaih_getanswer_slice`, `getanswer_r`; the error differs from call to call."""
    bare = reply(Rcode.NOERROR, Record("a.example.com.", 5, "CNAME", "gone.example.com."))
    texts = {
        call: look_up(call, "a.example.com.", always(bare)).outcome.text
        for call in ("glibc", "glibc-ipv4", "glibc-gethostbyname")
    }
    assert texts == {
        "glibc": UNKNOWN,
        "glibc-ipv4": NO_ADDRESS,
        "glibc-gethostbyname": "Unknown server error",
    }


def test_the_hosts_file_comes_first() -> None:
    listed = hosts.parse("127.0.0.1 localhost\n10.9.9.9 foo.alias Bar\nfd00::1 six\n")
    for name in ("localhost", "FOO.ALIAS", "bar"):
        assert look_up("glibc", name, hosts=listed).queries == 0
    assert look_up("glibc", "localhost.", hosts=listed).queries == 2
    assert look_up("glibc-ipv4", "six", hosts=listed).queries == 5


def test_java_python_and_node_say_it_in_their_own_words() -> None:
    said = {r: look_up(r, "nosuch").outcome.text for r in ("java", "python", "node")}
    assert said == {
        "java": f"java.net.UnknownHostException: nosuch: {UNKNOWN}",
        "python": f"[Errno -2] {UNKNOWN}",
        "node": "getaddrinfo ENOTFOUND nosuch",
    }


def test_a_candidate_that_is_too_long_leaves_the_list() -> None:
    """`__res_context_query` cannot build it: NO_RECOVERY, then the name as typed."""
    name = "a" * 60 + "." + "b" * 60 + "." + "c" * 60 + "." + "d" * 50
    assert asked(look_up("glibc", name)) == [f"{name}. A", f"{name}. AAAA"]
