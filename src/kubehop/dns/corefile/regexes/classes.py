"""Sets of characters in regular expressions, as RE2 writes them."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LAST = 0x10FFFF
Range = tuple[int, int]
"""The first and the last code point of a run."""


@dataclass(frozen=True, slots=True)
class Class:
    """A set of characters: sorted runs that do not touch."""

    ranges: tuple[Range, ...]

    def __contains__(self, code: int) -> bool:
        return any(first <= code <= last for first, last in self.ranges)

    @property
    def single(self) -> int | None:
        """The only character, None if there are more or none."""
        whole = self.ranges[:1] == self.ranges and self.ranges
        return self.ranges[0][0] if whole and self.ranges[0][0] == self.ranges[0][1] else None

    @property
    def ascii(self) -> int:
        """Bit n is set if character n is in the set, for the first 128."""
        runs = ((first, min(last, 127)) for first, last in self.ranges if first < 128)
        return sum(((1 << (last + 1 - first)) - 1) << first for first, last in runs)

    def negated(self) -> "Class":
        edges = [-1, *(edge for run in self.ranges for edge in run), LAST + 1]
        gaps = zip(edges[::2], edges[1::2], strict=True)
        return Class(tuple((a + 1, b - 1) for a, b in gaps if a + 1 <= b - 1))

    def any_case(self) -> "Class":
        """With the other case of every ASCII letter in it."""
        letters = [c for c in range(128) if c in self and chr(c).isalpha()]
        return of(*self.ranges, *((ord(chr(c).swapcase()),) * 2 for c in letters))


def of(*ranges: Range) -> Class:
    """The union of runs in any order."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return Class(tuple(merged))


def union(classes: Iterable[Class]) -> Class:
    """Whatever is in any of them."""
    return of(*(run for one in classes for run in one.ranges))


def only(char: str) -> Class:
    """One character."""
    return Class(((ord(char), ord(char)),))


def _parse(text: str) -> Class:
    """`a-z_`: runs and single characters."""
    runs, at = list[Range](), 0
    while at < len(text):
        is_run = text[at + 1 : at + 2] == "-" and at + 2 < len(text)
        runs.append((ord(text[at]), ord(text[at + 2] if is_run else text[at])))
        at += 3 if is_run else 1
    return of(*runs)


ANY = Class(((0, LAST),))
NOT_NEWLINE = only("\n").negated()
DIGIT, WORD = _parse("0-9"), _parse("0-9A-Za-z_")
PERL = {"d": DIGIT, "w": WORD, "s": _parse("\t\n\f\r ")}
"""`\\d`, `\\w`, `\\s`; in upper case what is not in them."""
_MINOR = ("Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No")
_MARKS = ("Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs")
_CATEGORIES = frozenset((*_MINOR, *_MARKS, *"CLMNPSZ"))
POSIX = {
    "alnum": _parse("0-9A-Za-z"),
    "alpha": _parse("A-Za-z"),
    "ascii": of((0, 127)),
    "blank": _parse("\t "),
    "cntrl": of((0, 31), (127, 127)),
    "digit": DIGIT,
    "graph": of((33, 126)),
    "lower": _parse("a-z"),
    "print": of((32, 126)),
    "punct": of((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": of((9, 13), (32, 32)),
    "upper": _parse("A-Z"),
    "word": WORD,
    "xdigit": _parse("0-9A-Fa-f"),
}


def unicode_class(name: str) -> Class | None:
    """`\\pL`, `\\p{Greek}`: of it only ASCII, as other characters of names are escaped.

    None for what is no category, nor could be called a script.
    """
    if name in ("Any", "Latin"):
        return ANY if name == "Any" else POSIX["alpha"]
    if name.capitalize() in _CATEGORIES:
        name = name.capitalize()
        found = (c for c in range(128) if unicodedata.category(chr(c)).startswith(name))
        return of(*((c, c) for c in found))
    return Class(()) if len(name) > 2 and name.isidentifier() and name[0].isupper() else None
