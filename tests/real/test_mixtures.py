"""All plugins and options in any combination, odd objects among the others."""

from collections.abc import Iterator

import pytest

from tests.real.mixing import cluster, disagreements, resolvers
from tests.real.mixtures import mixture
from tests.real.network import Network

SEEDS = range(20)
QUESTIONS = 100


@pytest.fixture(scope="module", autouse=True)
def upstreams(network: Network) -> Iterator[None]:
    with resolvers(network):
        yield


@pytest.mark.parametrize("seed", SEEDS)
def test_same_answers(network: Network, seed: int) -> None:
    assert disagreements(network, seed, QUESTIONS) == []


def test_every_plugin_is_in_some_mixture() -> None:
    texts = [mixture(seed).corefile for seed in SEEDS]
    plugins = ("kubernetes", "forward", "cache", "rewrite", "template", "hosts", "autopath")
    for plugin in (*plugins, "transfer", "minimal", "any", "loadbalance"):
        assert any(f"    {plugin}" in text for text in texts), plugin


def test_there_are_endpoints_that_are_names() -> None:
    kinds = {obj.get("addressType") for obj in cluster(SEEDS[0])}
    assert kinds >= {"IPv4", "IPv6", "FQDN"}
