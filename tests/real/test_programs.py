"""Programs of many kinds, cold, in scenarios of the shared recordings: all is as predicted."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.conformance import resolver as conformance
from tests.real.recorded import HEADER, PROGRAMS, Asked, Program
from tests.real.soak_resolvers import Result, drawn, run, studios

EACH, LONGEST = 18, 8.0
"""Lookups of each program, and how many seconds one may wait."""


def chosen(program: Program) -> Iterator[Asked]:
    """The same ones each time."""
    lookups = drawn(Random(program.name), (program,), LONGEST)
    for _ in range(EACH):
        yield next(lookups)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], list[Result]]:
    """Why a program cannot run here, and what the others did, all of them side by side."""
    folder, absent = tmp_path_factory.mktemp("programs"), {}
    lookups: list[Asked] = []
    for program in PROGRAMS:
        try:
            program.command(folder)
        except pytest.skip.Exception as skipped:
            absent[program.name] = str(skipped)
        else:
            lookups += chosen(program)
    with studios(folder) as where:
        return absent, list(run(lookups, where))


@pytest.mark.parametrize("name", [program.name for program in PROGRAMS])
def test_lookups_are_as_predicted(name: str, programs: tuple[dict[str, str], list[Result]]) -> None:
    absent, results = programs
    if name in absent:
        pytest.skip(absent[name])
    mine = [(str(asked), said) for asked, _, said in results if asked.program.name == name]
    assert len(mine) == EACH
    assert [(asked, said) for asked, said in mine if said] == []


def test_a_recording_that_is_not_so_is_noticed(
    programs: tuple[dict[str, str], list[Result]],
) -> None:
    _, results = programs
    cases = [case for _, case, _ in results if len(case["queries"]) > 1 and not case["exit"]]
    spoilt = [{**case, "queries": case["queries"][:-1]} for case in cases]
    noticed = [bool(conformance.lookup(case, HEADER)) for case in spoilt]
    assert len(noticed) > 50
    assert sum(noticed) > 0.9 * len(noticed)
