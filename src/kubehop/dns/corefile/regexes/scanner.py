"""Characters, escapes and classes of an expression (`regexp/syntax/parse.go`)."""

from typing import NoReturn

from kubehop.dns.corefile.regexes import classes
from kubehop.dns.corefile.regexes.classes import Class
from kubehop.model.errors import InputError

_CONTROL = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_OCTAL = frozenset("01234567")
_HEX = frozenset("0123456789abcdefABCDEF")


class Scanner:
    """A cursor over an expression; raises InputError in Go's words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, code: str, what: str) -> NoReturn:
        raise InputError(f"error parsing regexp: {code}: `{what}`")

    def since(self, start: int) -> str:
        return self.text[start : self.at]

    def ahead(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def taken(self, text: str) -> bool:
        """Step over `text` if it is what follows."""
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def up_to(self, end: str) -> str | None:
        """Step over what is before `end` and over that, None if it does not come."""
        found = self.text.find(end, self.at)
        if found < 0:
            return None
        before, self.at = self.text[self.at : found], found + len(end)
        return before

    def escape(self, fold: bool) -> Class:
        """What a backslash makes of the characters after it; the backslash is taken.

        With `fold` both cases of a letter are one.
        """
        if self.ahead() in ("p", "P"):
            return self._unicode(fold)
        if self.ahead().lower() in classes.PERL:
            char = self.ahead()
            self.at += 1
            found = classes.PERL[char.lower()]
            return found.negated() if char.isupper() else found
        return _folded(classes.only(self._escaped()), fold)

    def _escaped(self) -> str:
        """The one character that an escape stands for."""
        start, char = self.at - 1, self.ahead()
        if not char:
            self.fail("trailing backslash at end of expression", "")
        self.at += 1
        if char in _CONTROL:
            return _CONTROL[char]
        if char == "0" or (char in _OCTAL and self.ahead() in _OCTAL and self.ahead()):
            while self.ahead() in _OCTAL and self.ahead() and self.at - start < 4:
                self.at += 1
            return chr(int(self.since(start + 1), 8))
        if char == "x":
            return self._hexadecimal(start)
        if not char.isascii() or char.isalnum():
            self.fail("invalid escape sequence", self.since(start))
        return char

    def _hexadecimal(self, start: int) -> str:
        """`\\x7f` or `\\x{10ffff}`."""
        if self.taken("{"):
            digits = self.up_to("}") or ""
        else:
            digits = self.ahead(2) if len(self.ahead(2)) == 2 else ""
            self.at += 2
        code = int(digits, 16) if digits and _HEX.issuperset(digits) else classes.LAST + 1
        if code > classes.LAST:
            self.fail("invalid escape sequence", self.since(start))
        return chr(code)

    def _unicode(self, fold: bool) -> Class:
        """`\\pL`, `\\p{Greek}`, `\\P{^Lu}`."""
        start = self.at - 1
        negated = self.ahead() == "P"
        self.at += 1
        name: str | None = self.ahead()
        self.at += 1
        if name == "{":
            name = self.up_to("}")
        if name is None:
            self.fail("invalid character class range", self.text[start:])
        negated ^= name.startswith("^")
        found = classes.unicode_class(name.removeprefix("^"))
        if found is None:
            self.fail("invalid character class range", self.since(start))
        found = _folded(found, fold)
        return found.negated() if negated else found

    def char_class(self, fold: bool) -> Class:
        """`[a-z]`, its `[` taken."""
        start = self.at - 1
        negated = self.taken("^")
        found = list[Class]()
        while self.ahead() != "]" or not found:
            found.append(self._member(start, fold))
        self.at += 1
        whole = classes.union(found)
        return whole.negated() if negated else whole

    def _member(self, start: int, fold: bool) -> Class:
        """A run, a character, or a class in a class."""
        if self.ahead(2) == "[:":
            end = self.text.find(":]", self.at + 2)
            if end >= 0:
                return self._posix(end, fold)
        if self.ahead() == "\\" and self.ahead(2)[1:].lower() in (*classes.PERL, "p"):
            self.at += 1
            return self.escape(fold)
        here = self.at
        low = high = self._single(start)
        if self.ahead() == "-" and len(self.ahead(2)) == 2 and self.ahead(2) != "-]":
            self.at += 1
            high = self._single(start)
        if high < low:
            self.fail("invalid character class range", self.since(here))
        return _folded(classes.of((ord(low), ord(high))), fold)

    def _posix(self, end: int, fold: bool) -> Class:
        """`[:alpha:]` or `[:^alpha:]`."""
        name = self.text[self.at + 2 : end]
        found = classes.POSIX.get(name.removeprefix("^"))
        if found is None:
            self.fail("invalid character class range", self.text[self.at : end + 2])
        self.at = end + 2
        found = _folded(found, fold)
        return found.negated() if name.startswith("^") else found

    def _single(self, start: int) -> str:
        char = self.ahead()
        if not char:
            self.fail("missing closing ]", self.text[start:])
        self.at += 1
        return self._escaped() if char == "\\" else char


def _folded(found: Class, fold: bool) -> Class:
    return found.any_case() if fold else found
