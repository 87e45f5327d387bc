"""Prediction against real lookups: glibc, musl and busybox in pods of generated clusters and of the
notes' cluster, the same ones every time.

Every query that comes to a DNS pod is predicted, to which pod it comes, and what the program gets.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubehop import example
from kubehop.lab.kernel import Base
from tests.lab.differential.broken import Broken
from tests.lab.differential.name_check import CHOSEN, Count, Failure, check
from tests.lab.differential.names import compiled, run
from tests.lab.inside import NOBODY, run_in_lab

CHUNK, CHUNKS = 4, 4
NAMES = (
    *("whoami", "whoami.default", "whoami.default.svc.cluster.local.", "example-service.default"),
    *("kubernetes.default", "kube-dns.kube-system", "nosuch", "nosuch.default.svc.cluster.local"),
    *("example.com", "example.com.", "github.com", "nosuch.example.com", "10.43.0.1", "10.42.0.8"),
    *("busybox", "node-1", "localhost", "a.b.c.d.e.example.com", "10-42-0-8.default.pod"),
)


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    with compiled() as folder:
        yield folder


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_lookups_go_as_predicted(chunk: int, programs: Path) -> None:
    """Every second chunk as an ordinary user, where root runs the tests."""
    seeds = range(chunk * CHUNK, (chunk + 1) * CHUNK)
    user = NOBODY if chunk % 2 and os.geteuid() == 0 else None

    def inside(base: Base) -> tuple[Count, list[tuple[int, Failure | Broken]]]:
        return run(base, seeds, programs, most=1)

    count, found = run_in_lab(inside, user, seconds=400)
    assert not found, "\n".join(f"seed {seed}: {failure}" for seed, failure in found)
    assert count.clusters == CHUNK
    assert set(count.lookups) == set(CHOSEN)
    assert {"found", "not found"} <= set(count.outcomes)
    assert count.queries > 100 * CHUNK
    assert count.by_chance + count.slow < count.lookups.total() / 4


def test_lookups_in_the_notes_cluster_go_as_predicted(programs: Path) -> None:
    cluster = example.cluster()

    def inside(base: Base) -> tuple[Count, list[Failure]]:
        count = Count()
        return count, check(base, cluster, NAMES, programs, count, pods=("busybox", "coredns"))

    count, failures = run_in_lab(inside, seconds=400)
    assert not failures, "\n".join(map(str, failures))
    assert count.lookups.total() == 2 * len(CHOSEN) * len(NAMES)
    assert count.queries > 200


def test_a_prediction_that_is_not_so_is_noticed(programs: Path) -> None:
    """With a search list that the prediction does not have; some lookups need none."""

    def inside(base: Base) -> list[Failure]:
        spoil = "search spoilt.example\n"
        chosen = ("busybox",)
        return check(
            base, example.cluster(), NAMES[:6], programs, Count(), pods=chosen, spoil=spoil
        )

    failures = run_in_lab(inside, seconds=400)
    assert {failure.client for failure in failures} == set(CHOSEN)
    assert len(failures) > 6
    assert any("spoilt.example" in str(failure) for failure in failures)
