"""Prediction against packets: generated clusters, the same ones every time.

Chance can blame a right prediction only where two independent tests fail, with a probability
below 1e-19 for a comparison (`kubehop.lab.probe.compare`), or where all shares of a chunk together
are eight standard deviations off (`tests.lab.differential.pool`): below 1e-10 for all of it.
"""

import os

import pytest

from kubehop.lab.kernel import Base
from tests.lab.differential.check import Count
from tests.lab.differential.run import Found, run
from tests.lab.inside import NOBODY, run_in_lab

CHUNK, CHUNKS = 20, 12


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_packets_do_what_is_predicted(chunk: int) -> None:
    """Every second chunk as an ordinary user, where root runs the tests."""
    seeds = range(chunk * CHUNK, (chunk + 1) * CHUNK)
    user = NOBODY if chunk % 2 and os.geteuid() == 0 else None

    def inside(base: Base) -> tuple[Count, list[Found]]:
        return run(base, seeds, most=1, seconds=20)

    count, found = run_in_lab(inside, user, seconds=600)
    assert not found, "\n".join(map(str, found))
    assert not count.odd, count
    assert count.clusters == CHUNK
    assert count.questions > 50 * CHUNK
    assert len(count.fates) == 4, "every verdict came up"
