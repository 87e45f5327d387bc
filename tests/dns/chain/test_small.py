"""hosts, transfer, any and minimal."""

import pytest

from tests.dns.chain.serving import Asking, C, block, kubernetes

WEB = f"web.default.svc.{C}"
FORWARD = "forward . 10.0.0.9"
SOA = f"{C} 5 SOA ns.dns.{C} hostmaster.{C} 7 7200 1800 86400 5"
KNOWN = {"a. A": "10.0.0.1", "b.org. A": "10.0.0.2", "a. SRV": "0 1 80 t.b."}


HOSTS = "hosts {\n10.0.0.1 a b.org\nfd00::1 a\n10.0.0.2 a\nfallthrough org\n}"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("A. A", ["NOERROR", "a. 3600 A 10.0.0.1", "a. 3600 A 10.0.0.2"]),
        ("a. AAAA", ["NOERROR", "a. 3600 AAAA fd00::1"]),
        ("b.org. AAAA", ["NOERROR"]),
        ("a. MX", ["NOERROR"]),
        ("x. A", ["SERVFAIL"]),
        ("x.org. A", ["NOERROR", "x.org. 300 A 10.0.0.9"]),
        (
            "1.0.0.10.in-addr.arpa. PTR",
            ["NOERROR", *(f"1.0.0.10.in-addr.arpa. 3600 PTR {n}" for n in ("a.", "b.org."))],
        ),
        ("9.0.0.10.in-addr.arpa. PTR", ["NOERROR", "9.0.0.10.in-addr.arpa. 300 PTR x."]),
    ],
)
def test_hosts(question: str, expected: list[str]) -> None:
    known = {"x.org. A": "10.0.0.9", "9.0.0.10.in-addr.arpa. PTR": "x."}
    assert Asking(block(HOSTS, FORWARD), known).ask(question) == expected


def test_hosts_of_other_zones_are_not_asked() -> None:
    asking = Asking(
        block("hosts /h org {\n10.0.0.1 a.org a.com\n}", FORWARD),
        {"a.com. A": "10.0.0.9"},
        files={"/h": ""},
    )
    assert asking.ask("a.org. A") == ["NOERROR", "a.org. 3600 A 10.0.0.1"]
    assert asking.ask("a.com. A") == ["NOERROR", "a.com. 300 A 10.0.0.9"]


def test_transfer() -> None:
    asking = Asking(block("transfer {\nto 10.0.0.5\n}", kubernetes()))
    assert asking.ask(f"{C} AXFR") == ["REFUSED"]
    assert asking.ask(f"{C} AXFR", transport="tcp") == ["REFUSED"]
    lines = asking.ask(f"{C} AXFR", transport="tcp", client="10.0.0.5")
    assert (lines[1], lines[-1]) == (SOA, SOA)
    assert f"{WEB} 5 A 10.43.0.1" in lines
    same = asking.ask(f"{C} IXFR", transport="tcp", client="10.0.0.5", serial=7)
    assert same == ["NOERROR", SOA]
    assert asking.ask("org. AXFR", transport="tcp", client="10.0.0.5") == ["SERVFAIL"]


def test_any_is_told_off() -> None:
    expected = ["NOERROR", 'a. 8482 HINFO "ANY obsoleted" "See RFC 8482"']
    assert Asking(block("any", FORWARD), KNOWN).ask("a. ANY") == expected
    assert Asking(block("any", FORWARD), KNOWN).ask("a. A")[1] == "a. 300 A 10.0.0.1"


def test_minimal_leaves_glue_out() -> None:
    asking = Asking(block("minimal", kubernetes()))
    assert asking.ask(f"{WEB} SRV") == ["NOERROR", f"{WEB} 5 SRV 0 100 80 {WEB}"]
    assert asking.ask(f"x.{C} A") == ["NXDOMAIN", SOA]
