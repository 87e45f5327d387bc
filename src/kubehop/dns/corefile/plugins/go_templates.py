"""Go's text templates, as far as Corefiles use them: `{{ .Name }} 60 IN A {{ .Group.a }}`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from kubehop.model.errors import InputError


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the query: `.Name`, `.Group.x` (("Group", "x")), `index .Match 1`."""

    path: tuple[str, ...]


Text = tuple[str | Field, ...]
"""A template: what is copied, and what is filled in."""

FIELDS = frozenset({"Zone", "Name", "Class", "Type", "Remote"})
_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_PLAIN = re.compile(r"\.(\w+(?:\.\w+)*)")
_INDEX = re.compile(r'index\s+\.(Match|Group)\s+(?:(\d+)|"(\w+)")')


def go_template(text: str) -> Text | None:
    """The template of `text`, None if it does what is not modelled; raises InputError."""
    if text.count("{{") != len(_ACTION.findall(text)):
        raise InputError(f"template: unclosed action: {text}")
    parts: list[str | Field] = []
    at = 0
    for action in _ACTION.finditer(text):
        before = text[at : action.start()]
        parts.append(before.rstrip() if action[1] else before)
        field = _field(action[2].strip())
        if field is None or action[3]:
            return None
        parts.append(field)
        at = action.end()
    parts.append(text[at:])
    return tuple(part for part in parts if part != "")


def _field(expression: str) -> Field | None:
    if match := _INDEX.fullmatch(expression):
        return Field((match[1], match[2] or match[3]))
    match = _PLAIN.fullmatch(expression)
    path = tuple(match[1].split(".")) if match else ()
    plain = len(path) == 1 and path[0] in FIELDS
    known = plain or path == ("Question", "Name") or (len(path) == 2 and path[0] == "Group")
    return Field(path) if known else None


def filled(template: Text, value: Callable[[Field], str]) -> str:
    """The text with every field replaced."""
    return "".join(part if isinstance(part, str) else value(part) for part in template)
