"""`python -m tests.lab.differential.names --clusters N --seed S`, or `--replay FILE`.

Prediction against real lookups, in labs of generated clusters. Exit code 1 if anything fails;
what fails is written down as FILE.
"""

import argparse
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

from kubehop.lab.kernel import Base
from tests.lab.differential.broken import Broken, alike, or_broken
from tests.lab.differential.name_check import CHOSEN, Count, Failure, check
from tests.lab.differential.name_scenes import Scene, completed, scene
from tests.lab.differential.shrink import smaller
from tests.lab.inside import run_in_lab
from tests.real.clients import CLIENTS

SECONDS_EACH = 60
"""After so many for each cluster it is stuck."""


@contextmanager
def compiled() -> Iterator[Path]:
    """A folder that everyone can read, with the programs that are compiled."""
    with tempfile.TemporaryDirectory() as folder:
        programs = Path(folder)
        programs.chmod(0o755)
        for name in CHOSEN:
            CLIENTS[name].command(programs)
        yield programs


def run(
    base: Base,
    seeds: Iterable[int],
    programs: Path,
    say: Callable[[str], None] = lambda _: None,
    most: int = 3,
) -> tuple[Count, list[tuple[int, Failure | Broken]]]:
    """Compare the clusters of `seeds` until so many have failed."""
    count = Count()
    found: list[tuple[int, Failure | Broken]] = []
    for done, seed in enumerate(seeds, 1):
        failures = failures_of(base, scene(Random(seed)), programs, count)
        for failure in failures:
            say(f"seed {seed}: {failure}")
        found += [(seed, failure) for failure in failures[:1]]
        if len(found) >= most:
            break
        if done % 10 == 0:
            say(str(count))
    return count, found


def failures_of(
    base: Base, made: Scene, programs: Path, count: Count | None = None
) -> list[Failure | Broken]:
    """What fails in a scene."""
    cluster = completed(made)
    return or_broken(lambda: check(base, cluster, made["names"], programs, count or Count()))


def main() -> int:
    options = _options()
    first = options.seed if options.seed is not None else secrets.randbelow(1 << 32)
    seeds = range(first, first + options.clusters)
    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {line}", flush=True)

    with compiled() as programs:
        if options.replay:
            made = json.loads(options.replay.read_text())
            again = run_in_lab(partial(_again, made, programs), seconds=600)
            print("\n".join(again) or "no disagreement")
            return 1 if again else 0
        print(f"{options.clusters} clusters, seeds from {first}", flush=True)
        limit = 600 + SECONDS_EACH * options.clusters
        count, found = run_in_lab(
            lambda base: run(base, seeds, programs, say, options.failures),
            options.user,
            seconds=limit,
        )
        say(str(count))
        for seed in dict.fromkeys(seed for seed, _ in found):
            path = options.folder / f"names-{seed}.json"
            small = run_in_lab(partial(_reduced, seed, programs), seconds=600)
            path.write_text(json.dumps(small, indent=1))
            print(f"play again: --replay {path}")
    print("no disagreement" if not found else f"{len(found)} clusters disagree")
    return 1 if found else 0


def _again(made: Scene, programs: Path, base: Base) -> list[str]:
    return [str(one) for one in failures_of(base, made, programs)]


def _reduced(seed: int, programs: Path, base: Base) -> Scene:
    """The scene made small while anything like it still fails in it."""
    whole = scene(Random(seed))
    first = next(iter(failures_of(base, whole, programs)), None)

    def fails(made: Scene) -> bool:
        return any(alike(one, first) for one in failures_of(base, made, programs))

    return smaller(whole, fails, seconds=60)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab.differential.names", description=__doc__
    )
    parser.add_argument("--clusters", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, metavar="S", help="the first; by chance if not given")
    parser.add_argument("--failures", type=int, default=3, metavar="N", help="stop after so many")
    parser.add_argument("--folder", type=Path, default=Path(), help="where failures are written")
    parser.add_argument("--user", type=int, metavar="UID", help="as this user (root only)")
    parser.add_argument("--replay", type=Path, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
