"""Run a case file: `python -m tests.conformance proxy ../shared/cases/proxy.json`.

DNS cases run twice, without sockets and against a running server, and pass if both agree.

Prints a line for every case that fails and ends with `N passed, M failed`; exit 1 if any failed.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import dns, dns_sockets, proxy, resolver
from tests.conformance.outcome import Outcome, run_case

SUITES = {"proxy": proxy.SUITE, "dns": dns.SUITE, "resolver": resolver.SUITE}


def run(suite: str, path: Path) -> list[Outcome]:
    """The outcome of every case in a file of that suite's schema."""
    document = load(path)
    return [run_case(SUITES[suite], case, document) for case in document["cases"]]


def also_over_sockets(outcomes: list[Outcome], path: Path) -> list[Outcome]:
    """The same cases, which fail if the running server fails; said if it cannot be run here."""
    try:
        again = dns_sockets.outcomes(path)
    except pytest.skip.Exception as skipped:
        print(f"not run over sockets: {skipped}")
        return outcomes
    return [
        one if one.problem or not other.problem else _over_sockets(other)
        for one, other in zip(outcomes, again, strict=True)
    ]


def _over_sockets(outcome: Outcome) -> Outcome:
    return dataclasses.replace(outcome, problem=f"over sockets: {outcome.problem}")


def load(path: Path) -> dict[str, Any]:
    """A case file: one JSON document, or JSON lines of which the first is the header."""
    text = path.read_text()
    document: dict[str, Any]
    if path.suffix != ".jsonl":
        document = json.loads(text)
        return document
    document, *cases = (json.loads(line) for line in text.splitlines() if line.strip())
    for number, case in enumerate(cases, 2):
        words = (case["resolver"], case["name"], case["scenario"])
        case |= {"id": f"line {number}: {' '.join(words)}", "kind": "lookup"}
    return {**document, "cases": cases}


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in SUITES:
        print(f"usage: python -m tests.conformance {'|'.join(SUITES)} FILE", file=sys.stderr)
        return 2
    suite, path = arguments[0], Path(arguments[1])
    outcomes = run(suite, path)
    if suite == "dns":
        outcomes = also_over_sockets(outcomes, path)
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        print(f"FAIL {outcome.case}: {outcome.problem}")
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
