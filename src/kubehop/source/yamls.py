"""YAML to plain values, from libyaml's events.

Built from events and not by PyYAML's constructor, because input comes from anywhere: depth is
limited and nothing recurses, aliases cannot multiply, keys cannot repeat, and no tag makes
anything but a plain value.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import yaml

from kubehop.model.errors import InputError
from kubehop.source.text import template_hint
from kubehop.source.yaml_values import Builder, fail

MAX_EMPTY_DOCUMENTS = 10_000
"""In a row: megabytes of "---" are no manifest."""

_SHOWN = 1000


def load_all(data: bytes, name: str = "") -> Iterator[object]:
    """The documents of `data` one by one; empty ones are None.

    Values are dict (with str keys), list, str, int, float, bool and None; what is anchored is
    shared, never copied: do not change what you get. Raises InputError with the file `name`
    and the line.
    """
    try:
        yield from _documents(_parser(data))
    except yaml.YAMLError as error:
        raise InputError(_explain(error, data), file=name) from error


def _documents(parser: Any) -> Iterator[object]:
    builder = Builder(parser.get_event)
    empty = 0
    while (event := parser.get_event()) is not None:
        if type(event) is not yaml.DocumentStartEvent:
            continue
        value = builder.document()
        empty = empty + 1 if value is None else 0
        if empty > MAX_EMPTY_DOCUMENTS:
            fail(event, f"more than {MAX_EMPTY_DOCUMENTS} empty documents in a row")
        yield value
        del value


def _parser(data: bytes) -> Any:
    if not hasattr(yaml, "CSafeLoader"):
        raise InputError(
            "this PyYAML has no C parser: reinstall PyYAML from a wheel, or with libyaml's headers"
        )
    return yaml.CSafeLoader(data)


def _explain(error: yaml.YAMLError, data: bytes) -> str:
    """libyaml's words on one line: "line 3: mapping values are not allowed in this context"."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"not UTF-8 text: {getattr(error, 'reason', error)}"
    problem, mark = error.problem or "not YAML", error.problem_mark or error.context_mark
    if mark is None:
        return problem
    text = _line(data, mark.line)
    if "'\\t'" in problem or (text.lstrip(" ").startswith("\t") and error.context):
        problem += " (YAML indents with spaces, not tabs)"
    return f"line {mark.line + 1}: {problem}{template_hint(text)}"


def _line(data: bytes, number: int) -> str:
    """The beginning of the line `number`, counted from 0, "" if there is none."""
    starts = itertools.chain([0], (end.end() for end in re.finditer(rb"\n", data)))
    start = next(itertools.islice(starts, number, None), len(data))
    return data[start : start + _SHOWN].partition(b"\n")[0].decode(errors="replace")
