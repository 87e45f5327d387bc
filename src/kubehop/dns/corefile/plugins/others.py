"""The plugins with few options, and those that kubehop knows by name only."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.numbers import duration
from kubehop.dns.corefile.setup import Parser, Setup, last, options
from kubehop.dns.corefile.values import Plugin
from kubehop.dns.corefile.zones import host_port, split_address, zones
from kubehop.model.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Plugin):
    """`transfer`: zones that are given away, and to whom ("*" or "10.0.0.9:53")."""

    zones: tuple[str, ...]
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Autopath(Plugin):
    """`autopath`: the search list walked by the server.

    `source` is "@kubernetes" or a resolv.conf, whose text is `text` if it is known.
    """

    zones: tuple[str, ...]
    source: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple(Plugin):
    """A directive kept as its words: one (option, arguments...) per line, the first its own."""

    lines: tuple[tuple[str, ...], ...] = ()


def parse_transfer(setup: Setup) -> tuple[Transfer, ...]:
    """Every `transfer` of a server block; raises InputError."""
    words, found = setup.words, []
    while words.next():
        line, to = words.line, list[str]()
        origins = zones(words.arguments(), setup.zones)
        for option in options(words):
            if option != "to":
                words.error(f'unknown property "{option}"')
            to += [_transfer_target(text) for text in _some(words)]
        if not to:
            words.error("'to' is required")
        found.append(Transfer(name=setup.name, line=line, zones=origins, to=tuple(to)))
    return tuple(found)


def _transfer_target(text: str) -> str:
    address = text if text == "*" else host_port(text, 53)
    if address is None:
        raise InputError(f"must specify an IP address: `{text}'")
    return address


def parse_autopath(setup: Setup) -> tuple[Autopath, ...]:
    """The last `autopath` of a server block, which is the one that counts; raises InputError."""
    words = setup.words
    found: Autopath | None = None
    while words.next():
        line, arguments = words.line, words.arguments()
        if not arguments:
            raise InputError("no resolv-conf specified")
        *given, source = arguments
        text = setup.files.get(source)
        unknown = text is None and not source.startswith("@")
        found = Autopath(
            name=setup.name,
            line=line,
            notes=(f"autopath: the search list of {source} is not known",) if unknown else (),
            zones=zones(given, setup.zones),
            source=source,
            text=text,
        )
    assert found is not None, "a directive stands in its block at least once"
    return (found,)


def simple(
    check: Callable[[Dispenser, list[str]], None] | None = None,
    block: Callable[[Dispenser, str, list[str]], None] | None = None,
    *,
    once: bool = False,
    note: str = "",
) -> Parser:
    """A parser that keeps the words; `check` sees the arguments, `block` every line below."""

    def parse(setup: Setup) -> tuple[Simple, ...]:
        words, found = setup.words, []
        while words.next():
            line, lines = words.line, [(setup.name, *words.arguments())]
            if check is not None:
                check(words, list(lines[0][1:]))
            for option in options(words):
                lines.append((option, *words.arguments()))
                if block is not None:
                    block(words, option, list(lines[-1][1:]))
            notes = (f"{setup.name}: {note}",) if note else ()
            found.append(Simple(name=setup.name, line=line, notes=notes, lines=tuple(lines)))
            if once:
                last(words)
        return tuple(found)

    return parse


def _some(words: Dispenser) -> list[str]:
    arguments = words.arguments()
    if not arguments:
        words.wrong_arguments()
    return arguments


def at_most(count: int) -> Callable[[Dispenser, list[str]], None]:
    """No more arguments than that."""

    def check(words: Dispenser, arguments: list[str]) -> None:
        if len(arguments) > count:
            words.wrong_arguments()

    return check


def an_address(words: Dispenser, arguments: list[str]) -> None:
    """At most one argument, `[host]:port`."""
    at_most(1)(words, arguments)
    if arguments and split_address(arguments[0]) is None:
        raise InputError(f"address {arguments[0]}: missing port in address")


def health_option(words: Dispenser, option: str, arguments: list[str]) -> None:
    """`lameduck DURATION`."""
    if option != "lameduck" or len(arguments) != 1:
        words.wrong_arguments()
    try:
        duration(arguments[0])
    except InputError as error:
        problem = "unable to parse lameduck duration value"
        raise InputError(f"{problem}: '{arguments[0]}' : {error.problem}") from None


def ready_option(words: Dispenser, option: str, arguments: list[str]) -> None:
    """`monitor until-ready|continuously`."""
    if option == "monitor" and len(arguments) != 1:
        words.wrong_arguments()
    if option == "monitor" and arguments[0] not in ("until-ready", "continuously"):
        words.error(f"monitor type '{arguments[0]}' not supported")


def reload_times(words: Dispenser, arguments: list[str]) -> None:
    """`[INTERVAL [JITTER]]`, at least 2 s and 1 s."""
    at_most(2)(words, arguments)
    for text, name, least in zip(arguments, ("interval", "jitter"), (2, 1), strict=False):
        if duration(text) < least:
            raise InputError(f"{name} value must be greater or equal to {least}s")


def errors_arguments(words: Dispenser, arguments: list[str]) -> None:
    """`[stdout]`."""
    at_most(1)(words, arguments)
    if arguments and arguments[0] != "stdout":
        words.error(f"invalid log file: {arguments[0]}")


def errors_option(words: Dispenser, option: str, arguments: list[str]) -> None:
    """`stacktrace` and `consolidate DURATION REGEX [LEVEL]`."""
    if option not in ("stacktrace", "consolidate"):
        words.unexpected(f"Unknown field {option}")
    if option == "consolidate" and len(arguments) not in (2, 3):
        words.wrong_arguments()
    if option == "consolidate":
        duration(arguments[0])


def loadbalance_policy(words: Dispenser, arguments: list[str]) -> None:
    """`[round_robin]` or `weighted FILE`: the order of records is not predicted."""
    if not arguments:
        return
    if arguments[0] not in ("round_robin", "weighted"):
        raise InputError(f"unknown policy: {arguments[0]}")
    if arguments[0] == "round_robin" and len(arguments) > 1:
        words.error(f"unknown property for {arguments[0]}")
    if arguments[0] == "weighted" and len(arguments) != 2:
        words.error(
            "missing weight file argument" if len(arguments) < 2 else "unexpected argument(s)"
        )


def loadbalance_option(words: Dispenser, option: str, arguments: list[str]) -> None:
    """`prefer CIDR...`, and `reload DURATION` of the weights."""
    if option not in ("prefer", "reload"):
        words.error(f"unknown property '{option}'")
    for text in arguments if option == "prefer" else ():
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            words.error(f'invalid CIDR "{text}": invalid CIDR address: {text}')


def log_option(words: Dispenser, option: str, arguments: list[str]) -> None:
    """`class CLASS...`."""
    if option != "class" or not arguments:
        words.wrong_arguments()
    for text in arguments:
        if text not in ("all", "success", "denial", "error"):
            raise InputError(f'failed to parse response class: "{text}"')


def bind_arguments(_words: Dispenser, arguments: list[str]) -> None:
    """Addresses or interfaces."""
    if not arguments:
        raise InputError("at least one address or interface name is expected")


def bind_option(_words: Dispenser, option: str, arguments: list[str]) -> None:
    """`except ADDRESS...`."""
    if option != "except":
        raise InputError(f'invalid option "{option}"')
    if not arguments:
        problem = "at least one address or interface must be given to except subdirective"
        raise InputError(problem)
