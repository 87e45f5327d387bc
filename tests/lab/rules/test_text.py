"""Texts: a whole ruleset, and what leads from one to another."""

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.lab.plan.rules import balancer_ruleset, change_texts, load_text, node_rulesets
from kubehop.lab.plan.rules import text as text_module
from kubehop.lab.plan.values import Ruleset
from kubehop.model.cluster import Cluster
from tests.clusters import UNREADY, balanced, behind, cluster, endpoint, node, pod, service
from tests.lab.rules.applied import loaded, shown, wanted
from tests.lab.rules.listing import comparable
from tests.lab.rules.test_decisions import HINTED, RANGES, SPECIAL, ZONED, with_affinity
from tests.real.needs import program

PAIRS = st.tuples(with_affinity(), with_affinity())


def rulesets(of: Cluster) -> dict[str, Ruleset]:
    return node_rulesets(of) | {"the fabric": balancer_ruleset(of, None)}


@given(PAIRS)
@settings(max_examples=50)
def test_a_change_makes_the_new_of_the_old(pair: tuple[Cluster, Cluster]) -> None:
    old, new = map(rulesets, pair)
    for name in old.keys() & new.keys():
        stands = loaded(old[name])
        assert shown(stands) == wanted(old[name])
        for text in change_texts(old[name], new[name]):
            stands.apply(text)
        assert shown(stands) == wanted(new[name])


@given(PAIRS)
@settings(max_examples=50)
def test_what_was_compiled_before_changes_nothing(pair: tuple[Cluster, Cluster]) -> None:
    old, new = pair
    node_rulesets(old)
    mixed = replace(new, nodes=old.nodes, proxy=old.proxy, slices=old.slices[1:] or new.slices)
    for after in (new, mixed, replace(old, slices=old.slices[1:])):
        fresh, taken_over = node_rulesets(replace(after)), node_rulesets(after, old)
        assert {n: wanted(r) for n, r in fresh.items()} == {
            n: wanted(r) for n, r in taken_over.items()
        }


@given(with_affinity())
@settings(max_examples=20)
def test_nothing_changed_needs_no_text(of: Cluster) -> None:
    for old, new in zip(rulesets(of).values(), rulesets(of).values(), strict=True):
        assert change_texts(old, new) == ()


def test_rules_go_and_come_back_whole() -> None:
    (some,) = node_rulesets(cluster(service(), node(0))).values()
    assert change_texts(some, Ruleset("")) == (
        "delete table ip kubehop\ndelete table ip6 kubehop\n",
    )
    assert change_texts(Ruleset(""), some) == tuple(load_text(some).split("# next transaction\n"))


def test_one_endpoint_more_changes_a_few_elements() -> None:
    web, others = (
        service(),
        [service(f"s{at}", clusterIP=f"10.43.1.{at}", type="ClusterIP") for at in range(50)],
    )
    more = [one for other in others for one in behind(other, endpoint("10.42.1.9", "n1"))]
    first, second = (endpoint(f"10.42.1.{at}", "n1") for at in (2, 3))
    old = node_rulesets(cluster(web, *others, *more, *behind(web, first)))["n0"]
    new = node_rulesets(cluster(web, *others, *more, *behind(web, first, second)))["n0"]
    (text,) = change_texts(old, new)
    assert re.sub(r"0x[0-9a-f]+", "N", text) == (
        "delete element ip kubehop sets { N }\n"
        "add element ip kubehop sets { N : goto pick-2 }\n"
        "add element ip kubehop endpoints { N . 1 : 10.42.1.3 . 8080 }\n"
    )


def test_a_new_service_renumbers_no_other() -> None:
    def numbers(*names: str) -> dict[str, str]:
        made = (service(name, clusterIP=f"10.43.0.{at}") for at, name in enumerate(names))
        found = node_rulesets(cluster(*made))["n0"].elements["ip kubehop frontends"]
        return {name: found[f"10.43.0.{at} . tcp . 80"] for at, name in enumerate(names)}

    few, many = numbers("b", "d"), numbers("a", "b", "c", "d", "e")
    assert few == {name: many[name] for name in few}
    assert len(set(many.values())) == 5


# The kernel's own word


def kernel_says(folder: Path, *texts: str) -> list[Any]:
    """What stands after the texts, one transaction each, in a network namespace of its own."""
    names = []
    for at, text in enumerate(texts):
        names.append(folder / f"{at}.nft")
        names[-1].write_text(text)
    nft = program("nft", "nftables")
    script = f'set -e; for f in "$@"; do {nft} -f "$f"; done; {nft} -j list ruleset'
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = [program("unshare", "util-linux"), "--net", *root]
    done = subprocess.run(
        [*unshare, "sh", "-c", script, "sh", *map(str, names)], capture_output=True, check=False
    )
    assert not done.returncode, done.stderr.decode()
    return comparable(done.stdout)


def texts_of(ruleset: Ruleset) -> list[str]:
    return load_text(ruleset).split("# next transaction\n")


@pytest.mark.parametrize("special", SPECIAL)
def test_the_kernel_takes_every_kind_of_service(special: str, tmp_path: Path) -> None:
    subject, endpoints = SPECIAL[special]
    of = cluster(*ZONED, subject, *behind(subject, *endpoints))
    for ruleset in rulesets(of).values():
        found = kernel_says(tmp_path, *texts_of(ruleset))
        maps = {
            f"{one['family']} {one['table']} {one['name']}": len(one.get("elem", ()))
            for kind in found
            for what, one in kind.items()
            if what in ("map", "set") and "clients" not in one["name"]
        }
        assert {name: size for name, size in maps.items() if size} == {
            name: len(elements) for name, elements in ruleset.elements.items()
        }


V6 = {"clusterIP": "10.43.0.1", "clusterIPs": ["10.43.0.1", "fd00:10:43::1"]}
STAGES = (
    cluster(*ZONED),
    cluster(*ZONED, service(), *behind(service(), *HINTED)),
    cluster(*ZONED, service(sessionAffinity="ClientIP"), *behind(service(), *HINTED)),
    cluster(
        *(node(at, v6=True) for at in range(3)),
        balanced(**V6, externalTrafficPolicy="Local", loadBalancerSourceRanges=RANGES),
        *behind(service(), endpoint("10.42.1.2", "n1"), endpoint("fd00:10:42:1::2", "n1")),
        pod("web", "10.42.1.2,fd00:10:42:1::2", "n1", {"containerPort": 80, "hostPort": 8080}),
    ),
    cluster(
        *(node(at, v6=True) for at in range(3)),
        balanced(
            **V6,
            sessionAffinity="ClientIP",
            loadBalancerSourceRanges=["192.168.0.0/23"],
            lb=({"ip": "198.51.100.7", "ipMode": "Proxy"}, {"ip": "2001:db8::7"}),
        ),
        *behind(
            service(),
            *(endpoint(f"10.42.1.{at}", "n1") for at in range(2, 40)),
            endpoint("fd00:10:42:1::2", "n1", UNREADY),
        ),
        pod("other", "10.99.1.2", "n0"),
    ),
    cluster(node(0, v6=True), node(1, v6=True, external="198.51.100.99"), node(2, "za")),
)


@pytest.mark.parametrize("after", range(len(STAGES)))
@pytest.mark.parametrize("before", range(len(STAGES)))
def test_the_kernel_comes_from_any_ruleset_to_any_other(
    before: int, after: int, tmp_path: Path
) -> None:
    old, new = rulesets(STAGES[before]), rulesets(STAGES[after])
    for name in ("n1", "the fabric"):
        changes = change_texts(old[name], new[name])
        assert len(changes) <= 1
        assert kernel_says(tmp_path, *texts_of(old[name]), *changes) == kernel_says(
            tmp_path, *texts_of(new[name])
        )


def test_a_text_comes_in_transactions_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "LIMIT", 3000)
    old, new = (rulesets(STAGES[at])["n1"] for at in (4, 0))
    text_module._part_texts.cache_clear()
    stands = loaded(old)
    assert shown(stands) == wanted(old)
    changes = change_texts(old, new)
    assert len(changes) > 2
    for text in changes:
        stands.apply(text)
    assert shown(stands) == wanted(new)
    text_module._part_texts.cache_clear()
