"""Numbers and durations as Go reads them, with its words for what it cannot read."""

import re

from kubehop.model.errors import InputError

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_UNITS["h"] = 3600.0
_PART = re.compile(r"([0-9]*(?:\.[0-9]*)?)([^0-9.]+)")


def integer(text: str, *, minimum: int | None = None) -> int:
    """`strconv.Atoi`, or `ParseUint` of 32 bits with a minimum; raises InputError."""
    plain = text.removeprefix("-").removeprefix("+") if minimum is None else text
    function = "Atoi" if minimum is None else "ParseUint"
    if not (plain.isascii() and plain.isdecimal()) or len(plain) > 400:
        raise InputError(f'strconv.{function}: parsing "{text}": invalid syntax')
    number = int(text)
    if abs(number) >= (2**63 if minimum is None else 2**32):
        raise InputError(f'strconv.{function}: parsing "{text}": value out of range')
    return number


def duration(text: str) -> float:
    """Seconds of `time.ParseDuration`: `500ms`, `1h30m`, `0`; raises InputError."""
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text[1:] if text[:1] in "+-" else text
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    while match := _PART.match(rest, at):
        number, unit = match.groups()
        if number in ("", "."):
            break
        if unit not in _UNITS:
            raise InputError(f'time: unknown unit "{unit}" in duration "{text}"')
        total, at = total + float(number) * _UNITS[unit], match.end()
    if at < len(rest) and at == 0 and rest.replace(".", "", 1).isdecimal() and rest.isascii():
        raise InputError(f'time: missing unit in duration "{text}"')
    if at < len(rest) or not rest or total > 2**63 / 1e9:
        raise InputError(f'time: invalid duration "{text}"')
    return sign * total
