"""A tree as instructions for a machine that is in many places at once (Thompson, Pike).

Source: `regexp/syntax/compile.go`; what can be empty is repeated as Go repeats it.
"""

from dataclasses import dataclass
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
from kubehop.model.errors import InputError

MAX_SIZE = 2000
"""Instructions of one expression; a Corefile's have some ten."""


@dataclass(frozen=True, slots=True)
class Char:
    """Go on if the next character is in the set; `mask` is its ASCII part."""

    chars: Class
    mask: int


@dataclass(frozen=True, slots=True)
class Split:
    """Go on in both places; the first counts more."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Save:
    """Remember where this is: groups begin at even slots and end at odd ones."""

    slot: int


@dataclass(frozen=True, slots=True)
class At:
    """Go on if this is such a place (`Assert`)."""

    place: str


@dataclass(frozen=True, slots=True)
class Match:
    """It matches."""


Step = Char | Split | Save | At | Match
Program = tuple[Step, ...]


def program(node: Node) -> Program:
    """The instructions; raises InputError if there are too many."""
    made = _Compiler()
    made.put(node)
    return (*made.steps, Match())


class _Compiler:
    """Every `put` leaves the end of `steps` as the place where its part goes on."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def put(self, node: Node) -> None:
        if len(self.steps) > MAX_SIZE:
            raise InputError("error parsing regexp: expression too large")
        match node:
            case Chars(chars):
                self.steps.append(Char(chars, chars.ascii))
            case Assert(place):
                self.steps.append(At(place))
            case Sequence(parts):
                for part in parts:
                    self.put(part)
            case Either(parts):
                self._either(parts)
            case Repeat():
                self._repeat(node)
            case Group(part, index):
                self.steps.append(Save(2 * index))
                self.put(part)
                self.steps.append(Save(2 * index + 1))
            case _:
                assert_never(node)

    def _hole(self) -> int:
        self.steps.append(Split(0, 0))
        return len(self.steps) - 1

    def _fill(self, hole: int, to: int, greedy: bool = True) -> None:
        """Let a hole go on behind itself, or to another place; lazily the place comes first."""
        here = hole + 1
        self.steps[hole] = Split(here, to) if greedy else Split(to, here)

    def _either(self, parts: tuple[Node, ...]) -> None:
        ends = []
        for part in parts[:-1]:
            hole = self._hole()
            self.put(part)
            ends.append(self._hole())
            self._fill(hole, len(self.steps))
        self.put(parts[-1])
        for end in ends:
            self.steps[end] = Split(len(self.steps), len(self.steps))

    def _repeat(self, node: Repeat) -> None:
        for _ in range(node.least - (1 if node.most is None and node.least else 0)):
            self.put(node.part)
        if node.most is not None:
            self._optional(node, node.most - node.least)
        elif node.least:
            self._plus(node)
        elif nullable(node.part):
            # `(x*)*` is `((x*)+)?`: a part that can be empty is tried once.
            hole = self._hole()
            self._plus(node)
            self._fill(hole, len(self.steps), node.greedy)
        else:
            hole = self._hole()
            self.put(node.part)
            self.steps.append(Split(hole, hole))
            self._fill(hole, len(self.steps), node.greedy)

    def _plus(self, node: Repeat) -> None:
        start = len(self.steps)
        self.put(node.part)
        after = len(self.steps) + 1
        self.steps.append(Split(start, after) if node.greedy else Split(after, start))

    def _optional(self, node: Repeat, count: int) -> None:
        """`x{0,3}` is `(x(x(x)?)?)?`."""
        holes = []
        for _ in range(count):
            holes.append(self._hole())
            self.put(node.part)
        for hole in holes:
            self._fill(hole, len(self.steps), node.greedy)


def nullable(node: Node) -> bool:
    """True if it can match without a character."""
    match node:
        case Chars():
            return False
        case Assert():
            return True
        case Sequence(parts):
            return all(map(nullable, parts))
        case Either(parts):
            return any(map(nullable, parts))
        case Repeat(part, least, _, _):
            return least == 0 or nullable(part)
        case Group(part, _):
            return nullable(part)
    assert_never(node)
