"""Label and field selectors as an API server reads them from a query."""

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Match = Callable[[Json], bool]

_TERM = re.compile(
    r"(!?[^!=\s,()]+)\s*(?:(==|!=|=|\bin\b|\bnotin\b)\s*(\([^)]*\)|[^,]*))?\s*(?:,|$)"
)


def selected(labels: str, fields: str) -> Match:
    """True for objects that both selectors take; an empty one takes all."""
    of_labels, of_fields = list(_terms(labels)), list(_terms(fields))

    def match(obj: Json) -> bool:
        found = obj["metadata"].get("labels") or {}
        return all(term(found) for term in of_labels) and all(
            term({key: _field(obj, key) for key in _keys(fields)}) for term in of_fields
        )

    return match


def _keys(selector: str) -> list[str]:
    return [key.lstrip("!") for key, _, _ in _TERM.findall(selector)]


def _field(obj: Json, path: str) -> str:
    value: Any = obj
    for part in path.split("."):
        value = (value or {}).get(part)
    return str(value or "")


def _terms(selector: str) -> list[Callable[[dict[str, str]], bool]]:
    return [_term(key, sign, value) for key, sign, value in _TERM.findall(selector)]


def _term(key: str, sign: str, value: str) -> Callable[[dict[str, str]], bool]:
    values = [one.strip() for one in value.strip("() ").split(",")]
    match sign:
        case "" if key.startswith("!"):
            return lambda found: key[1:] not in found
        case "":
            return lambda found: key in found
        case "!=" | "notin":
            return lambda found: found.get(key) not in values
        case _:
            return lambda found: found.get(key) in values
