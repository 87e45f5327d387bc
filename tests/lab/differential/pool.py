"""Shares of many questions taken together: a bias too small for any one of them shows here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kubehop.lab.probe.compare import Tally, attributed
from kubehop.lab.probe.expect import Outcome

TOO_ODD = 8.0
"""Standard deviations. A chi-square of 100 degrees of freedom is so far off with a probability of
1e-11, one of 1000 with 1e-13: what is smaller is not judged."""
LEAST = 100


@dataclass(slots=True)
class Pool:
    """Pearson's chi-square over all questions: its value, mean and variance.

    The moments are exact for a multinomial distribution of any size (Haldane 1937).
    """

    value: float = 0.0
    mean: int = 0
    variance: float = 0.0

    def add(self, outcomes: Sequence[Outcome], counts: Tally) -> None:
        """Take in what came of one question, if all of it was predicted."""
        found, unpredicted = attributed(outcomes, counts)
        total, kinds = sum(found.values()), len(found)
        if unpredicted or kinds < 2 or not total:
            return
        expected = {one: total * float(one.probability) for one in found}
        self.value += math.fsum(
            (n - expected[one]) ** 2 / expected[one] for one, n in found.items()
        )
        self.mean += kinds - 1
        inverse = math.fsum(1 / float(one.probability) for one in found)
        self.variance += 2 * (kinds - 1) + (inverse - kinds * kinds - 2 * kinds + 2) / total

    @property
    def deviation(self) -> float:
        """How far off it is, in standard deviations."""
        return (self.value - self.mean) / math.sqrt(self.variance) if self.variance > 0 else 0.0

    @property
    def odd(self) -> bool:
        return self.mean >= LEAST and abs(self.deviation) > TOO_ODD
