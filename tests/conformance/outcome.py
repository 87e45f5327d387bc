"""What running one case gives."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Case = dict[str, Any]
Check = Callable[[Case, Case], str]
"""(case, whole document) -> what is wrong, "" if the code agrees."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case's id and kind, and what is wrong, "" if nothing is."""

    case: str
    kind: str
    problem: str


def run_case(suite: Mapping[str, Check], case: Case, document: Case) -> Outcome:
    """Run one case; a kind that the suite does not know fails and says so."""
    kind = case.get("kind", "")
    check = suite.get(kind)
    if check is None:
        return Outcome(case["id"], kind, f"unsupported kind {kind}")
    try:
        problem = check(case, document)
    except Exception:
        problem = traceback.format_exc(limit=-2).replace("\n", " | ")
    return Outcome(case["id"], kind, problem)


def differs(what: str, expected: object, got: object) -> str:
    """A line that names the difference, "" if there is none."""
    return "" if expected == got else f"{what}: expected {expected}, got {got}"
