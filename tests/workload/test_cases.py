"""Facts of upstream's tests, from the shared case file."""

import json
from typing import Any

import pytest

from tests.conformance.proxy import SUITE
from tests.shared_files import shared

CASES = shared("cases/proxy.json")
KINDS = ("controller", "hints")


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CASES.read_text())
    return found


FOUND = document()


@pytest.mark.parametrize(
    "case", [c for c in FOUND["cases"] if c["kind"] in KINDS], ids=lambda case: case["id"]
)
def test_case(case: dict[str, Any]) -> None:
    assert SUITE[case["kind"]](case, FOUND) == ""
