"""Expressions that Python's engine cannot be slow with, for Python's engine."""

import re
from typing import assert_never

from kubehop.dns.corefile.regexes.classes import Class
from kubehop.dns.corefile.regexes.nodes import (
    Assert,
    Chars,
    Either,
    Group,
    Node,
    Repeat,
    Sequence,
)

MAX_ENDLESS = 2
"""So many `*` and `+` let it look at each of 255 characters at most 255 * 255 times."""
_PLACES = {
    "text start": r"\A",
    "text end": r"\Z",
    "line start": "(?m:^)",
    "line end": "(?m:$)",
    "boundary": r"\b",
}


class _TooMuchError(Exception):
    """Not for Python's engine."""


def plain(tree: Node) -> re.Pattern[str] | None:
    """The same for `re`, None if only single characters being repeated, twice, is not all."""
    writer = _Writer()
    try:
        return re.compile(writer.text(tree), re.ASCII | re.DOTALL)
    except _TooMuchError:
        return None


class _Writer:
    def __init__(self) -> None:
        self._endless = 0

    def text(self, node: Node) -> str:
        match node:
            case Chars(chars):
                return _of(chars)
            case Assert("no boundary"):
                # Not where there is nothing at all, says Python before 3.14.
                raise _TooMuchError
            case Assert(place):
                return _PLACES[place]
            case Sequence(parts):
                return "".join(map(self.text, parts))
            case Either(parts):
                return f"(?:{'|'.join(map(self.text, parts))})"
            case Group(part, _):
                return f"({self.text(part)})"
            case Repeat(part, least, most, greedy):
                self._endless += most != least
                if not isinstance(part, Chars) or self._endless > MAX_ENDLESS:
                    raise _TooMuchError
                counts = f"{{{least},{'' if most is None else most}}}"
                return f"{_of(part.chars)}{counts}{'' if greedy else '?'}"
        assert_never(node)


def _of(chars: Class) -> str:
    runs = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in chars.ranges)
    return f"[{runs}]" if runs else r"[^\s\S]"
