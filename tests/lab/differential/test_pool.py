"""Shares together: right ones pass, slightly wrong ones do not."""

from fractions import Fraction
from random import Random

from kubehop.lab.probe.expect import Outcome, Seen
from kubehop.trace.values import Verdict
from tests.lab.differential.pool import Pool


def outcomes(*shares: Fraction) -> list[Outcome]:
    return [Outcome(share, Seen(Verdict.DELIVERED, pod=str(at))) for at, share in enumerate(shares)]


UNEVEN = outcomes(Fraction(1, 2), Fraction(1, 8), Fraction(3, 8))
EVEN = outcomes(*[Fraction(1, 4)] * 4)


def pooled(seed: int, rolled: list[float], predicted: list[Outcome], questions: int) -> Pool:
    dice, pool = Random(seed), Pool()
    for _ in range(questions):
        counts: dict[Seen, int] = {}
        for one in dice.choices(predicted, rolled, k=20):
            counts[one.seen] = counts.get(one.seen, 0) + 1
        pool.add(predicted, counts)
    return pool


def test_right_shares_are_near_the_middle() -> None:
    for seed in range(20):
        for predicted in (EVEN, UNEVEN):
            pool = pooled(seed, [float(one.probability) for one in predicted], predicted, 300)
            assert abs(pool.deviation) < 4
            assert not pool.odd


def test_a_bias_shows_that_no_question_shows() -> None:
    assert pooled(1, [0.4, 0.2, 0.2, 0.2], EVEN, 300).odd
    assert not pooled(1, [0.4, 0.2, 0.2, 0.2], EVEN, 10).odd


def test_shares_that_are_too_even_are_odd_too() -> None:
    """Round robin is not chance."""
    pool = Pool()
    for _ in range(300):
        pool.add(EVEN, {one.seen: 5 for one in EVEN})
    assert pool.odd


def test_certain_and_unpredicted_ones_do_not_count() -> None:
    pool = Pool()
    pool.add(outcomes(Fraction(1)), {Seen(Verdict.DELIVERED, pod="0"): 3})
    pool.add(EVEN, {Seen(Verdict.DROPPED): 3})
    assert (pool.value, pool.mean, pool.deviation) == (0, 0, 0)
