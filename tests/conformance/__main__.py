"""Run a case file: `python -m tests.conformance proxy ../shared/cases/proxy.json`.

Prints a line for every case that fails and ends with `N passed, M failed`; exit 1 if any failed.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.conformance import dns, proxy, resolver
from tests.conformance.outcome import Outcome, run_case

SUITES = {"proxy": proxy.SUITE, "dns": dns.SUITE, "resolver": resolver.SUITE}


def run(suite: str, path: Path) -> list[Outcome]:
    """The outcome of every case in a file of that suite's schema."""
    document = load(path)
    return [run_case(SUITES[suite], case, document) for case in document["cases"]]


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
    outcomes = run(arguments[0], Path(arguments[1]))
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        print(f"FAIL {outcome.case}: {outcome.problem}")
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
