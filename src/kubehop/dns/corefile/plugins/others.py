"""The plugins with few options, and those that kubehop knows by name only."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.numbers import duration
from kubehop.dns.corefile.regexes import go_regex
from kubehop.dns.corefile.setup import Parser, Setup, last, options
from kubehop.dns.corefile.values import Plugin
from kubehop.dns.corefile.zones import host_port, split_address, zones
from kubehop.model.addresses import is_address
from kubehop.model.errors import InputError

MAX_INTERFACE = 15
"""Longest name of a network interface (IFNAMSIZ of the kernel)."""


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


def any_option(words: Dispenser) -> list[str]:
    """A line of a block that nobody looks at."""
    return words.arguments()


def simple(
    check: Callable[[Dispenser, list[str]], None] | None = None,
    option: Callable[[Dispenser], list[str]] = any_option,
    *,
    once: bool = False,
    note: str = "",
) -> Parser:
    """A parser that keeps the words; `check` sees the arguments.

    `option` is called at the first word of every line below, and loads and gives the others.
    """

    def parse(setup: Setup) -> tuple[Simple, ...]:
        words, found = setup.words, []
        while words.next():
            line, lines = words.line, [(setup.name, *words.arguments())]
            if check is not None:
                check(words, list(lines[0][1:]))
            lines += [(name, *option(words)) for name in options(words)]
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


def health_option(words: Dispenser) -> list[str]:
    """`lameduck DURATION`."""
    arguments = words.arguments() if words.value == "lameduck" else []
    if len(arguments) != 1:
        words.wrong_arguments()
    try:
        duration(arguments[0])
    except InputError as error:
        problem = "unable to parse lameduck duration value"
        raise InputError(f"{problem}: '{arguments[0]}' : {error.problem}") from None
    return arguments


def ready_option(words: Dispenser) -> list[str]:
    """`monitor until-ready|continuously`; every other word is passed by."""
    if words.value != "monitor":
        return []
    arguments = words.arguments()
    if len(arguments) != 1:
        words.wrong_arguments()
    if arguments[0] not in ("until-ready", "continuously"):
        words.error(f"monitor type '{arguments[0]}' not supported")
    return arguments


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


def errors_option(words: Dispenser) -> list[str]:
    """`stacktrace` and `consolidate DURATION REGEX [LEVEL]`."""
    if words.value == "stacktrace":
        return []
    if words.value != "consolidate":
        words.unexpected(f"Unknown field {words.value}")
    arguments = words.arguments()
    if len(arguments) not in (2, 3):
        words.wrong_arguments()
    try:
        duration(arguments[0])
        go_regex(arguments[1])
    except InputError as error:
        words.error(error.problem)
    if len(arguments) == 3 and arguments[2] not in ("warning", "error", "info", "debug"):
        words.error(f"unknown log level argument in consolidate: {arguments[2]}")
    return arguments


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


def loadbalance_option(words: Dispenser) -> list[str]:
    """`prefer CIDR...`, and `reload DURATION` of the weights."""
    option = words.value
    if option not in ("prefer", "reload"):
        words.error(f"unknown property '{option}'")
    arguments = words.arguments()
    for text in arguments if option == "prefer" else ():
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            words.error(f'invalid CIDR "{text}": invalid CIDR address: {text}')
    return arguments


def log_option(words: Dispenser) -> list[str]:
    """`class CLASS...`."""
    arguments = words.arguments() if words.value == "class" else []
    if not arguments:
        words.wrong_arguments()
    for text in arguments:
        if text not in ("all", "success", "denial", "error"):
            raise InputError(f'failed to parse response class: "{text}"')
    return arguments


def bind_arguments(_words: Dispenser, arguments: list[str]) -> None:
    """Addresses or interfaces."""
    if not arguments:
        raise InputError("at least one address or interface name is expected")
    _listenable(arguments)


def _listenable(names: list[str]) -> None:
    """Raises InputError for what is neither an address nor can be called an interface."""
    for name in names:
        if len(name) > MAX_INTERFACE and not is_address(name):
            raise InputError(f'not a valid IP address or interface name: "{name}"')


def bound(bind: Simple) -> tuple[str, ...]:
    """What a `bind` listens on: its arguments without those of `except`."""
    (_, *arguments), *options = bind.lines
    excepted = {name for _, *names in options for name in names}
    return tuple(name for name in arguments if name not in excepted)


def bind_option(words: Dispenser) -> list[str]:
    """`except ADDRESS...`."""
    if words.value != "except":
        raise InputError(f'invalid option "{words.value}"')
    arguments = words.arguments()
    if not arguments:
        problem = "at least one address or interface must be given to except subdirective"
        raise InputError(problem)
    _listenable(arguments)
    return arguments
