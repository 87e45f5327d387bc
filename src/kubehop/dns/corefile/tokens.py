"""A Corefile's words: the lexer of CoreDNS's caddyfile.

Source: `caddyfile/lexer.go` of coredns/caddy.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Token(NamedTuple):
    """A word, the line it starts on (from 1), and the file it is from ("" the Corefile)."""

    text: str
    line: int
    file: str = ""


# What Go's unicode.IsSpace takes for white space.
_SPACE = r"\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SKIPPED = re.compile(rf"(?:[{_SPACE}]+|#[^\n]*)*")
# Only quotes can be escaped; a quoted word may span lines and need not be closed.
_QUOTED = re.compile(r'"((?:[^"\\]+|\\.)*)\\?("|\Z)', re.DOTALL)
# A carriage return inside a word is dropped; "#" ends the word and hides the rest of it.
_CARRIAGE = _SPACE.replace(r"\r", "")
_WORD = re.compile(rf"((?:[^{_SPACE}#]+|\r)+)(?:#[^{_CARRIAGE}]*)?")


def tokens(text: str, file: str = "") -> Iterator[Token]:
    """The words of `text`; `file` names an imported file, for errors."""
    text = text.removeprefix("\ufeff")
    at, line, counted = 0, 1, 0
    while True:
        skipped = _SKIPPED.match(text, at)
        at = skipped.end() if skipped else at
        if at >= len(text):
            return
        line, counted = line + text.count("\n", counted, at), at
        quoted = _QUOTED.match(text, at)
        word = quoted or _WORD.match(text, at)
        assert word is not None, "whatever is neither white space nor a comment starts a word"
        at = word.end()
        closed = quoted is not None and quoted.group(2)
        found = _unescaped(word.group(1)) if quoted else word.group(1).replace("\r", "")
        if found or closed:
            yield Token(found, line, file)


def _unescaped(quoted: str) -> str:
    """A backslash escapes a quote and stays in front of everything else."""
    return re.sub(r"\\(.)", lambda m: m[1] if m[1] == '"' else m[0], quoted, flags=re.DOTALL)
