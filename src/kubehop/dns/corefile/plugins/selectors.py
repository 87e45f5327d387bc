"""Label selectors as text: `app in (a, b), tier!=db, !legacy` (apimachinery `labels.Parse`)."""

import re

from kubehop.model.errors import InputError
from kubehop.model.meta import LabelSelector, Requirement

_KEY = r"([A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?)"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?|)"
_EQUAL = re.compile(rf"{_KEY}\s*(==|=|!=)\s*{_VALUE}")
_SET = re.compile(rf"{_KEY}\s+(in|notin)\s*\(([^()]*)\)")
_EXISTS = re.compile(rf"(!?)\s*{_KEY}")
_COMMA = re.compile(r",(?![^()]*\))")


def label_selector(text: str) -> LabelSelector:
    """The selector that `text` writes; raises InputError."""
    parts = [part.strip() for part in _COMMA.split(text)]
    return LabelSelector(match_expressions=tuple(_requirement(part, text) for part in parts))


def _requirement(part: str, text: str) -> Requirement:
    if match := _EQUAL.fullmatch(part):
        operator = "NotIn" if match[3] == "!=" else "In"
        return _built(match[1], operator, (match[4],))
    if match := _SET.fullmatch(part):
        values = tuple(value.strip() for value in match[4].split(","))
        return _built(match[1], "In" if match[3] == "in" else "NotIn", values)
    if match := _EXISTS.fullmatch(part):
        return _built(match[2], "DoesNotExist" if match[1] else "Exists", ())
    raise InputError(f"couldn't parse the selector string \"{text}\": at '{part}'")


def _built(key: str, operator: str, values: tuple[str, ...]) -> Requirement:
    return Requirement(key=key, operator=operator, values=values)  # type: ignore[arg-type]
