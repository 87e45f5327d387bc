"""Plain YAML scalars to values, by the rules of YAML 1.1 as far as Kubernetes follows them.

As PyYAML resolves them, except that what JSON does not know stays a string: timestamps,
base-60 numbers, infinity and NaN.
"""

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_INT = re.compile(
    r"[-+]?(?:(?P<two>0b[01_]+)|(?P<eight>0[0-7_]+)|(?P<sixteen>0x[0-9a-fA-F_]+)|0|[1-9][0-9_]*)"
)
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)"
)
_BASES = {"two": 2, "eight": 8, "sixteen": 16}
_FIRST_OF_NUMBER = frozenset("-+.0123456789")


def resolve(text: str) -> Scalar:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST_OF_NUMBER:
        return text
    digits = text.replace("_", "")
    if match := _INT.fullmatch(text):
        return integer(digits, _BASES.get(match.lastgroup or "", 10))
    return _finite(digits) if _FLOAT.fullmatch(text) else text


def integer(digits: str, base: int = 10) -> Scalar:
    """A number; beyond 64 bits a float, as in JSON, and beyond that what it was: a string."""
    if len(digits) > 66:  # Python refuses to convert thousands of digits
        return _finite(digits) if base == 10 else digits
    try:
        value = int(digits, base)
    except ValueError:  # "0x_": no digit at all
        return digits
    return value if -(2**63) <= value < 2**64 else float(value)


def _finite(digits: str) -> Scalar:
    value = float(digits)
    return value if math.isfinite(value) else digits


def key(text: str, plain: bool) -> str:
    """A mapping's key as JSON has it: always a string, spelled as kubectl spells it."""
    value = resolve(text) if plain else text
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else text
