"""What recorded programs said, read: outputs of the real ones, and forms that they could have."""

from typing import Any

import pytest

from kubehop.dns.lookup.protocol import Status
from tests.conformance import resolver
from tests.conformance.said import addresses, statuses
from tests.real.recorded import HEADER

SERVER = "Server:\t\t127.0.0.10\nAddress:\t127.0.0.10"
MISSING = f"{SERVER}#53\n\n** server can't find x:"
REFUSED_99 = ";; communications error to 127.0.0.99#53: connection refused\n"
SAID: tuple[tuple[str, str, int, list[str] | None, Status | None], ...] = (
    # resolver, stdout, exit, addresses, status
    ("glibc-getaddrinfo", "0.007s 10.43.5.5 n=1\n", 0, ["10.43.5.5"], None),
    ("glibc-getaddrinfo-AF_INET", "5.0s ERR -3 Temporary failure\n", 2, [], Status.TRY_AGAIN),
    ("glibc-gethostbyname", "ERR h_errno=4\n", 2, [], Status.NO_DATA),
    ("musl-getaddrinfo-1.2.5", "0.0s ERR -5 Name has no usable address\n", 2, [], Status.NO_DATA),
    ("python-3.11", "ERR [Errno -2] Name or service not known\n", 0, [], Status.NOT_FOUND),
    ("java-17", "7ms 93.184.216.34 2606:2800:220:1:0:0:0:1 \n", 0, None, None),
    ("java-17", "ERR x: Temporary failure in name resolution\n", 0, [], Status.TRY_AGAIN),
    ("node-20-lookup", '17ms [{"address":"10.43.5.5","family":4}]\n', 0, ["10.43.5.5"], None),
    ("node-20-lookup", "3ms EAI_AGAIN\n", 0, [], Status.TRY_AGAIN),
    ("node-20-resolve4", "2ms ENODATA\n", 0, [], Status.NO_DATA),
    ("node-20-resolve4", "queryA ESERVFAIL whoami", 1, [], Status.TRY_AGAIN),
    ("node-20-resolve4", "2ms EREFUSED\n", 0, [], Status.FAILED),
    ("node-20-resolve4", "['10.43.5.5']\n", 0, ["10.43.5.5"], None),
    ("c-ares-1.18", "0.01s [b'::1', b'127.0.0.1']\n", 0, ["::1", "127.0.0.1"], None),
    ("c-ares-1.18", "0.01s Could not contact DNS servers\n", 0, [], Status.TRY_AGAIN),
    ("c-ares-1.18", "(4, 'ARES_ENOTFOUND')\n", 0, [], Status.NOT_FOUND),
    ("go-pure", "4ms [10.43.5.5] <nil>\n", 0, ["10.43.5.5"], None),
    (
        "go-pure-ip4",
        "10.0s [] lookup x on 127.0.0.10:53: read udp 127.0.0.1:4->127.0.0.10:53: i/o timeout\n",
        0,
        [],
        Status.TRY_AGAIN,
    ),
    ("dnspython-resolve", "['10.43.5.5']\n", 0, ["10.43.5.5"], None),
    ("dnspython-resolve", "10.43.5.5\n", 0, ["10.43.5.5"], None),
    ("dnspython-resolve", "ERR NXDOMAIN None of DNS query names exist", 0, [], Status.NOT_FOUND),
    (
        "dnspython-resolve",
        "LifetimeTimeout The resolution lifetime expired after 5.4 seconds: Server 127.0.0.10 UDP "
        "port 53 answered The DNS operation timed out.",
        1,
        [],
        Status.TRY_AGAIN,
    ),
    (
        "dnspython-resolve",
        "NoNameservers All nameservers failed to answer the query x. IN A: Server "
        "Do53:127.0.0.10@53 answered SERVFAIL",
        1,
        [],
        Status.TRY_AGAIN,
    ),
    ("dnspython-resolve", "NoAnswer\n", 0, [], Status.NO_DATA),
    ("host", "x has IPv6 address 2606::1\n", 0, ["2606::1"], None),
    ("host", "Host x not found: 2(SERVFAIL)\n", 1, [], Status.TRY_AGAIN),
    ("host", REFUSED_99 + ";; no servers could be reached\n", 1, [], Status.TRY_AGAIN),
    ("host", REFUSED_99 + ";; no servers could be reached\n", 0, [], Status.NO_DATA),
    ("host", "", 0, [], Status.NO_DATA),
    ("nslookup-bind9", f"{SERVER}#53\n\nName:\tx\nAddress: 10.43.5.5\n\n", 0, ["10.43.5.5"], None),
    ("nslookup-bind9", f"{MISSING} NXDOMAIN\n", 1, [], Status.NOT_FOUND),
    ("nslookup-bind9", f"{SERVER}#53\n\n*** Can't find x: No answer\n", 0, [], Status.NO_DATA),
    ("nslookup-bind9", ";; no servers could be reached\n\n", 1, [], Status.TRY_AGAIN),
    ("dig", f"{REFUSED_99}; DiG\n;; status: REFUSED, id: 1\n", 0, [], Status.FAILED),
    ("dig+search", ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id", 0, [], Status.NO_DATA),
    ("dig", ";; no servers could be reached\n", 9, [], Status.TRY_AGAIN),
    ("busybox-nslookup-1.28.4-musl", "\nAddress 1: 10.42.0.5 mypod\n", 0, ["10.42.0.5"], None),
    ("busybox-nslookup-1.36.1-musl", f"{SERVER}:53\n\n\n", 0, [], Status.NO_DATA),
    (
        "busybox-nslookup-1.36.1-musl-type-a",
        f"{SERVER}:53\n\n** server can't find x: NXDOMAIN\n\n** server can't find x: SERVFAIL\n",
        1,
        [],
        Status.TRY_AGAIN,
    ),
)


def _case(name: str, stdout: str, code: int) -> dict[str, Any]:
    return {"resolver": name, "stdout": stdout, "stderr": "", "exit": code, "elapsed_s": 0.1}


@pytest.mark.parametrize(("name", "stdout", "code", "printed", "status"), SAID)
def test_what_was_said(
    name: str, stdout: str, code: int, printed: list[str] | None, status: Status | None
) -> None:
    case = _case(name, stdout, code)
    if printed is not None:
        assert addresses(case) == printed
    if status is not None:
        assert status in statuses(case)
        assert len(statuses(case)) <= 2


def test_words_that_are_not_known_say_so() -> None:
    case = _case("go-pure", "panic: oh no\n", 2) | {
        "resolv_conf": "nameserver 127.0.0.10\n",
        "name": "nosuch.",
        "scenario": "nxdomain",
        "queries": [
            {"qname": "nosuch.", "qtype": kind, "server": "127.0.0.10", "transport": "udp"}
            | {"reply": "NXDOMAIN", "dt": 0.0}
            for kind in ("A", "AAAA")
        ],
    }
    assert resolver.lookup(case, HEADER) == "outcome not understood: 'panic: oh no\\n'"


def test_a_lookup_that_was_broken_off_is_compared_as_far_as_it_went() -> None:
    query = {"qname": "big.default.svc.cluster.local.", "server": "127.0.0.10", "dt": 0.0}
    udp = [
        query | {"qtype": "A", "transport": "udp", "reply": "TC(28)"},
        query | {"qtype": "AAAA", "transport": "udp", "reply": "NODATA"},
    ]
    case = _case("glibc-getaddrinfo", "", -9) | {
        "resolv_conf": "nameserver 127.0.0.10\n",
        "name": "big.default.svc.cluster.local.",
        "scenario": "tcp_blocked",
        "elapsed_s": 60.01,
        "queries": udp,
    }
    for code in (-9, 124, 137, None):
        assert resolver.lookup(case | {"exit": code}, HEADER) == ""
    nameless = {"qname": None, "qtype": None, "server": "127.0.0.10", "transport": "tcp"}
    connected = [*udp, nameless | {"reply": "ACCEPT", "dt": 0.1}]
    assert resolver.lookup(case | {"queries": connected}, HEADER) == ""
    assert resolver.lookup(case | {"queries": udp[:1]}, HEADER) != ""
    assert resolver.lookup(case | {"exit": 2, "stdout": "ERR -3 x\n"}, HEADER) != ""
