"""`cache`: how long replies are kept. Source: `plugin/cache/setup.go`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.numbers import duration, integer
from kubehop.dns.corefile.setup import Setup, last, options
from kubehop.dns.corefile.values import Plugin
from kubehop.dns.corefile.zones import zones
from kubehop.dns.names import folded
from kubehop.model.errors import InputError


@dataclass(frozen=True, slots=True)
class Keep:
    """How many replies of one class are kept, and the least and longest seconds for each.

    Nothing is kept of the zones in `never` (`disable`).
    """

    capacity: int = 10000
    longest: float = 3600.0
    least: float = 5.0
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache(Plugin):
    """The options; times in seconds, `stale` 0 without `serve_stale`, `verify` its mode."""

    zones: tuple[str, ...]
    success: Keep = Keep()
    denial: Keep = Keep(longest=1800.0)
    servfail: float = 5.0
    stale: float = 0.0
    verify: bool = False
    keep_ttl: bool = False


def parse(setup: Setup) -> tuple[Cache, ...]:
    """The one `cache` of a server block; raises InputError."""
    words = setup.words
    words.next()
    line, arguments = words.line, words.arguments()
    found: dict[str, Any] = {"success": {}, "denial": {"longest": 1800.0}}
    if arguments and _is_number(arguments[0]):
        longest = float(_positive(arguments.pop(0)))
        found = {"success": {"longest": longest}, "denial": {"longest": longest}}
    origins = zones(arguments, setup.zones)
    for option in options(words):
        reader = _OPTIONS.get(option)
        if reader is None:
            words.wrong_arguments()
        reader(words, found)
    last(words)
    found["success"], found["denial"] = Keep(**found["success"]), Keep(**found["denial"])
    return (Cache(name=setup.name, line=line, zones=origins, **found),)


Reader = Callable[[Dispenser, dict[str, Any]], None]


def _is_number(text: str) -> bool:
    try:
        integer(text)
    except InputError:
        return False
    return True


def _positive(text: str) -> int:
    seconds = integer(text)
    if seconds <= 0:
        raise InputError(f"cache TTL can not be zero or negative: {seconds}")
    return seconds


def _some(words: Dispenser) -> list[str]:
    arguments = words.arguments()
    if not arguments:
        words.wrong_arguments()
    return arguments


def _keep(words: Dispenser, found: dict[str, Any]) -> None:
    """`success CAPACITY [TTL] [MINTTL]` and the same for `denial`."""
    keep: dict[str, Any] = found[words.value]
    arguments = _some(words)
    keep["capacity"] = integer(arguments[0])
    if len(arguments) > 1:
        keep["longest"] = float(_positive(arguments[1]))
    if len(arguments) > 2:
        least = integer(arguments[2])
        if least < 0:
            raise InputError(f"cache min TTL can not be negative: {least}")
        keep["least"] = float(least)


def _disable(words: Dispenser, found: dict[str, Any]) -> None:
    which, *given = _some(words)
    if which not in ("success", "denial"):
        raise InputError('cache type for disable must be "success" or "denial"')
    found[which]["never"] = tuple(map(folded, given)) if given else (".",)


def _prefetch(words: Dispenser, found: dict[str, Any]) -> None:
    """It decides when an answer is fetched again, not what the answer is."""
    arguments = words.arguments()
    if not 0 < len(arguments) <= 3:
        words.wrong_arguments()
    amount = integer(arguments[0])
    if amount < 0:
        raise InputError(f"prefetch amount should be positive: {amount}")
    if len(arguments) > 1:
        duration(arguments[1])
    if len(arguments) > 2:
        if not arguments[2].endswith("%"):
            problem = f"but is: '{arguments[2][-1:]}'"
            raise InputError(f"last character of percentage should be `%`, {problem}")
        percentage = integer(arguments[2][:-1])
        if not 10 <= percentage <= 90:
            raise InputError(f"percentage should fall in range [10, 90]: {percentage}")


def _serve_stale(words: Dispenser, found: dict[str, Any]) -> None:
    arguments = words.arguments()
    if len(arguments) > 5:
        words.wrong_arguments()
    found["stale"] = duration(arguments[0]) if arguments else 3600.0
    if found["stale"] < 0:
        raise InputError("invalid negative duration for serve_stale")
    mode = arguments[1].lower() if len(arguments) > 1 else "immediate"
    if mode not in ("immediate", "verify"):
        raise InputError(f"invalid value for serve_stale refresh mode: {mode}")
    found["verify"] = mode == "verify"
    if mode == "immediate":
        found["notes"] = ("cache: a stale answer is given after asking again, not before",)
    for text in arguments[2:]:
        duration(text)


def _servfail(words: Dispenser, found: dict[str, Any]) -> None:
    arguments = words.arguments()
    if len(arguments) != 1:
        words.wrong_arguments()
    found["servfail"] = duration(arguments[0])
    if found["servfail"] < 0:
        raise InputError("invalid negative ttl for servfail")
    if found["servfail"] > 300:
        raise InputError("caching SERVFAIL responses over 5 minutes is not permitted")


def _keepttl(words: Dispenser, found: dict[str, Any]) -> None:
    words.no_arguments()
    found["keep_ttl"] = True


_OPTIONS: dict[str, Reader] = {
    "success": _keep,
    "denial": _keep,
    "disable": _disable,
    "prefetch": _prefetch,
    "serve_stale": _serve_stale,
    "serve_stale_policy": lambda words, _found: (
        None if words.arguments() else words.wrong_arguments()
    ),
    "servfail": _servfail,
    "keepttl": _keepttl,
}
