"""`python -m tests.lab.differential --clusters N --seed S`, or `--replay FILE`.

Exit code 1 if anything fails; a failure is also written down as FILE, to be played again.
"""

import argparse
import json
import secrets
import sys
import time
from functools import partial
from pathlib import Path

from kubehop.lab.kernel import Base
from tests.lab.differential.check import Count
from tests.lab.differential.clusters import Scene
from tests.lab.differential.run import ALL_AIMS, Found, failures_of, run
from tests.lab.inside import run_in_lab

SECONDS_EACH = 10
"""After so many for each cluster it is stuck."""


def main() -> int:
    options = _options()
    if options.replay:
        return _replay(options.replay)
    first = options.seed if options.seed is not None else secrets.randbelow(1 << 32) << 20
    seeds = range(first, first + options.clusters)
    print(f"{options.clusters} clusters, seeds from {first}", flush=True)
    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {line}", flush=True)

    def inside(base: Base) -> tuple[Count, list[Found]]:
        return run(base, seeds, say, options.failures)

    limit = 600 + SECONDS_EACH * options.clusters
    count, found = run_in_lab(inside, options.user, seconds=limit)
    say(str(count))
    for one in found:
        print(f"{one}\nplay again: --replay {one.save(options.folder)}")
    print("no disagreement" if not found else f"{len(found)} clusters disagree")
    if count.odd:
        print("shares are not as predicted, taken together")
    return 1 if found or count.odd else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.differential", description=__doc__)
    parser.add_argument("--clusters", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, metavar="S", help="the first; by chance if not given")
    parser.add_argument("--failures", type=int, default=3, metavar="N", help="stop after so many")
    parser.add_argument("--folder", type=Path, default=Path(), help="where failures are written")
    parser.add_argument("--user", type=int, metavar="UID", help="as this user (root only)")
    parser.add_argument("--replay", type=Path, metavar="FILE")
    return parser.parse_args()


def _replay(path: Path) -> int:
    """Both scenes of a failure, all that can be asked of each."""
    saved = json.loads(path.read_text())
    failed = 0
    for name in ("small", "scene"):
        found = run_in_lab(partial(_again, saved[name], saved["seed"]), seconds=600)
        print(f"{name}: {len(found)} of its questions disagree")
        print("\n".join(found))
        failed += len(found)
    return 1 if failed else 0


def _again(made: Scene, seed: int, base: Base) -> list[str]:
    return [str(one) for one in failures_of(base, made, seed, most=ALL_AIMS)]


if __name__ == "__main__":
    sys.exit(main())
