"""Regular expressions as CoreDNS has them: Go's, which are RE2's and which no text makes slow.

Python's own engine goes back and tries again, for hours if an expression and a name are made for
it. A Corefile comes from a cluster, so it is not used here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kubehop.model.errors import InputError

Groups = tuple[str, ...]
"""What the whole and each group matched, "" for a group that did not."""

GO_WORDS = {
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid named capture group": "invalid named capture",
    "trailing \\": "trailing backslash at end of expression",
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
}
"""RE2's words for what is wrong, where Go has others (`regexp/syntax`, ErrorCode)."""
_NOT_GO = re.compile(r"(?<!\\)(?:\\\\)*(?P<part>\\C|\(\?P?<[^>]*[^\x00-\x7f][^>]*>)")
"""What RE2 takes and Go does not: any octet, and groups with names that are not ASCII."""

MAX_GROUPS = 1000
"""Go refuses deeper nesting; for RE2, groups beyond cost memory by their square."""


@dataclass(frozen=True, slots=True)
class Regex:
    """`regexp.Regexp`: `groups` counts the groups, `names` gives their numbers."""

    pattern: str
    groups: int
    names: Mapping[str, int]
    compiled: Any = field(repr=False, compare=False)

    def search(self, text: str) -> Groups | None:
        """`FindStringSubmatch`: the leftmost match, None without one."""
        match = self.compiled.search(text)
        return None if match is None else (match[0], *match.groups(""))


def go_regex(pattern: str) -> Regex:
    """`regexp.Compile`; raises InputError in Go's words."""
    import re2

    if pattern.count("(") > MAX_GROUPS:
        raise _error("expression nests too deeply", f"{pattern[:40]}...")
    if refused := _NOT_GO.search(pattern):
        part = refused["part"]
        what = "invalid escape sequence" if part == r"\C" else "invalid named capture"
        raise _error(what, part)
    try:
        found = re2.compile(pattern, _quiet())
    except re2.error as error:
        said = error.args[0]
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        what, _, part = text.partition(": ")
        raise _error(GO_WORDS.get(what, what), part) from None
    return Regex(pattern, found.groups, dict(found.groupindex), found)


@lru_cache(maxsize=1)
def _quiet() -> Any:
    """Options: what is wrong is raised, and nothing written to standard error."""
    import re2

    options = re2.Options()
    options.log_errors = False
    return options


def _error(what: str, part: str) -> InputError:
    return InputError(f"error parsing regexp: {what}{f': `{part}`' if part else ''}")
