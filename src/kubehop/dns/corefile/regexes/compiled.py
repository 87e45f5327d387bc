"""An expression that can be asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubehop.dns.corefile.regexes.nodes import Chars, Node, Sequence
from kubehop.dns.corefile.regexes.plain import plain
from kubehop.dns.corefile.regexes.program import Program, program
from kubehop.dns.corefile.regexes.run import search
from kubehop.dns.corefile.regexes.syntax import Parser

Groups = tuple[str, ...]
"""What the whole and each group matched, "" for a group that did not."""


@dataclass(frozen=True, slots=True)
class Regex:
    """`regexp.Regexp`: `groups` counts the groups, `names` gives their numbers.

    `needed` is a text without which there is no match.
    """

    pattern: str
    groups: int
    names: Mapping[str, int]
    needed: str = field(repr=False, compare=False)
    program: Program = field(repr=False, compare=False)
    plain: re.Pattern[str] | None = field(repr=False, compare=False)

    def search(self, text: str) -> Groups | None:
        """`FindStringSubmatch`: the leftmost match, None without one."""
        if self.plain is not None:
            match = self.plain.search(text)
            return None if match is None else (match[0], *match.groups(""))
        slots = search(self.program, self.groups, text) if self.needed in text else None
        if slots is None:
            return None
        pairs = zip(slots[::2], slots[1::2], strict=True)
        return tuple(text[start:end] if start >= 0 <= end else "" for start, end in pairs)


def go_regex(pattern: str) -> Regex:
    """`regexp.Compile`; raises InputError in Go's words."""
    parser = Parser(pattern)
    tree = parser.parse()
    return Regex(pattern, parser.groups, parser.names, needed(tree), program(tree), plain(tree))


def needed(tree: Node) -> str:
    """The longest text that is in every match, as far as that is seen at once."""
    found = [""]
    for part in tree.parts if isinstance(tree, Sequence) else ():
        code = part.chars.single if isinstance(part, Chars) else None
        if code is None:
            found.append("")
        else:
            found[-1] += chr(code)
    return max(found, key=len)
