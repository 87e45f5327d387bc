"""What is asked outside, and of whom."""

import pytest

from kubehop.dns.chain import Asked
from kubehop.dns.message import Question, Rcode
from tests.dns.chain.serving import Asking, C, block, flags, kubernetes

FORWARD = "forward . 10.0.0.9"
SOA = f"{C} 5 SOA ns.dns.{C} hostmaster.{C} 7 7200 1800 86400 5"


def wish(
    options: str = "", to: str = "10.0.0.1 10.0.0.2:54", question: str = "a. A", **more: object
) -> object:
    asking = Asking(block(f"forward . {to} {{\n{options}\n}}"))
    asking.ask(question, **more)
    return asking.asked[0]


@pytest.mark.parametrize(
    ("options", "attribute", "expected"),
    [
        ("", "servers", ("10.0.0.1:53", "10.0.0.2:54")),
        ("", "policy", "random"),
        ("policy sequential", "policy", "sequential"),
        ("", "transport", "udp"),
        ("force_tcp", "transport", "tcp"),
        ("prefer_udp", "prefer_udp", True),
        ("force_tcp\nprefer_udp", "prefer_udp", False),
        ("read_timeout 1s", "read", 1.0),
        ("max_connect_attempts 3", "attempts", 3),
        ("failover SERVFAIL", "failover", frozenset((2,))),
        ("max_fails 9\nhealth_check 1s", "max_fails", 9),
    ],
)
def test_forward_wishes(options: str, attribute: str, expected: object) -> None:
    assert getattr(wish(options), attribute) == expected


def test_forward_speaks_what_the_client_speaks() -> None:
    assert getattr(wish(transport="tcp"), "transport", "") == "tcp"
    assert getattr(wish("prefer_udp", transport="tcp"), "transport", "") == "udp"
    assert getattr(wish(to="tls://9.9.9.9"), "transport", "") == "tls"
    assert getattr(wish(payload=1232, dnssec_ok=True), "payload", 0) == 1232


def test_forward_passes_on_what_it_gets() -> None:
    asking = Asking(block(FORWARD), {"a. A": "REFUSED", "b. A": "silence", "c. A": "SERVFAIL"})
    assert flags(asking.reply("a. A")) == "RA"
    assert asking.ask("a. A") == ["REFUSED"]
    assert asking.ask("b. A") == ["SERVFAIL"]
    assert flags(asking.reply("b. A")) == ""
    assert flags(asking.reply("c. A")) == "RA"


def test_forward_takes_its_zone_without_exceptions() -> None:
    asking = Asking(
        block("forward org 10.0.0.1 {\nexcept x.org org\n}"),
        {"a.org. A": "10.0.0.2", "org. A": "10.0.0.3"},
    )
    # The zone's own name cannot be excepted.
    assert asking.ask("org. A")[0] == "NOERROR"
    assert asking.ask("a.org. A") == ["SERVFAIL"]
    assert asking.ask("com. A") == ["SERVFAIL"]


def test_the_next_forward_takes_what_the_first_leaves() -> None:
    corefile = block("forward org 10.0.0.1 {\nnext NXDOMAIN\n}", "forward . 10.0.0.2", kubernetes())
    asking = Asking(corefile, {"a.org. A": "10.1.1.1"})
    asking.ask("a.org. A")
    asking.ask("x.org. A")
    asking.ask("com. A")
    servers = [w.servers[0] for w in asking.asked]
    assert servers == ["10.0.0.1:53", "10.0.0.1:53", "10.0.0.2:53", "10.0.0.2:53"]


def test_too_many_queries_at_once_are_refused() -> None:
    serving = Asking(block("forward . 10.0.0.1 {\nmax_concurrent 1\n}")).serving
    first = serving.answer(Asked(Question("a.", "A")), 0.0)
    next(first)
    second = serving.answer(Asked(Question("b.", "A")), 0.0)
    with pytest.raises(StopIteration) as ended:
        next(second)
    assert ended.value.value.rcode is Rcode.REFUSED
    first.close()
    next(serving.answer(Asked(Question("c.", "A")), 0.0))


@pytest.mark.parametrize(
    ("server", "leads_back"),
    [
        ("127.0.0.77", True),
        ("::1", True),
        ("10.42.0.2", True),
        ("10.42.0.3", False),
        ("127.0.0.1:5300", False),
    ],
)
def test_forwarding_to_itself_ends_with_servfail(server: str, leads_back: bool) -> None:
    asking = Asking(block(f"forward . {server}"), own=("10.42.0.2",))
    expected = ["SERVFAIL"] if leads_back else ["NOERROR", "example.com. 300 A 93.184.216.34"]
    assert asking.ask("example.com. A") == expected
    assert bool(asking.serving.notes) is leads_back
    assert bool(asking.asked) is not leads_back


def test_loop_would_stop_the_server() -> None:
    notes = Asking(block("loop", "forward . 127.0.0.53")).serving.notes
    assert notes == (
        "forward . leads back to CoreDNS itself: "
        'loop: CoreDNS stops with Loop detected for zone "."',
    )


def test_forwarding_to_another_port_of_itself_is_answered_there() -> None:
    corefile = block("forward . 127.0.0.1:54") + "\n" + block("hosts {\n10.0.0.1 a\n}", key=".:54")
    assert Asking(corefile).ask("a. A") == ["NOERROR", "a. 3600 A 10.0.0.1"]
