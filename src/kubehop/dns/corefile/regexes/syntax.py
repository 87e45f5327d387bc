"""Regular expressions as Go writes them: `regexp/syntax/parse.go`, with Perl's extensions."""

from dataclasses import dataclass, replace

from kubehop.dns.corefile.regexes import classes
from kubehop.dns.corefile.regexes.nodes import (
    Assert,
    Chars,
    Either,
    Group,
    Node,
    Repeat,
    Sequence,
)
from kubehop.dns.corefile.regexes.scanner import Scanner

MAX_REPEAT = 1000
MAX_DEPTH = 100
_PLACES = {"A": "text start", "z": "text end", "b": "boundary", "B": "no boundary"}
_REPEATS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(frozen=True, slots=True)
class _Flags:
    """`(?imsU)`."""

    i: bool = False
    m: bool = False
    s: bool = False
    U: bool = False


class Parser(Scanner):
    """Parses one expression; `names` are the numbers of named groups, the last of a name."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.groups = 0
        self.names: dict[str, int] = {}
        self._depth = 0

    def parse(self) -> Node:
        """The tree; raises InputError."""
        found = self._either(_Flags())
        if self.at < len(self.text):
            self.fail("unexpected )", self.text)
        return found

    def _either(self, flags: _Flags) -> Node:
        """Alternatives; flags set in one hold in those that follow."""
        parts = list[Node]()
        while True:
            part, flags = self._sequence(flags)
            parts.append(part)
            if not self.taken("|"):
                return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _sequence(self, flags: _Flags) -> tuple[Node, _Flags]:
        parts, repeated = list[Node](), -1
        while self.at < len(self.text) and self.ahead() not in ("|", ")"):
            start = self.at
            counts = self._counts()
            if counts is not None:
                self._repeat(parts, flags, counts, repeated if repeated >= 0 else start, start)
                repeated = start
                continue
            repeated = -1
            if self.taken(r"\Q"):
                quoted = self.up_to(r"\E")
                literal = self.text[self.at :] if quoted is None else quoted
                self.at = len(self.text) if quoted is None else self.at
                parts += [_char(char, flags) for char in literal]
                continue
            part = self._one(flags)
            if isinstance(part, _Flags):
                flags = part
            else:
                parts.append(part)
        return Sequence(tuple(parts)), flags

    def _one(self, flags: _Flags) -> Node | _Flags:
        """One thing that could be repeated, or flags."""
        char = self.ahead()
        self.at += 1
        match char:
            case "(":
                return self._group(flags)
            case "[":
                return Chars(self.char_class(flags.i))
            case "\\" if self.ahead() and self.ahead() in _PLACES:
                self.at += 1
                return Assert(_PLACES[self.text[self.at - 1]])
            case "\\":
                return Chars(self.escape(flags.i))
            case ".":
                return Chars(classes.ANY if flags.s else classes.NOT_NEWLINE)
            case "^":
                return Assert("line start" if flags.m else "text start")
            case "$":
                return Assert("line end" if flags.m else "text end")
        return _char(char, flags)

    # Repetition

    def _counts(self) -> tuple[int, int | None] | None:
        """What a repetition says; None (and nothing taken) if there is none."""
        start, char = self.at, self.ahead()
        self.at += 1
        if char in _REPEATS:
            return _REPEATS[char]
        inside = self.up_to("}") if char == "{" else None
        least, comma, most = (inside or "").partition(",")
        if not _is_number(least) or (most and not _is_number(most)):
            self.at = start
            return None
        return int(least), int(least) if not comma else int(most) if most else None

    def _repeat(
        self,
        parts: list[Node],
        flags: _Flags,
        counts: tuple[int, int | None],
        first: int,
        start: int,
    ) -> None:
        """Repeat the last part; `first` is where a repetition right before begins."""
        least, most = counts
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            self.fail("invalid repeat count", self.since(start))
        lazy = self.taken("?")
        if first != start:
            self.fail("invalid nested repetition operator", self.since(first))
        if parts and isinstance(parts[-1], Repeat):
            # Only flags can stand between: `a*(?i)*`. Go has a limit of another kind.
            self.fail("expression nests too deeply", self.text)
        if not parts:
            self.fail("missing argument to repetition operator", self.since(start))
        parts[-1] = Repeat(parts[-1], least, most, greedy=lazy == flags.U)
        if not _fits(parts[-1], MAX_REPEAT):
            self.fail("invalid repeat count", self.since(start))

    # Groups

    def _group(self, flags: _Flags) -> Node | _Flags:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.fail("expression nests too deeply", self.text)
        start, index = self.at - 1, 0
        if self.ahead(3) == "?P<" or self.ahead(2) == "?<":
            index = self._named(start)
        elif self.taken("?"):
            flags, ends = self._flags(flags, start)
            if ends:
                self._depth -= 1
                return flags
        else:
            self.groups += 1
            index = self.groups
        found = self._either(flags)
        if not self.taken(")"):
            self.fail("missing closing )", self.text)
        self._depth -= 1
        return Group(found, index) if index else found

    def _named(self, start: int) -> int:
        """The number of `?P<name>` or `?<name>`."""
        before = self.up_to(">")
        if before is None:
            self.fail("invalid named capture", self.text[start:])
        name = before.partition("<")[2]
        if not name.isascii() or not name.replace("_", "a").isalnum():
            self.fail("invalid named capture", self.since(start))
        self.groups += 1
        self.names[name] = self.groups
        return self.groups

    def _flags(self, flags: _Flags, start: int) -> tuple[_Flags, bool]:
        """The flags of `(?i-s` and True if `)` ends them, False if `:` begins a group."""
        value, seen = True, False
        while char := self.ahead():
            self.at += 1
            if char in ("i", "m", "s", "U"):
                flags, seen = replace(flags, **{char: value}), True
            elif char == "-" and value:
                value, seen = False, False
            elif char in (":", ")") and (value or seen):
                return flags, char == ")"
            else:
                break
        return self.fail("invalid or unsupported Perl syntax", self.since(start))


def _char(char: str, flags: _Flags) -> Chars:
    found = classes.only(char)
    return Chars(found.any_case() if flags.i else found)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and (text == "0" or text[0] != "0")


def _fits(node: Node, limit: int) -> bool:
    """True if no character is to be repeated more than `limit` times, by all together."""
    match node:
        case Repeat(part, least, most, _):
            times = least if most is None else most
            return most == 0 or (times <= limit and _fits(part, limit // max(times, 1)))
        case Sequence(parts) | Either(parts):
            return all(_fits(part, limit) for part in parts)
        case Group(part, _):
            return _fits(part, limit)
    return True
