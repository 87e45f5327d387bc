"""Advice: what is said, and that what it says is so."""

from hypothesis import given
from hypothesis import strategies as st

from kubehop.dns.lookup.advice import Advice, advice, ask
from kubehop.dns.lookup.drive import Answer
from kubehop.dns.lookup.protocol import Query
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.message import Reply
from kubehop.dns.resolv import hosts
from tests.dns.lookup.servers import (
    ADDRESSES,
    NXDOMAIN,
    POD,
    SEARCH,
    TWO,
    cluster,
    for_aaaa,
    look_up,
)


def said(resolver: str, name: str, resolv_conf: str = POD) -> list[str]:
    return [a.text for a in advice(ask(RESOLVERS[resolver], name, resolv_conf, cluster))]


def test_a_trailing_dot_saves_the_search() -> None:
    first, *_ = advice(ask(RESOLVERS["glibc"], "example.com", POD, cluster))
    assert first == Advice("`example.com.` costs 2 queries instead of 10", 8, "example.com.")


def test_a_short_name_is_told_its_full_one() -> None:
    assert said("glibc", "whoami.default")[0] == (
        "`whoami.default.svc.cluster.local.` costs 2 queries instead of 4"
    )
    assert said("glibc", "whoami") == []


def test_ndots_counts_dots() -> None:
    name = "whoami.default.svc.cluster.local"
    assert (
        f"ndots counts dots, not characters: `{name}` has 4 dots and ndots is 5, so the search "
        "list is tried first"
    ) in said("glibc", name)
    assert "dnsConfig with `ndots:2`: the name costs 2 queries instead of 10" in said("glibc", name)


def test_a_lower_ndots_is_not_advised_where_it_changes_what_is_found() -> None:
    """With ndots:2 musl would never search for it."""
    assert not any("dnsConfig" in text for text in said("musl", "whoami.default.svc"))


def one_knows_nothing(query: Query) -> Reply:
    return NXDOMAIN if query.server == "10.43.0.11" else cluster(query)


def test_nameservers_that_disagree_are_a_race_for_who_asks_them_at_once() -> None:
    def told(resolver: str, answer: Answer) -> list[str]:
        texts = (a.text for a in advice(ask(RESOLVERS[resolver], "whoami", TWO, answer)))
        return [text for text in texts if "at once" in text]

    (text,) = told("musl", one_knows_nothing)
    assert text == (
        "all nameservers are asked at once and the first reply counts: 10.43.0.11 says NXDOMAIN to "
        "`whoami.default.svc.cluster.local.`, which 10.43.0.10 answers, so that the same lookup "
        "finds it now and then"
    )
    assert told("musl", cluster) == []
    assert told("glibc", one_knows_nothing) == []


def test_nothing_to_say_of_an_absolute_name() -> None:
    assert said("glibc", "example.com.") == []


def test_busybox_fails_though_dns_is_healthy() -> None:
    first = said("busybox", "kubernetes.default")[0]
    assert first.startswith("cluster DNS is healthy: busybox nslookup")
    assert "`kubernetes.default.svc.cluster.local.`" in first
    assert not any("healthy" in text for text in said("busybox", "nosuch"))


def test_busybox_does_not_read_the_hosts_file() -> None:
    listed = hosts.parse("127.0.0.1 localhost\n10.42.0.5 mypod\n")
    asked = ask(RESOLVERS["busybox"], "mypod", POD, cluster, listed)
    first = advice(asked)[0]
    assert (first.name, first.text) == (
        "",
        "`mypod` stands in /etc/hosts, which busybox nslookup 1.31 and newer does not read: "
        "programs in the pod find it there",
    )


def test_busybox_exits_1_with_an_address() -> None:
    text = "its exit code is 1 though it prints the address: other queries failed"
    assert text in said("busybox", "whoami")
    assert text not in said("busybox-1.30", "whoami")


MUSL_ONLY = "glibc finds this name, musl does not: "


def test_musl_without_a_second_chance() -> None:
    one = POD.replace("ndots:5", "ndots:1")
    assert said("musl", "kubernetes.default", one) == [
        f"{MUSL_ONLY}with enough dots for ndots it never falls back to the search list; write "
        "`kubernetes.default.svc.cluster.local.`"
    ]


def test_musl_and_a_line_that_is_too_long() -> None:
    long = f"{SEARCH.strip()} {'x' * 63}.{'y' * 63}.{'z' * 63}\nnameserver 10.43.0.10\n"
    texts = said("musl", "whoami", long)
    assert any("musl ignores this line whole" in text and MUSL_ONLY in text for text in texts)
    assert any(text.startswith("resolv.conf, line 1: musl ignores") for text in texts)


def test_musl_and_an_error_for_aaaa() -> None:
    asked = ask(RESOLVERS["musl"], "example.com.", POD, for_aaaa(NXDOMAIN))
    (only,) = advice(asked)
    assert only.text == (
        f"{MUSL_ONLY}an error for A or for AAAA is an error for the name; write `example.com.`"
    )


@given(
    resolver=st.sampled_from(sorted(RESOLVERS)),
    name=st.sampled_from([*ADDRESSES, "whoami", "whoami.default", "nosuch", "x.y.z"]),
    dot=st.booleans(),
    ndots=st.integers(0, 6),
)
def test_every_saving_is_real(resolver: str, name: str, dot: bool, ndots: int) -> None:
    spelt = name if dot else name.removesuffix(".")
    resolv_conf = f"{SEARCH}nameserver 10.43.0.10\noptions ndots:{ndots}\n"
    asked = ask(RESOLVERS[resolver], spelt, resolv_conf, cluster)
    for one in advice(asked):
        if one.saves:
            option = f"{resolv_conf}options ndots:2\n"
            better = (
                look_up(resolver, one.name, cluster, resolv_conf)
                if one.name
                else look_up(resolver, spelt, cluster, option)
            )
            assert better.queries == asked.lookup.queries - one.saves
            assert better.outcome.addresses == asked.lookup.outcome.addresses
