"""The statistics: exact tails, what is found, and how seldom chance alone is blamed."""

import math
import random
from fractions import Fraction

import pytest

from kubehop.lab.probe.compare import (
    DOUBTFUL,
    WRONG,
    Kind,
    binomial_tail,
    compare,
    enough,
)
from kubehop.lab.probe.expect import Outcome, Seen
from kubehop.trace.values import Verdict

THIRD = Fraction(1, 3)


def at(pod: str, source: str | None = "10.42.0.2", crossings: int | None = 0) -> Seen:
    return Seen(Verdict.DELIVERED, pod, "n0", "10.42.0.9", 80, source, crossings)


THREE = [Outcome(THIRD, at(pod)) for pod in "abc"]


@pytest.mark.parametrize("total", [1, 7, 30])
@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(1, 7), Fraction(9, 10)])
def test_the_tail_is_the_exact_sum(total: int, share: Fraction) -> None:
    terms = [math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(total + 1)]
    for count in range(total + 1):
        tail = terms[: count + 1] if count <= total * share else terms[count:]
        exact = min(1.0, float(2 * sum(tail)))
        assert binomial_tail(count, total, share) == pytest.approx(exact, rel=1e-9)


def test_a_certain_outcome_is_certain() -> None:
    assert binomial_tail(5, 5, Fraction(1)) == 1.0
    assert binomial_tail(4, 5, Fraction(1)) == 0.0


def test_even_shares_are_fine_and_uneven_ones_are_found() -> None:
    assert not compare(THREE, {at("a"): 34, at("b"): 30, at("c"): 36})
    odd = compare(THREE, {at("a"): 100, at("b"): 50, at("c"): 50}, 1e-3)
    assert [one.kind for one in odd] == [Kind.SHARE]
    assert odd[0].seen == at("a")


def test_what_was_not_predicted_is_found_in_a_single_connection() -> None:
    odd = compare(THREE, {at("a"): 33, at("b"): 33, at("c"): 33, at("d"): 1}, WRONG)
    assert [(one.kind, one.count) for one in odd] == [(Kind.UNPREDICTED, 1)]
    for other in (at("a", "192.168.0.10"), at("a", crossings=1), Seen(Verdict.DROPPED)):
        assert compare(THREE, {other: 1})


def test_a_predicted_outcome_that_never_comes_is_found_once_it_should_have() -> None:
    few = enough(THREE, WRONG)
    assert float(1 - THIRD) ** few <= WRONG < float(1 - THIRD) ** (few - 2)
    half = {at("a"): few, at("b"): few}
    assert Kind.MISSING in {one.kind for one in compare(THREE, half, WRONG)}
    assert not compare(THREE, {at("a"): 5, at("b"): 5}, WRONG)


def test_what_is_not_told_fits_everything() -> None:
    known = [Outcome(Fraction(1), at("a", None))]
    assert not compare(known, {at("a", "1.2.3.4"): 2, at("a", crossings=None): 1})


def test_affinity_leaves_only_what_may_come() -> None:
    assert not compare(THREE, {at("b"): 1000}, shares=False)
    assert compare(THREE, {at("z"): 1}, shares=False)


def test_chance_alone_is_doubted_less_often_than_stated() -> None:
    """A fixed seed; with DOUBTFUL raised so that there is something to count."""
    rolls, alpha = random.Random(4), 0.05
    doubted = 0
    for _ in range(2000):
        counts = {at(pod): 0 for pod in "abc"}
        for _ in range(60):
            counts[at(rolls.choice("abc"))] += 1
        doubted += bool(compare(THREE, counts, alpha))
    assert 0 < doubted <= 2000 * alpha
    assert alpha > DOUBTFUL


def test_what_is_told_is_counted_before_what_is_not() -> None:
    half = Fraction(1, 2)
    both = [Outcome(half, at("a", None)), Outcome(half, at("a", "10.0.0.1"))]
    assert not compare(both, {at("a", "10.0.0.1"): 100, at("a", "10.0.0.2"): 101})
