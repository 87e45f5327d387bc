"""`forward`: which names are asked of which servers. Source: `plugin/forward/setup.go`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.numbers import duration, integer
from kubehop.dns.corefile.plugins.rcodes import RCODES
from kubehop.dns.corefile.resolv import client_config
from kubehop.dns.corefile.setup import Setup, options
from kubehop.dns.corefile.values import Plugin
from kubehop.dns.corefile.zones import PORTS, exact, host_port, transport
from kubehop.model.addresses import is_address
from kubehop.model.errors import InputError

MAX_SERVERS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward(Plugin):
    """One `forward`: names in `zone` and not in `excepted` go to `servers`.

    `servers` as "10.0.0.2:53", all of one `transport`; `files` names the resolv.conf files
    whose text was not given. Times in seconds; `max_concurrent` 0 for no limit.
    """

    zone: str
    servers: tuple[str, ...]
    files: tuple[str, ...] = ()
    transport: Literal["dns", "tls"] = "dns"
    excepted: tuple[str, ...] = ()
    policy: Literal["random", "round_robin", "sequential"] = "random"
    force_tcp: bool = False
    prefer_udp: bool = False
    tls_servername: str = ""
    expire: float = 10.0
    max_fails: int = 2
    max_connect_attempts: int = 0
    health_check: float = 0.5
    max_concurrent: int = 0
    read_timeout: float = 2.0
    next_rcodes: frozenset[int] = frozenset()
    next_on_nodata: bool = False
    failover: frozenset[int] = frozenset()


def parse(setup: Setup) -> tuple[Forward, ...]:
    """Every `forward` of a server block, in order; raises InputError."""
    found = []
    while setup.words.next():
        found.append(_stanza(setup))
    return tuple(found)


def _stanza(setup: Setup) -> Forward:
    words, line = setup.words, setup.words.line
    zone = words.argument()
    given = exact(zone)
    if not given:
        raise InputError(f"unable to normalize '{zone}'")
    to = words.arguments()
    if not to:
        words.wrong_arguments()
    found: dict[str, Any] = {}
    servers, files = _servers(to, setup)
    for option in options(words):
        reader = _OPTIONS.get(option)
        if reader is None:
            words.error(f"unknown property '{option}'")
        reader(words, found)
    if len(servers) > MAX_SERVERS:
        raise InputError(f"more than {MAX_SERVERS} TOs configured: {len(servers)}")
    notes = [*found.pop("notes", ()), *_notes(zone, given, files)]
    addresses, kind = _transport(servers, found, notes)
    return Forward(
        name=setup.name,
        line=line,
        notes=tuple(notes),
        zone=given[0],
        servers=addresses,
        files=files,
        transport=kind,
        **found,
    )


def _notes(zone: str, given: tuple[str, ...], files: tuple[str, ...]) -> list[str]:
    notes = [f"forward: the servers in {file} are not known" for file in files]
    if len(given) > 1:
        notes.append(f"forward: {zone} is more than one zone, only {given[0]} is forwarded")
    return notes


@dataclass(frozen=True, slots=True)
class _Server:
    transport: str
    address: str
    tls_name: str = ""


def _servers(to: list[str], setup: Setup) -> tuple[list[_Server], tuple[str, ...]]:
    """Each target's servers, and the files that were not given."""
    servers: list[_Server] = []
    files: list[str] = []
    for target in to:
        kind, host = transport(target)
        if not host:
            raise InputError(f'invalid address: "{target}"')
        bare, scope = _split_scope(host)
        address = host_port(bare, PORTS.get(kind, 0))
        if address is not None:
            if kind not in ("dns", "tls"):
                problem = f"'{kind}' is not supported as a destination protocol in forward"
                raise InputError(f"{problem}: {target}")
            servers.append(_Server(kind, address, scope if kind == "tls" else ""))
        elif host in setup.files:
            servers += _of_file(setup.files[host])
        elif host.startswith("/"):
            files.append(host)
        else:
            raise InputError(f'not an IP address or file: "{host}"')
    if not servers and not files:
        raise InputError("no nameservers found")
    return servers, tuple(files)


def _split_scope(host: str) -> tuple[str, str]:
    """What stands behind `%` (an interface, a TLS server name) taken out of an address."""
    before, found, scope = host.rpartition("%")
    if not found:
        return host, ""
    scope, colon, port = scope.partition(":")
    bracket = "]" if before.startswith("[") else ""
    return f"{before}{bracket}{colon}{port}", scope.removesuffix("]")


def _of_file(text: str) -> list[_Server]:
    addresses = (host_port(s.partition("%")[0], 53) for s in client_config(text).servers)
    return [_Server("dns", address) for address in addresses if address is not None]


def _transport(
    servers: list[_Server], found: dict[str, Any], notes: list[str]
) -> tuple[tuple[str, ...], Literal["dns", "tls"]]:
    """All servers if they speak one protocol, else those that speak the first one's."""
    kind: Literal["dns", "tls"] = "tls" if servers and servers[0].transport == "tls" else "dns"
    names = {server.tls_name for server in servers} - {""}
    if names and found.get("tls_servername"):
        raise InputError("both forward and proxy level TLS servernames are set")
    if names:
        found["tls_servername"] = min(names)
    notes += [
        f"forward: {server.address} speaks another protocol than the first, left out"
        for server in servers
        if server.transport != kind
    ]
    return tuple(s.address for s in servers if s.transport == kind), kind


Reader = Callable[[Dispenser, dict[str, Any]], None]


def _flag(name: str) -> Reader:
    def read(words: Dispenser, found: dict[str, Any]) -> None:
        words.no_arguments()
        found[name] = True

    return read


def _count(name: str, unsigned: bool = True) -> Reader:
    def read(words: Dispenser, found: dict[str, Any]) -> None:
        number = integer(words.argument(), minimum=0 if unsigned else None)
        if number < 0:
            raise InputError(f"{name} can't be negative: {number}")
        found[name] = number

    return read


def _seconds(name: str, option: str) -> Reader:
    def read(words: Dispenser, found: dict[str, Any]) -> None:
        text = words.argument()
        found[name] = duration(text)
        if found[name] < 0 or (option == "read_timeout" and found[name] == 0):
            raise InputError(f"{option} can't be negative: {text}")

    return read


def _health_check(words: Dispenser, found: dict[str, Any]) -> None:
    _seconds("health_check", "health_check")(words, found)
    rest = iter(words.arguments())
    for option in rest:
        if option == "domain":
            if next(rest, None) is None:
                words.wrong_arguments()
        elif option != "no_rec":
            raise InputError(f"health_check: unknown option {option}")


def _rcodes(name: str) -> Reader:
    def read(words: Dispenser, found: dict[str, Any]) -> None:
        arguments = words.arguments()
        if not arguments:
            words.wrong_arguments()
        for text in arguments:
            if text.upper() not in RCODES:
                raise InputError(f"{text} is not a valid rcode")
            if name == "failover" and text.upper() == "NOERROR":
                raise InputError("NoError cannot be used in failover")
        rcodes = frozenset(RCODES[text.upper()] for text in arguments)
        found[name] = found.get(name, frozenset()) | rcodes

    return read


def _excepted(words: Dispenser, found: dict[str, Any]) -> None:
    arguments = words.arguments()
    if not arguments:
        words.wrong_arguments()
    more = tuple(zone for text in arguments for zone in exact(text))
    found["excepted"] = (*found.get("excepted", ()), *more)


def _policy(words: Dispenser, found: dict[str, Any]) -> None:
    policy = words.argument()
    if policy not in ("random", "round_robin", "sequential"):
        words.error(f"unknown policy '{policy}'")
    found["policy"] = policy


def _tls(words: Dispenser, found: dict[str, Any]) -> None:
    if len(words.arguments()) > 3:
        words.wrong_arguments()


def _tls_servername(words: Dispenser, found: dict[str, Any]) -> None:
    found["tls_servername"] = words.argument()


def _ignored(check: Callable[[str], bool] = lambda _: True) -> Reader:
    """An option that changes no answer, or that no cluster uses: named, not modelled."""

    def read(words: Dispenser, found: dict[str, Any]) -> None:
        option, arguments = words.value, words.arguments()
        if not all(map(check, arguments)):
            words.error(f"invalid IP address: {' '.join(arguments)}")
        found["notes"] = (*found.get("notes", ()), f"forward: {option} is not modelled")

    return read


_OPTIONS: dict[str, Reader] = {
    "except": _excepted,
    "max_fails": _count("max_fails"),
    "max_connect_attempts": _count("max_connect_attempts"),
    "health_check": _health_check,
    "force_tcp": _flag("force_tcp"),
    "prefer_udp": _flag("prefer_udp"),
    "tls": _tls,
    "tls_servername": _tls_servername,
    "expire": _seconds("expire", "expire"),
    "max_age": _ignored(),
    "max_idle_conns": _ignored(),
    "read_timeout": _seconds("read_timeout", "read_timeout"),
    "doh_method": _ignored(),
    "policy": _policy,
    "max_concurrent": _count("max_concurrent", unsigned=False),
    "next": _rcodes("next_rcodes"),
    "next_on_nodata": _flag("next_on_nodata"),
    "failfast_all_unhealthy_upstreams": _ignored(),
    "failover": _rcodes("failover"),
    "resolver": _ignored(),
    "source_address": _ignored(is_address),
}
