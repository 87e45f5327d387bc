"""Facts of upstream's tests, from the shared case file."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.proxy import SUITE

CASES = Path(__file__).parents[2].parent / "shared" / "cases" / "proxy.json"
KINDS = ("controller", "hints")


def document() -> dict[str, Any]:
    if not CASES.exists():
        return {"cases": []}
    found: dict[str, Any] = json.loads(CASES.read_text())
    return found


FOUND = document()


def test_the_case_file_is_there() -> None:
    assert CASES.exists(), f"needs {CASES}"


@pytest.mark.parametrize(
    "case", [c for c in FOUND["cases"] if c["kind"] in KINDS], ids=lambda case: case["id"]
)
def test_case(case: dict[str, Any]) -> None:
    assert SUITE[case["kind"]](case, FOUND) == ""
