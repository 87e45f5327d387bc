"""How a predicted and an observed lookup compare, and how the two are shown."""

from dataclasses import replace
from typing import Any

import pytest

from kubehop import example
from kubehop.dns.lookup.protocol import Status
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.settings import DNSSettings
from kubehop.lab.libc_version import musl_resolver, resolver_here
from kubehop.lab.names_seen import Came, Lookup, by_chance, differences, predicted
from kubehop.lab.plan.public_zone import public_settings
from kubehop.render.drawing import Style
from kubehop.render.lookup_comparison_text import lookup_comparison_text
from kubehop.trace.lookups import Names, Prediction
from kubehop.trace.questions import parse_origin

CLUSTER = example.cluster()
NAMES = Names(CLUSTER, public_settings(DNSSettings()))
ORIGIN = parse_origin(CLUSTER, "pod/busybox", "default")
GLIBC, MUSL, BUSYBOX = (RESOLVERS[name] for name in ("glibc", "musl", "busybox"))
A, B = (tuple(Came(name, kind, "udp") for kind in ("A", "AAAA")) for name in ("web.d.", "web."))
FOUND = Lookup((*A, *B), ("kube-system/coredns",), Status.FOUND, ("10.43.0.20",))


def differ(resolver: Any, seen: Lookup, wanted: Lookup = FOUND, retries: bool = False) -> list[str]:
    return list(differences(resolver, wanted, seen, retries))


def predict(name: str) -> Prediction:
    return NAMES.lookup(name, ORIGIN, GLIBC)


def test_a_pair_may_come_in_either_order_and_no_two_names() -> None:
    turned = replace(FOUND, queries=(*A[::-1], *B[::-1]))
    others = replace(FOUND, queries=(*B, *A))
    for resolver in (GLIBC, MUSL, BUSYBOX):
        assert differ(resolver, FOUND) == differ(resolver, turned) == []
    assert differ(GLIBC, others) == [
        "asked web. (A/udp AAAA/udp) then web.d. (A/udp AAAA/udp), "
        "predicted web.d. (A/udp AAAA/udp) then web. (A/udp AAAA/udp)"
    ]
    assert differ(BUSYBOX, others) == []  # it asks all of them together
    assert differ(MUSL, others) != []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"queries": A}, "asked web.d. (A/udp AAAA/udp), predicted web.d."),
        ({"queries": (*A, *B, *B[:1])}, "then web. (A/udp A/udp AAAA/udp), predicted"),
        (
            {"pods": ("kube-system/other",)},
            "kube-system/other asked, predicted kube-system/coredns",
        ),
        ({"status": Status.NOT_FOUND, "addresses": ()}, "not found, predicted found"),
        ({"addresses": ("10.43.0.21",)}, "found 10.43.0.21, predicted 10.43.0.20"),
    ],
)
def test_what_differs_is_said(change: dict[str, Any], said: str) -> None:
    (line,) = differ(GLIBC, replace(FOUND, **change))
    assert said in line


def test_retries_after_servfail_are_counted_for_who_asks_side_by_side() -> None:
    more = replace(FOUND, queries=(*A, A[0], *B))
    other = replace(FOUND, queries=(*A, A[1], *B))
    assert differ(MUSL, more, other, retries=True) == []
    assert differ(MUSL, more, other) != []
    assert differ(GLIBC, more, other, retries=True) != []


def test_of_a_lookup_that_hangs_the_beginning_counts() -> None:
    hangs = Lookup((*A, *B), FOUND.pods, Status.HANGS, ())
    assert differ(GLIBC, replace(hangs, queries=A), hangs) == []
    assert differ(GLIBC, replace(hangs, queries=B), hangs) != []


def test_what_is_to_be_seen_is_what_comes_to_cluster_dns() -> None:
    seen = predicted(CLUSTER, ORIGIN, predict("whoami.default"), 30.0)
    names = ["whoami.default.default.svc.cluster.local.", "whoami.default.svc.cluster.local."]
    assert [one.name for one in seen.queries] == [name for name in names for _ in "46"]
    assert seen.pods == ("kube-system/coredns",)
    node = parse_origin(CLUSTER, "node/node-1", "default")
    away = predicted(CLUSTER, node, NAMES.lookup("example.com", node, GLIBC), 30.0)
    assert (away.queries, away.pods, away.status) == ((), (), Status.FOUND)


def test_where_luck_decides_is_known() -> None:
    plain = predict("whoami")
    assert not by_chance(plain)
    conf = plain.files.resolv_conf + "nameserver 203.0.113.53\n"
    two = replace(plain, files=replace(plain.files, resolv_conf=conf))
    assert not by_chance(two)
    rotating = replace(two.files, resolv_conf=conf + "options rotate\n")
    assert by_chance(replace(two, files=rotating))


def test_the_c_library_is_known() -> None:
    assert resolver_here().name in RESOLVERS
    versions = {(1, 1, 24): "musl-1.1.13", (1, 2, 1): "musl-1.2.1", (1, 2, 3): "musl-1.2.1"}
    versions |= {(1, 2, 4): "musl-1.2.4", (1, 2, 5): "musl", (1, 3, 0): "musl"}
    assert {version: musl_resolver(version) for version in versions} == versions
    assert set(versions.values()) <= set(RESOLVERS)


def test_the_two_are_shown_side_by_side() -> None:
    def side(lookup: Lookup) -> dict[str, Any]:
        queries = [
            {"name": one.name, "type": one.type, "transport": one.transport}
            for one in lookup.queries
        ]
        return {
            "queries": queries,
            "dnsPods": list(lookup.pods),
            "outcome": lookup.status.value,
            "addresses": list(lookup.addresses),
        }

    answer = {
        "name": "web",
        "from": "pod/d/p",
        "resolver": "glibc",
        "agrees": False,
        "predicted": side(FOUND),
        "observed": side(replace(FOUND, queries=A)),
        "disagreements": ["asked less"],
        "notes": ["a note"],
    }
    text = lookup_comparison_text(answer, Style())
    assert "web, asked by pod/d/p with glibc" in text
    assert "query    web.d. A, AAAA       web.d. A, AAAA" in text
    assert "query    web. A, AAAA\n" in text
    assert "DIFFERS: asked less" in text
    assert "a note" in text
