"""Walks through the words of a directive or a file, and words errors as CoreDNS does.

Source: `caddyfile/dispenser.go` of coredns/caddy.
"""

from collections.abc import Sequence
from typing import NoReturn

from kubehop.dns.corefile.tokens import Token
from kubehop.model.errors import InputError


class Dispenser:
    """A cursor over words; `name` is the Corefile's, for errors."""

    __slots__ = ("cursor", "name", "nesting", "tokens")

    def __init__(self, name: str, tokens: Sequence[Token]) -> None:
        self.name = name
        self.tokens = list(tokens)
        self.cursor = -1
        self.nesting = 0

    def next(self) -> bool:
        """Load the next word, if there is one."""
        if self.cursor >= len(self.tokens) - 1:
            return False
        self.cursor += 1
        return True

    def next_argument(self) -> bool:
        """Load the next word if it is on the same line."""
        after = self.cursor + 1
        if after >= len(self.tokens):
            return False
        if self.cursor >= 0 and self._breaks(self.cursor, exactly=True):
            return False
        self.cursor = after
        return True

    def next_block(self) -> bool:
        """Load the next word if it opens a block or is in one; blocks do not nest."""
        if self.nesting:
            return self._inside()
        if not self.next_argument():
            return False
        if self.value != "{":
            self.cursor -= 1
            return False
        if not self.next() or self.value == "}":
            return False
        self.nesting += 1
        return True

    def _inside(self) -> bool:
        if not self.next():
            return False
        if self.value == "}":
            self.nesting -= 1
            return False
        return True

    @property
    def value(self) -> str:
        """The word that is loaded, "" before the first."""
        return self.tokens[self.cursor].text if 0 <= self.cursor < len(self.tokens) else ""

    @property
    def line(self) -> int:
        return self.tokens[self.cursor].line if 0 <= self.cursor < len(self.tokens) else 0

    @property
    def file(self) -> str:
        loaded = 0 <= self.cursor < len(self.tokens)
        return (self.tokens[self.cursor].file if loaded else "") or self.name

    @property
    def at_line_start(self) -> bool:
        """True if the word is on another line than the one before it."""
        return self.cursor < 1 or self._breaks(self.cursor - 1)

    def _breaks(self, index: int, exactly: bool = False) -> bool:
        """True if the line ends between two words; a quoted word may span lines.

        Inside one file line numbers only grow, except where an import has put words of the
        same file in front: such a word is no argument, but starts no line either.
        """
        before, after = self.tokens[index], self.tokens[index + 1]
        end = before.line + before.text.count("\n")
        return before.file != after.file or (end != after.line if exactly else end < after.line)

    def arguments(self) -> list[str]:
        """Load the rest of the line, up to an opening brace."""
        found = []
        while self.next_argument():
            if self.value == "{":
                self.cursor -= 1
                break
            found.append(self.value)
        return found

    def argument(self) -> str:
        """Load and give the next word of the line; raises InputError if there is none."""
        if not self.next_argument():
            self.wrong_arguments()
        return self.value

    def no_arguments(self) -> None:
        """Raises InputError if the line goes on."""
        if self.arguments():
            self.wrong_arguments()

    def wrong_arguments(self) -> NoReturn:
        if self.value == "{":
            self.error("Unexpected token '{', expecting argument")
        self.error(f"Wrong argument count or unexpected line ending after '{self.value}'")

    def unexpected(self, expected: str) -> NoReturn:
        found = f"Unexpected token '{self.value}', expecting '{expected}'"
        raise InputError(f"{self.file}:{self.line} - Syntax error: {found}")

    def ends(self) -> NoReturn:
        self.error("Unexpected EOF")

    def error(self, problem: str) -> NoReturn:
        """Raises InputError with the place of the word that is loaded."""
        raise InputError(f"{self.file}:{self.line} - Error during parsing: {problem}")
