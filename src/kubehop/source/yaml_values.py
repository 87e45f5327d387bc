"""One YAML document from libyaml's events to a value, without recursion and within limits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from kubehop.source import scalars

MAX_DEPTH = 200
MAX_ALIASED = 10_000_000
"""Characters and nodes that all aliases of one file may stand for."""

_LONGEST = 200  # of a problem: it may quote a key or an anchor

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {"!", f"{_TAG}str"}
_SCALAR_TAGS = {f"{_TAG}{name}" for name in ("int", "float", "bool", "null")}
_COLLECTION_TAGS = {
    yaml.MappingStartEvent: {"!", f"{_TAG}map"},
    yaml.SequenceStartEvent: {"!", f"{_TAG}seq"},
}


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that has not ended; `size` counts its nodes and characters."""

    value: Any
    anchor: str | None
    key: str | None = None
    merge: bool = False
    merged: list[dict[str, Any]] = field(default_factory=list)
    size: int = 1


class Builder:
    """Builds the documents of one file from what `next_event` gives."""

    def __init__(self, next_event: Callable[[], Any]) -> None:
        self._next_event = next_event
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int] | None] = {}
        self._aliased = 0
        self._root: Any = None

    def document(self) -> Any:
        """The document whose DocumentStartEvent was the last event, up to its end.

        Raises yaml.MarkedYAMLError, libyaml's own or one of ours.
        """
        self._anchors.clear()
        step: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
        }
        while type(event := self._next_event()) is not yaml.DocumentEndEvent:
            step[type(event)](event)
        root, self._root = self._root, None
        return root

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        plain = self._is_plain(event)
        top = self._open[-1] if self._open else None
        if top is not None and top.key is None and type(top.value) is dict:
            self._key(top, event, text, plain)
            return
        value = scalars.resolve(text) if plain else text
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1 + len(text))
        self._add(event, value, 1 + len(text))

    def _is_plain(self, event: Any) -> bool:
        tag = event.tag
        if tag is None:
            return bool(event.implicit[0])
        if tag in _TEXT_TAGS:
            return False
        if tag not in _SCALAR_TAGS:
            fail(event, f"tag {tag.removeprefix(_TAG)} is not supported")
        return True

    def _key(self, top: _Open, event: Any, text: str, plain: bool) -> None:
        key = scalars.key(text, plain)
        top.size += 1 + len(text)
        if plain and text == "<<":
            top.merge = True
        elif key in top.value:
            fail(event, f"key {key!r} is already set in this mapping")
        if event.anchor is not None:
            self._anchors[event.anchor] = (key, 1 + len(text))
        top.key = key

    def _start(self, event: Any) -> None:
        if event.tag is not None and event.tag not in _COLLECTION_TAGS[type(event)]:
            fail(event, f"tag {event.tag.removeprefix(_TAG)} is not supported")
        if len(self._open) >= MAX_DEPTH:
            fail(event, f"nested more than {MAX_DEPTH} levels deep")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        value: Any = {} if type(event) is yaml.MappingStartEvent else []
        self._open.append(_Open(value, event.anchor))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        for mapping in done.merged:
            for key, value in mapping.items():
                done.value.setdefault(key, value)
        if done.anchor is not None:
            self._anchors[done.anchor] = (done.value, done.size)
        self._add(event, done.value, done.size)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            fail(event, f"alias *{event.anchor} of an anchor that is not there")
        target = self._anchors[event.anchor]
        if target is None:
            fail(event, f"alias *{event.anchor} inside of its own anchor")
        value, size = target
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            fail(event, "aliases stand for too much")
        self._add(event, value, size)

    def _add(self, event: Any, value: Any, size: int) -> None:
        """Put a finished value into what it is part of."""
        if not self._open:
            self._root = value
            return
        top = self._open[-1]
        top.size += size
        if type(top.value) is list:
            top.value.append(value)
        elif top.key is None:
            fail(event, "a mapping's key must be a plain value")
        else:
            self._set(top, event, top.key, value)
            top.key = None

    def _set(self, top: _Open, event: Any, key: str, value: Any) -> None:
        if not top.merge:
            top.value[key] = value
            return
        sources = value if type(value) is list else [value]
        if not all(type(source) is dict for source in sources):
            fail(event, "<< takes a mapping or a list of mappings")
        top.merged.extend(sources)
        top.merge = False


def fail(event: Any, problem: str) -> NoReturn:
    """Raise what libyaml's parser would: an error with the event's line."""
    raise yaml.MarkedYAMLError(problem=problem[:_LONGEST], problem_mark=event.start_mark)
