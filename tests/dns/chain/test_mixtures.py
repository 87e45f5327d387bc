"""Mixtures without sockets: what is static, and what a change names."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from kubehop.dns.chain import Serving
from kubehop.dns.message import Question
from kubehop.model.changes import between
from tests.real.asking import Ask, said
from tests.real.generated import OWN_ADDRESS
from tests.real.mixing import SEARCH, answered, asks, cluster
from tests.real.mixtures import mixture
from tests.real.ours import cluster_of, serving
from tests.real.selecting import Json

Key = tuple[str, str, str]
UPSTREAMS = {"{upstream}": "127.0.0.10", "{other}": "127.0.0.12", "{dead}": "127.0.0.13"}
STEPS = 4


def served(seed: int, objects: list[Json]) -> Serving:
    text = mixture(seed).corefile.replace("{api}", "http://127.0.0.1:1")
    for name, address in UPSTREAMS.items():
        text = text.replace(name, f"{address}:5300")
    return serving(objects, text, (OWN_ADDRESS,), resolv_conf=SEARCH)


def keyed(objects: list[Json]) -> dict[Key, Json]:
    return {
        (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in objects
    }


def changed(seed: int) -> Iterator[list[Json]]:
    """A cluster that turns into another, a few objects at a time."""
    random, found, other = Random(seed), keyed(cluster(seed)), keyed(cluster(seed + 1))
    yield list(found.values())
    for _ in range(STEPS):
        for key in random.sample(sorted(found.keys() | other.keys()), random.choice((1, 2, 5))):
            if key in other and found.get(key) != other[key]:
                found[key] = other[key]
            else:
                found.pop(key, None)
        yield list(found.values())


def questions_of(seed: int) -> list[Ask]:
    objects = [*cluster(seed), *cluster(seed + 1)]
    found = asks(objects, mixture(seed).names, seed, 300)
    return [ask for ask in found if ask.type not in ("AXFR", "IXFR")]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_static_is_the_same_until_a_change_names_it(seed: int) -> None:
    versions = changed(seed)
    before = next(versions)
    ours, asked = served(seed, before), questions_of(seed)
    for after in versions:
        static = [ask for ask in asked if ours.is_static(Question(ask.name, ask.type))]
        old = [answered(ours, ask, 0.0) for ask in static]
        assert old == [answered(ours, replace(ask, client="192.0.2.1"), 9e9) for ask in static]
        named = ours.apply(between(cluster_of(before), cluster_of(after)))
        fresh = served(seed, after)
        for ask, reply in zip(static, old, strict=True):
            if said(answered(fresh, ask, 0.0)) != said(reply):
                assert "." in named or ours.owner_of(ask.name) in named, ask
        before = after


@pytest.mark.parametrize("seed", range(12))
def test_changes_lead_where_a_fresh_start_leads(seed: int) -> None:
    versions = changed(seed)
    before = next(versions)
    ours, asked = served(seed, before), questions_of(seed)
    for step, after in enumerate(versions, 1):
        ours.apply(between(cluster_of(before), cluster_of(after)))
        fresh = served(seed, after)
        for ask in asked:
            # So much later that no cache remembers.
            now = answered(ours, ask, step * 1e6)
            assert said(now) == said(answered(fresh, ask, step * 1e6)), ask
        before = after
