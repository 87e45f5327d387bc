"""What is kept, for how long, and in which spelling."""

import pytest

from tests.dns.chain.serving import Asking, C, block, flags, kubernetes

FORWARD = "forward . 10.0.0.9"
SOA = f"{C} 5 SOA ns.dns.{C} hostmaster.{C} 7 7200 1800 86400 5"
KNOWN = {"a. A": "10.0.0.1", "b.org. A": "10.0.0.2", "a. SRV": "0 1 80 t.b."}


def test_cache_keeps_the_first_spelling_and_counts_down() -> None:
    asking = Asking(block("cache 30", FORWARD), KNOWN)
    assert asking.ask("A. A") == ["NOERROR", "A. 30 A 10.0.0.1"]
    asking.now = 12.0
    assert asking.ask("a. A") == ["NOERROR", "A. 18 A 10.0.0.1"]
    assert flags(asking.reply("a. A")) == "AA RA"
    asking.now = 31.0
    assert asking.ask("a. A") == ["NOERROR", "a. 30 A 10.0.0.1"]
    assert len(asking.asked) == 2


@pytest.mark.parametrize(
    ("cache", "ttl", "kept"),
    [
        ("cache", 1800, False),
        ("cache 3", 3, True),
        ("cache {\nsuccess 10 200\n}", 200, True),
        ("cache {\nsuccess 10 3600 900\n}", 900, True),
        ("cache {\ndisable success\n}", 300, False),
        ("cache {\ndisable success org\n}", 300, True),
        ("cache org", 300, False),
    ],
)
def test_how_long_answers_are_kept(cache: str, ttl: int, kept: bool) -> None:
    if cache == "cache":
        ttl, kept = 300, True
    asking = Asking(block(cache, FORWARD), KNOWN)
    assert asking.reply("a. A").answer[0].ttl == ttl
    asking.reply("a. A")
    assert len(asking.asked) == (1 if kept else 2)


@pytest.mark.parametrize(
    ("said", "cache", "seconds"),
    [
        ("NXDOMAIN", "cache", 60),
        ("NOERROR", "cache", 60),
        ("NXDOMAIN", "cache 30", 30),
        ("NXDOMAIN", "cache {\ndenial 5 2000 100\n}", 100),
        ("NXDOMAIN", "cache {\ndisable denial\n}", 0),
        ("SERVFAIL", "cache", 5),
        ("SERVFAIL", "cache {\nservfail 20s\n}", 20),
        ("SERVFAIL", "cache {\nservfail 0s\n}", 0),
        ("REFUSED", "cache", 0),
        # What nobody answered is no reply that could be kept.
        ("silence", "cache", 0),
    ],
)
def test_how_long_other_replies_are_kept(said: str, cache: str, seconds: int) -> None:
    asking = Asking(block(cache, FORWARD), {"x. A": said})
    for now in (0.0, seconds - 0.5, seconds + 0.5):
        asking.now = max(now, 0.0)
        asking.ask("x. A")
    assert len(asking.asked) == (2 if seconds else 3)


def test_all_records_of_a_cached_answer_have_the_least_ttl() -> None:
    asking = Asking(block("cache", kubernetes("ttl 30"), FORWARD))
    ext = f"ext.default.svc.{C}"
    assert asking.ask(f"{ext} A") == [
        "NOERROR",
        f"{ext} 30 CNAME example.com.",
        "example.com. 30 A 93.184.216.34",
    ]


def test_types_and_dnssec_are_kept_apart() -> None:
    asking = Asking(block("cache", FORWARD), KNOWN)
    for more in ({}, {"dnssec_ok": True}, {"checking_disabled": True}):
        asking.ask("a. A", **more)
        asking.ask("a. A", **more)
    asking.ask("a. AAAA")
    assert len(asking.asked) == 4


def test_a_stale_answer_is_better_than_none() -> None:
    asking = Asking(block("cache 30 {\nserve_stale 1m verify\n}", FORWARD), KNOWN)
    asking.ask("a. A")
    asking.known = {"a. A": "silence"}
    asking.now = 60.0
    assert asking.ask("a. A") == ["NOERROR", "a. 0 A 10.0.0.1"]
    asking.now = 91.0
    assert asking.ask("a. A") == ["SERVFAIL"]
    asking.known = {"a. A": "10.0.0.7"}
    assert asking.ask("a. A") == ["NOERROR", "a. 30 A 10.0.0.7"]


def test_a_stale_answer_comes_first_without_verify() -> None:
    asking = Asking(block("cache 30 {\nserve_stale 1m\n}", FORWARD), KNOWN)
    asking.ask("a. A")
    asking.known = {"a. A": "10.0.0.7"}
    asking.now = 60.0
    assert asking.ask("a. A") == ["NOERROR", "a. 0 A 10.0.0.1"]
    assert asking.ask("a. A") == ["NOERROR", "a. 30 A 10.0.0.7"]
    asking.known = {"a. A": "SERVFAIL"}
    asking.now = 120.0
    assert asking.ask("a. A") == ["NOERROR", "a. 0 A 10.0.0.7"]
    assert asking.ask("a. A") == ["SERVFAIL"], "kept like every reply"
    asking.known = {"a. A": "10.0.0.8"}
    asking.now = 130.0
    assert asking.ask("a. A") == ["SERVFAIL"], "stale by now"
    assert asking.ask("a. A") == ["NOERROR", "a. 30 A 10.0.0.8"]


def test_a_rewritten_type_is_not_kept() -> None:
    """The question that a reply restores is not the one that the cache sees changed."""
    known = {"a. A": "10.0.0.1", "a. TXT": '"x"'}
    rules = {"rewrite type A TXT": 2, "rewrite continue type A TXT": 1, "rewrite ttl a 7": 1}
    for rule, upstream in rules.items():
        asking = Asking(block("cache 30", rule, FORWARD), known)
        asking.ask("a. A")
        asking.ask("a. TXT" if "continue" in rule else "a. A")
        assert len(asking.asked) == upstream, rule


def test_a_cache_is_bounded() -> None:
    asking = Asking(block("cache {\nsuccess 300\ndenial 0\n}", FORWARD))
    for n in range(3000):
        asking.ask(f"n{n}. A")
    asking.asked.clear()
    asking.ask("n2999. A")
    assert asking.asked == []
    asking.ask("n0. A")
    assert len(asking.asked) == 1


def test_keepttl() -> None:
    asking = Asking(block("cache 30 {\nkeepttl\n}", FORWARD), KNOWN)
    asking.ask("a. A")
    asking.now = 20.0
    assert asking.ask("a. A")[1] == "a. 30 A 10.0.0.1"
