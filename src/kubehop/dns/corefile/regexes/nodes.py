"""A regular expression as a tree."""

from dataclasses import dataclass

from kubehop.dns.corefile.regexes.classes import Class


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    chars: Class


@dataclass(frozen=True, slots=True)
class Assert:
    """A place: "text start", "text end", "line start", "line end", "boundary", "no boundary"."""

    place: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; () matches nothing at all, everywhere."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """The first that leads to a match."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`least` to `most` times, None for no end; as often as possible if `greedy`."""

    part: "Node"
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A part that is remembered, counted from 1."""

    part: "Node"
    index: int


Node = Chars | Assert | Sequence | Either | Repeat | Group
