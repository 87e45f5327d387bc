"""Many clusters after each other in one entered process; what fails is made small."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from kubehop.lab.kernel import Base
from kubehop.model.errors import KubehopError
from tests.lab.differential.broken import Broken, alike, or_broken
from tests.lab.differential.check import Count, Failure, check
from tests.lab.differential.clusters import Scene, completed, scene
from tests.lab.differential.shrink import smaller
from tests.lab.differential.stand import standing

WHOLE = 8
"""Every so many clusters is a whole Lab, whose load balancer really asks health checks; the
others take its answers as predicted, which is quicker."""
ALL_AIMS = 10_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """A scene that fails, the smallest one found of it, and what is wrong with that."""

    seed: int
    scene: Scene
    small: Scene
    failures: tuple[str, ...]

    def save(self, folder: Path) -> Path:
        """Write both down for `--replay`."""
        path = folder / f"differential-{self.seed}.json"
        text = json.dumps({"seed": self.seed, "scene": self.scene, "small": self.small}, indent=1)
        path.write_text(text)
        return path

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, made smaller: {json.dumps(self.small)}", *self.failures[:3]]
        return "\n".join(lines)


def run(
    base: Base,
    seeds: Iterable[int],
    say: Say = lambda _: None,
    most: int = 3,
    seconds: float = 60,
) -> tuple[Count, list[Found]]:
    """Compare the clusters of `seeds`, until `most` have failed.

    `say` is told of progress; `seconds` are what is spent on making a failure smaller.
    """
    count, found = Count(), []
    for done, seed in enumerate(seeds, 1):
        made = scene(Random(seed))
        failures = failures_of(base, made, seed, count)
        if failures:
            say(f"seed {seed} fails: {failures[0]}")
            found.append(reduced(base, made, seed, failures, seconds))
        if len(found) >= most:
            break
        if done % 50 == 0:
            say(str(count))
    return count, found


def failures_of(
    base: Base, made: Scene, seed: int, count: Count | None = None, most: int = 200
) -> list[Failure | Broken]:
    """What fails in a scene; `seed` chooses the aims, if there are more than `most`."""
    cluster = completed(made)

    def compared() -> list[Failure]:
        with standing(base, cluster, whole=seed % WHOLE == 0) as stand:
            return check(stand.prober, cluster, stand.plan, seed, count or Count(), most)

    return or_broken(compared)


def reduced(
    base: Base, made: Scene, seed: int, failures: list[Failure | Broken], seconds: float
) -> Found:
    """The scene made small while anything like it still fails in it, with all aims tried."""

    def fails(candidate: Scene) -> bool:
        try:
            found = failures_of(base, candidate, seed, most=ALL_AIMS)
        except KubehopError:
            return False
        return any(alike(one, failures[0]) for one in found)

    small = smaller(made, fails, seconds)
    again = failures_of(base, small, seed, most=ALL_AIMS) or failures
    return Found(seed, made, small, tuple(map(str, again)))
