"""Regular expressions as Go writes them (RE2), for Python's engine."""

import re

from kubehop.model.errors import InputError

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_POSIX = re.compile(r"\[:([a-z]+):\]")
# What Python has and RE2 has not: references back, looking around.
_NOT_RE2 = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[1-9]|\(\?(?:[=!(#>]|<[=!]|P[=>]))")


def go_regex(pattern: str) -> re.Pattern[str]:
    """`regexp.Compile`; raises InputError for what RE2 refuses."""
    translated = _POSIX.sub(lambda m: _CLASSES.get(m[1], m[0]), pattern)
    translated = translated.replace(r"\z", r"\Z").replace("(?<", "(?P<")
    try:
        if _NOT_RE2.search(pattern):
            raise InputError(f"error parsing regexp: {pattern}")
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(f"error parsing regexp: {error}: {pattern}") from None
