"""Packets that mean no good: the server answers everybody else."""

from tests.dnsserver.mutations import MUTATIONS, attack, mutated


def test_damaged_packets_lose_no_valid_answer() -> None:
    found = attack(50_000, seed=1)
    assert found.asked > 1000
    assert found.answered == found.asked


def test_packets_are_damaged_in_many_ways_and_reproducibly() -> None:
    packets = list(mutated(1000, seed=2))
    assert len(set(packets)) > 900
    assert packets == list(mutated(1000, seed=2))
    assert len(MUTATIONS) == 8
