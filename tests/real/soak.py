"""Mixtures until a difference or the end: `python -m tests.real.soak SECONDS [SEED]`."""

import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from tests.real.mixing import disagreements, resolvers
from tests.real.mixtures import mixture
from tests.real.network import network

QUESTIONS = 200


def main(seconds: float, first: int) -> int:
    end = time.monotonic() + seconds
    with (
        tempfile.TemporaryDirectory(prefix="kubehop-test-") as folder,
        network(Path(folder)) as net,
        resolvers(net),
    ):
        for seed in count(first):
            try:
                found = disagreements(net, seed, QUESTIONS)
            except Exception as error:
                found = [repr(error)]
            if found:
                print(f"seed {seed}\n{mixture(seed).corefile}\n" + "\n".join(found[:10]))
                return 1
            if time.monotonic() > end:
                print(f"seeds {first} to {seed}: no difference")
                return 0
    raise AssertionError("seeds never end")


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
