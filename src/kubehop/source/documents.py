"""Bytes to documents; every document is JSON from here on, whatever it was written in."""

import re
from collections.abc import Iterator

import msgspec

from kubehop.model.errors import InputError
from kubehop.source import yamls
from kubehop.source.text import line_of, template_hint, utf8, without_logs

Document = msgspec.Raw | memoryview | bytes
"""One JSON value, as bytes that msgspec decodes without copying them."""

_SPACE = re.compile(rb"\s*+")
_JSON = re.compile(rb'\{\s*+["}]|\[\s*+[\[{\]"]')
_TRAILING = re.compile(r"JSON is malformed: trailing characters \(byte (\d+)\)")
_MALFORMED = re.compile(r"JSON is malformed: (.*) \(byte (\d+)\)")

_skip = msgspec.json.Decoder(msgspec.Raw)


def documents(data: bytes) -> Iterator[Document]:
    """The documents of one input that are not empty.

    YAML documents, JSON, JSON values one after the other, `kubectl cluster-info dump`, in
    UTF-8 or UTF-16. Raises InputError for what is none of these.
    """
    data = utf8(data)
    for start, end in without_logs(data):
        yield from _part(data, start, end)


def _part(data: bytes, start: int, end: int) -> Iterator[Document]:
    """JSON values as long as there are any; the rest is YAML, of which JSON is not all."""
    view = memoryview(data)
    while (start := _space(data, start, end)) < end:
        if not _JSON.match(data, start, end):
            yield from _yaml(data, start, end)
            return
        value = _first_json(data, view[start:end], start)
        start += len(value)
        yield value


def _space(data: bytes, start: int, end: int) -> int:
    """Where the white space at `start` ends."""
    space = _SPACE.match(data, start, end)
    return space.end() if space else start


def _first_json(data: bytes, view: memoryview, start: int) -> memoryview:
    """The JSON value that `view` begins with; `start` is where in `data` that is.

    msgspec has no decoder of streams, but its error for a second value says where it begins.
    """
    try:
        _skip.decode(view)
    except msgspec.DecodeError as error:
        if trailing := _TRAILING.fullmatch(str(error)):
            return view[: int(trailing[1]) - 1]  # it counts the byte that it stumbled over
        raise InputError(_explain(str(error), data, start)) from error
    except RecursionError as error:
        raise InputError("JSON nested too deeply") from error
    return view


def _explain(error: str, data: bytes, start: int) -> str:
    malformed = _MALFORMED.fullmatch(error)
    if not malformed:
        return "JSON is cut off: it ends in the middle of a value"
    at = start + int(malformed[2])
    around = data[max(start, at - 80) : at + 80].decode(errors="replace")
    return f"line {line_of(data, at)}: not JSON: {malformed[1]}{template_hint(around)}"


def _yaml(data: bytes, start: int, end: int) -> Iterator[Document]:
    """YAML becomes JSON, as kubectl does it. Blank lines keep the lines of the file right."""
    lines = b"\n" * data.count(b"\n", 0, start) if start else b""
    for value in yamls.load_all(lines + data[start:end]):
        if value is not None:
            yield msgspec.json.encode(value)
