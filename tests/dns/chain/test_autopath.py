"""Search lists walked by the server."""

import pytest

from kubehop.dns.message import Rcode
from tests.dns.chain.serving import Asking, C, block, flags, kubernetes

WEB = f"web.default.svc.{C}"
FORWARD = "forward . 10.0.0.9"
SOA = f"{C} 5 SOA ns.dns.{C} hostmaster.{C} 7 7200 1800 86400 5"


AUTOPATH = block("autopath @kubernetes", kubernetes("pods verified"), FORWARD)


@pytest.mark.parametrize(
    ("question", "more", "expected"),
    [
        (f"{WEB} A", {}, ["NOERROR", f"{WEB} 5 A 10.43.0.1"]),
        (
            f"web.default.default.svc.{C} A",
            {},
            ["NOERROR", f"web.default.default.svc.{C} 5 CNAME {WEB}", f"{WEB} 5 A 10.43.0.1"],
        ),
        (
            f"Example.com.default.svc.{C} A",
            {},
            [
                "NOERROR",
                f"Example.com.default.svc.{C} 300 CNAME Example.com.",
                "Example.com. 300 A 93.184.216.34",
            ],
        ),
        # Neither another namespace's suffix, nor another client, nor the second suffix
        (f"example.com.demo.svc.{C} A", {}, ["NXDOMAIN", SOA]),
        (f"example.com.default.svc.{C} A", {"client": "10.42.0.2"}, ["NXDOMAIN", SOA]),
        (f"example.com.svc.{C} A", {}, ["NXDOMAIN", SOA]),
        (f"nosuch.default.svc.{C} A", {}, ["NXDOMAIN", SOA]),
        # NODATA ends the walk; the domain itself is an error of the plugin
        (f"default.default.svc.{C} A", {}, ["NOERROR", SOA]),
        (f"default.svc.{C} A", {}, ["SERVFAIL"]),
    ],
)
def test_autopath(question: str, more: dict[str, object], expected: list[str]) -> None:
    assert Asking(AUTOPATH).ask(question, **more) == expected


def test_autopath_goes_on_with_the_servers_own_search_list() -> None:
    asking = Asking(AUTOPATH, {"x.corp. A": "10.0.0.4"}, resolv_conf="search lan corp\n")
    name = f"x.default.svc.{C}"
    assert asking.ask(f"{name} A")[1:] == [f"{name} 300 CNAME x.corp.", "x.corp. 300 A 10.0.0.4"]
    assert [w.question.name for w in asking.asked] == ["x.lan.", "x.corp."]


def test_autopath_ends_with_the_first_error() -> None:
    asking = Asking(AUTOPATH, {"x. A": "silence"})
    assert asking.ask(f"x.default.svc.{C} A") == ["SERVFAIL"]


def test_autopath_needs_pods_verified() -> None:
    asking = Asking(block("autopath @kubernetes", kubernetes("pods insecure"), FORWARD))
    assert asking.ask(f"example.com.default.svc.{C} A") == ["NXDOMAIN", SOA]


def test_autopath_with_a_file_is_for_every_client() -> None:
    asking = Asking(
        block("autopath /r", kubernetes(), FORWARD), files={"/r": f"search svc.{C} corp"}
    )
    name = f"example.com.svc.{C}"
    assert asking.ask(f"{name} A", client="")[1] == f"{name} 300 CNAME example.com."


REFUSES = "template IN A default.svc.cluster.local {\nrcode REFUSED\n}"


def test_what_a_plugin_wrote_and_disowned_is_not_passed_on() -> None:
    """A template returns its rcode, and some say that nothing was written: it was, for others."""
    asking = Asking(block(REFUSES, kubernetes(), FORWARD))
    assert flags(asking.reply(f"x.default.svc.{C} A")) == "AA"
    asking = Asking(block("autopath @kubernetes", REFUSES, kubernetes("pods verified"), FORWARD))
    reply = asking.reply(f"x.default.svc.{C} A")
    assert (reply.rcode, flags(reply)) == (Rcode.REFUSED, "")
    assert len(asking.asked) == 1, "the walk went on"
