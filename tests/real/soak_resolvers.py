"""Real programs against their predictions, as long as wished.

`python -m tests.real.soak_resolvers --seconds 300` draws lookups (program, scenario, resolv.conf,
name), runs each in a namespace of its own and compares queries, outcome and time. `--also
c-ares-1.18="/x/bin/python tests/real/programs/ares.py"` adds a program under the name that the
recordings have for it. `--out FILE` keeps the recordings, for `python -m tests.conformance`.
"""

import argparse
import itertools
import json
import shlex
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import Any

import pytest

from kubehop.dns.lookup.drive import drive
from kubehop.dns.lookup.protocol import Query, Silence
from kubehop.dns.lookup.resolvers import Resolver
from kubehop.dns.message import Reply
from tests.conformance import resolver as conformance
from tests.conformance import resolvers
from tests.real import resolv_confs
from tests.real.recorded import BROKEN_OFF, HEADER, PROGRAMS, Asked, Program, Studio, called, studio
from tests.real.scenes import NOBODY, SCENARIOS, answer

NAMES = (
    "whoami",
    "whoami",
    "whoami.default",
    "whoami.default.svc",
    "whoami.default.svc.cluster.local",
    "whoami.default.svc.cluster.local.",
    "kubernetes.default",
    "example.com",
    "example.com.",
    "a.b.c.d.e.example.com",
    "api.us-east-1.amazonaws.com",
    "nosuch",
    "default",
    "cluster.local",
    "big.default.svc.cluster.local.",
    "huge.default.svc.cluster.local.",
    "big",
    "mypod",
    "localhost",
    "foo.alias",
)
TRIES = 3
"""A machine with other things to do may be late, but not each time."""
WAITING, AT_ONCE = 40, 3
"""Lookups that wait run side by side, those that do not in turn."""


@dataclass
class Played:
    """The scenario as a machine meets it."""

    scenario: str
    now: float = 0.0

    def deaf(self, server: str) -> bool:
        return server == NOBODY

    def answer(self, query: Query) -> Reply | Silence:
        return answer(self.scenario, query)


def machine_of(asked: Asked) -> Resolver:
    found = resolvers.resolver_named(called(asked.program.name))
    assert found, f"no machine for {asked.program.name}"
    return found


def predicted_seconds(asked: Asked) -> float:
    machine = machine_of(asked).machine(asked.name, asked.resolv_conf, resolvers.HOSTS)
    return drive(machine, Played(asked.scenario).answer).seconds


def difference(case: dict[str, Any]) -> str:
    """How a recorded lookup differs from the one that is predicted, "" if it does not."""
    resolver = resolvers.resolver_named(case["resolver"])
    assert resolver
    chances = itertools.product(resolvers.starts(resolver, case), resolvers.lags(resolver, case))
    found = [
        conformance.compared(resolver, case, start(), Played(case["scenario"]), lag)
        for start, lag in chances
    ]
    return "" if "" in found else found[0]


def compared(where: Studio, asked: Asked) -> tuple[dict[str, Any], str]:
    """A lookup's recording and what is wrong with its prediction."""
    for _ in range(TRIES):
        case = where.record(asked)
        said = conformance.lookup(case, HEADER) or ("" if _hasty(asked) else difference(case))
        if not said:
            break
    return case, said


def _hasty(asked: Asked) -> bool:
    """True if the order of replies decides where c-ares goes on: only the recording tells it."""
    several = asked.resolv_conf.count("nameserver") > 1
    return several and machine_of(asked).name in ("c-ares", "node-resolve")


def _chance(asked: Asked) -> bool:
    """True if it is luck which servers are asked, and they do not answer alike."""
    unlike = NOBODY in asked.resolv_conf or asked.scenario.startswith("first_")
    return unlike and "rotate" in asked.resolv_conf and "dnspython" in asked.program.name


@dataclass
class Studios:
    """As many studios as there are threads."""

    folder: Path
    programs: Path
    _stack: ExitStack = field(default_factory=ExitStack)
    _free: "SimpleQueue[Studio]" = field(default_factory=SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _number: int = 0

    @contextmanager
    def one(self) -> Iterator[Studio]:
        with self._lock:
            if self._free.empty():
                self._number += 1
                made = studio(self.folder / str(self._number), self.programs)
                self._free.put(self._stack.enter_context(made))
            found = self._free.get()
        yield found
        self._free.put(found)

    def close(self) -> None:
        self._stack.close()


@contextmanager
def studios(programs: Path) -> Iterator[Studios]:
    with tempfile.TemporaryDirectory() as folder:
        made = Studios(Path(folder), programs)
        try:
            yield made
        finally:
            made.close()


Result = tuple[Asked, dict[str, Any], str]


def run(many: Iterable[Asked], where: Studios, until: float = float("inf")) -> Iterator[Result]:
    """Compare lookups, those that wait side by side; none begins after the second `until`."""

    def one(asked: Asked) -> Result | None:
        if time.monotonic() > until:
            return None
        with where.one() as inside:
            return (asked, *compared(inside, asked))

    with ThreadPoolExecutor(WAITING) as waiting, ThreadPoolExecutor(AT_ONCE) as quick:
        begun = [(waiting if predicted_seconds(a) > 0.5 else quick).submit(one, a) for a in many]
        for future in begun:
            result = future.result()
            if result:
                yield result


def drawn(random: Random, programs: tuple[Program, ...], longest: float) -> Iterator[Asked]:
    """Lookups that take at most `longest` seconds or hang, for ever."""
    while True:
        asked = Asked(
            random.choice(programs),
            random.choice(("cluster", "cluster", *SCENARIOS)),
            resolv_confs.drawn(random),
            random.choice(NAMES),
        )
        seconds = predicted_seconds(asked)
        if _chance(asked):
            continue
        if seconds <= longest or (seconds == float("inf") and longest >= BROKEN_OFF):
            yield asked


def present(programs: Iterable[Program], folder: Path) -> tuple[Program, ...]:
    """Those that are there; the others are named."""
    found = []
    for one in programs:
        try:
            one.command(folder)
        except pytest.skip.Exception as skipped:
            print(f"{one.name}: {skipped}")
        else:
            found.append(one)
    return tuple(found)


def _added(text: str) -> Program:
    name, _, command = text.partition("=")
    words = tuple(shlex.split(command))
    return Program(name, lambda folder: words)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.real.soak_resolvers")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=31)
    parser.add_argument("--also", action="append", default=[], type=_added)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, studios(Path(folder)) as where:
        named = [p for p in (*PROGRAMS, *given.also) if given.only in p.name]
        programs = present(named, Path(folder))
        until = time.monotonic() + given.seconds
        lines = [json.dumps(HEADER)]
        many = drawn(Random(given.seed), programs, given.longest)
        while time.monotonic() < until:
            for asked, case, said in run(itertools.islice(many, 400), where, until):
                counts[asked.program.name] += 1
                wrong[asked.program.name] += bool(said)
                lines.append(json.dumps(case))
                if said:
                    print(f"{asked}: {said}", flush=True)
        if given.out:
            given.out.write_text("\n".join(lines) + "\n")
    for name, count in counts.items():
        print(f"{name}: {count} lookups, {wrong[name]} otherwise than predicted")
    print(f"{counts.total() - wrong.total()} passed, {wrong.total()} failed")
    return 1 if wrong.total() else 0


if __name__ == "__main__":
    sys.exit(main())
