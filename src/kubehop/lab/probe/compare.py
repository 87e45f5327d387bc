"""Shares that were observed against shares that were predicted. Pure.

The test is the exact binomial one, two-sided, per outcome. A single run of it at `alpha` is
wrong with a probability of at most `alpha`; see `doubtful` and `wrong` for how two make one.
"""

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kubehop.lab.probe.expect import Outcome, Seen, seen_of
from kubehop.lab.probe.values import Observed

DOUBTFUL = 1e-4
"""Below this a share is looked at again, with fresh and more connections."""
WRONG = 1e-15
"""Below this, then, it is wrong. Both together happen by chance once in 1e19 comparisons: a
run of ten million comparisons cries wolf with a probability of 1e-12."""


class Kind(enum.StrEnum):
    """How observation and prediction differ."""

    UNPREDICTED = "unpredicted"
    SHARE = "share"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One difference: the outcome, how often it came of `total`, and the share predicted.

    `chance` is the probability of a share at least as odd, were the prediction right.
    """

    kind: Kind
    seen: Seen
    count: int
    total: int
    probability: Fraction
    chance: float

    def __str__(self) -> str:
        if self.kind is Kind.UNPREDICTED:
            return f"not predicted, {self.count} of {self.total}: {self.seen}"
        share = f"{self.count} of {self.total} instead of {self.probability}"
        return f"{self.kind} ({self.chance:.1e}), {share}: {self.seen}"


Tally = Mapping[Seen, int]


def tally(observed: Iterable[Observed]) -> Tally:
    """How often each thing was observed."""
    counts: dict[Seen, int] = {}
    for one in observed:
        seen = seen_of(one)
        counts[seen] = counts.get(seen, 0) + 1
    return counts


def compare(
    outcomes: Sequence[Outcome], counts: Tally, alpha: float = DOUBTFUL, *, shares: bool = True
) -> tuple[Disagreement, ...]:
    """What of `counts` does not fit the prediction.

    An outcome that nothing predicted is a disagreement whatever its count. A share is one
    where its chance, times the number of shares compared, is below `alpha`; without `shares`
    (a Service with affinity: connections are not independent) none is.
    """
    total = sum(counts.values())
    by_outcome, unpredicted = attributed(outcomes, counts)
    odd = [
        Disagreement(Kind.UNPREDICTED, seen, counts[seen], total, Fraction(0), 0.0)
        for seen in unpredicted
    ]
    for outcome, count in by_outcome.items() if shares and not odd else ():
        chance = binomial_tail(count, total, outcome.probability)
        if chance * len(outcomes) < alpha:
            kind = Kind.SHARE if count else Kind.MISSING
            share = outcome.probability
            odd.append(Disagreement(kind, outcome.seen, count, total, share, chance))
    return tuple(odd)


def attributed(
    outcomes: Sequence[Outcome], counts: Tally
) -> tuple[dict[Outcome, int], tuple[Seen, ...]]:
    """How often each outcome came, and what none of them predicted."""
    exact_first = sorted(outcomes, key=lambda one: one.seen.untold)
    by_outcome, unpredicted = dict.fromkeys(outcomes, 0), []
    for seen, count in counts.items():
        outcome = next((one for one in exact_first if one.seen.fits(seen)), None)
        if outcome is None:
            unpredicted.append(seen)
        else:
            by_outcome[outcome] += count
    return by_outcome, tuple(unpredicted)


def binomial_tail(count: int, total: int, probability: Fraction) -> float:
    """Twice the smaller tail of a binomial distribution at `count`, at most 1."""
    if probability >= 1:
        return 1.0 if count == total else 0.0
    mean = total * probability
    tail = range(count + 1) if count <= mean else range(count, total + 1)
    return min(1.0, 2 * math.fsum(_term(k, total, float(probability)) for k in tail))


def _term(count: int, total: int, probability: float) -> float:
    ways = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
    logs = count * math.log(probability) + (total - count) * math.log1p(-probability)
    return math.exp(ways + logs)


def enough(outcomes: Sequence[Outcome], alpha: float) -> int:
    """Connections after which an outcome never seen is less likely than `alpha`."""
    least = min(outcome.probability for outcome in outcomes)
    assert 0 < least <= 1, outcomes
    return 1 if least == 1 else math.ceil(math.log(alpha) / math.log1p(-float(least)))
