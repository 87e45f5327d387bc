"""`hosts`: names from a hosts file and from the Corefile itself.

Source: `plugin/hosts/setup.go`, `hostsfile.go`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.numbers import duration, integer
from kubehop.dns.corefile.setup import Setup, last, options
from kubehop.dns.corefile.values import Plugin
from kubehop.dns.corefile.zones import fall_zones, matched, spelt_as_go, zones
from kubehop.dns.names import folded
from kubehop.model.addresses import is_address
from kubehop.model.errors import InputError

Table = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts(Plugin):
    """The options and the entries: `a` and `aaaa` by folded name, `names` by address."""

    zones: tuple[str, ...]
    ttl: int = 3600
    fallthrough: tuple[str, ...] = ()
    a: Table = field(default_factory=dict)
    aaaa: Table = field(default_factory=dict)
    names: Table = field(default_factory=dict)


def parse(setup: Setup) -> tuple[Hosts, ...]:
    """The one `hosts` of a server block; raises InputError."""
    words = setup.words
    words.next()
    line, arguments = words.line, words.arguments()
    path = arguments.pop(0) if arguments else "/etc/hosts"
    origins = zones(arguments, setup.zones)
    state = _State()
    for option in options(words):
        _option(option, words, state)
    last(words)
    text = setup.files.get(path)
    lines = [*(text or "").splitlines(), *state.inline]
    a, aaaa, names = _tables(lines, origins, state.reverse)
    # A Corefile's own entries are enough to know all; /etc/hosts of the pod holds little.
    unknown = text is None and (path != "/etc/hosts" or not state.inline)
    return (
        Hosts(
            name=setup.name,
            line=line,
            notes=(f"hosts: the entries of {path} are not known",) if unknown else (),
            zones=origins,
            ttl=state.ttl,
            fallthrough=state.fallthrough,
            a=a,
            aaaa=aaaa,
            names=names,
        ),
    )


@dataclass(slots=True)
class _State:
    ttl: int = 3600
    fallthrough: tuple[str, ...] = ()
    reverse: bool = True
    inline: list[str] = field(default_factory=list)


def _option(option: str, words: Dispenser, state: _State) -> None:
    match option:
        case "fallthrough":
            state.fallthrough = fall_zones(words.arguments())
        case "no_reverse":
            state.reverse = False
        case "ttl":
            state.ttl = _ttl(words)
        case "reload":
            _reload(words)
        case _ if not state.fallthrough:
            state.inline.append(" ".join((option, *words.arguments())))
        case _:
            words.error(f"unknown property '{option}'")


def _ttl(words: Dispenser) -> int:
    arguments = words.arguments()
    if not arguments:
        words.error("ttl needs a time in second")
    try:
        ttl = integer(arguments[0])
    except InputError:
        words.error("ttl needs a number of second")
    if not 0 < ttl <= 65535:
        words.error("ttl provided is invalid")
    return ttl


def _reload(words: Dispenser) -> None:
    arguments = words.arguments()
    if len(arguments) != 1:
        words.error("reload needs a duration (zero seconds to disable)")
    try:
        seconds = duration(arguments[0])
    except InputError:
        words.error(f"invalid duration for reload '{arguments[0]}'")
    if seconds < 0:
        words.error(f"invalid negative duration for reload '{arguments[0]}'")


def _tables(lines: Iterable[str], origins: tuple[str, ...], reverse: bool) -> tuple[Table, ...]:
    """Addresses by name for each family, and names by address."""
    a: dict[str, list[str]] = {}
    aaaa: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for line in lines:
        address, *aliases = line.partition("#")[0].split() or [""]
        address = address.partition("%")[0]
        if not is_address(address):
            continue
        address = spelt_as_go(address)
        for name in map(folded, aliases):
            if not matched(origins, name):
                continue
            (aaaa if ":" in address else a).setdefault(name, []).append(address)
            if reverse:
                names.setdefault(address, []).append(name)
    return tuple(
        MappingProxyType({key: tuple(values) for key, values in table.items()})
        for table in (a, aaaa, names)
    )
