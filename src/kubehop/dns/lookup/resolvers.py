"""Every resolver that kubehop knows: how it reads resolv.conf, and how it looks a name up."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kubehop.dns.lookup import (
    bind,
    busybox,
    busybox_old,
    cares,
    cares_old,
    dnspython,
    glibc,
    golang,
    musl,
)
from kubehop.dns.lookup.glibc_buffer import fits_hostent
from kubehop.dns.lookup.protocol import Machine, Outcome, Status
from kubehop.dns.resolv import bind as bind_file
from kubehop.dns.resolv import busybox as busybox_file
from kubehop.dns.resolv import cares as cares_file
from kubehop.dns.resolv import dnspython as dnspython_file
from kubehop.dns.resolv import glibc as glibc_file
from kubehop.dns.resolv import golang as golang_file
from kubehop.dns.resolv import musl as musl_file
from kubehop.dns.resolv.hosts import NO_HOSTS, Hosts
from kubehop.dns.resolv.values import Parser, ResolvConf

Start = Callable[[str, ResolvConf, Hosts], Machine]
"""(name as typed, its configuration, the hosts file) -> the lookup."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """A resolver: `parallel` if it asks all its servers at once, `command` for a program."""

    name: str
    title: str
    parse: Parser
    start: Start
    parallel: bool = False
    command: bool = False

    def machine(
        self, name: str, resolv_conf: str, hosts: Hosts = NO_HOSTS, hostname: str = ""
    ) -> Machine:
        """The lookup of `name` with the text of a resolv.conf."""
        return self.start(name, self.parse(resolv_conf, hostname), hosts)


def _glibc(call: glibc.Call) -> Start:
    return lambda name, conf, hosts: glibc.lookup(name, conf, hosts, call)


def _musl(version: musl.Version) -> Start:
    return lambda name, conf, hosts: musl.lookup(name, conf, hosts, version)


def _busybox(version: busybox.Version, types: tuple[str, ...] = ("A", "AAAA")) -> Start:
    return lambda name, conf, hosts: busybox.lookup(name, conf, hosts, version, types)


def _bind(tool: bind.Tool) -> Start:
    return lambda name, conf, hosts: bind.lookup(name, conf, hosts, tool)


def _saying(start: Start, said: Callable[[str, Outcome], str]) -> Start:
    """The same lookup, with the error as another program prints it."""

    def run(name: str, conf: ResolvConf, hosts: Hosts) -> Machine:
        outcome = yield from start(name, conf, hosts)
        if outcome.status is Status.FOUND:
            return outcome
        return replace(outcome, text=said(name, outcome))

    return run


ERRNO = {Status.NOT_FOUND: -2, Status.TRY_AGAIN: -3, Status.FAILED: -4, Status.NO_DATA: -5}
"""EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_NODATA."""


def _python(name: str, outcome: Outcome) -> str:
    del name
    return f"[Errno {ERRNO.get(outcome.status, -11)}] {outcome.text}"


def _java(name: str, outcome: Outcome) -> str:
    return f"java.net.UnknownHostException: {name}: {outcome.text}"


def _node(name: str, outcome: Outcome) -> str:
    code = "EAI_AGAIN" if outcome.status is Status.TRY_AGAIN else "ENOTFOUND"
    return f"getaddrinfo {code} {name}"


GETADDRINFO = _glibc(glibc.Call())
IPV4 = _glibc(glibc.Call(("A",), fits=fits_hostent, no_address=glibc.HErrno.NO_DATA, by_errno=True))
BY_NAME = _glibc(
    glibc.Call(
        ("A",),
        glibc.GETHOSTBYNAME,
        fits_hostent,
        glibc.HErrno.NO_RECOVERY,
        foreign=glibc.GETHOSTBYNAME[glibc.HErrno.HOST_NOT_FOUND],
    )
)

_ALL = (
    Resolver("glibc", "glibc 2.26 and newer, getaddrinfo", glibc_file.parse, GETADDRINFO),
    Resolver(
        "glibc-ipv4",
        "glibc, getaddrinfo for IPv4 only",
        glibc_file.parse,
        IPV4,
    ),
    Resolver("glibc-gethostbyname", "glibc, gethostbyname", glibc_file.parse, BY_NAME),
    Resolver("musl", "musl 1.2.5 and newer", musl_file.parse, _musl(musl.NEWEST), parallel=True),
    Resolver("musl-1.2.4", "musl 1.2.4", musl_file.parse, _musl(musl.ONLY_1_2_4), parallel=True),
    Resolver(
        "musl-1.2.1",
        "musl 1.2.1 to 1.2.3",
        musl_file.parse,
        _musl(musl.SINCE_1_2_1),
        parallel=True,
    ),
    Resolver(
        "musl-1.1.13",
        "musl 1.1.13 to 1.2.0",
        musl_file.parse,
        _musl(musl.SINCE_1_1_13),
        parallel=True,
    ),
    Resolver("go", "Go without cgo", golang_file.parse, golang.lookup),
    Resolver(
        "go-ipv4",
        "Go without cgo, IPv4 only",
        golang_file.parse,
        lambda name, conf, hosts: golang.lookup(name, conf, hosts, ("A",)),
    ),
    Resolver("c-ares", "c-ares 1.34", cares_file.parse, cares.lookup),
    Resolver("c-ares-1.18", "c-ares 1.18", cares_file.parse_1_18, cares_old.lookup),
    Resolver("node", "Node.js dns.lookup, on glibc", glibc_file.parse, _saying(GETADDRINFO, _node)),
    Resolver("node-resolve", "Node.js dns.resolve4", cares_file.parse_node, cares.node_resolve4),
    Resolver("java", "Java InetAddress, on glibc", glibc_file.parse, _saying(GETADDRINFO, _java)),
    Resolver(
        "python",
        "Python socket.getaddrinfo, on glibc",
        glibc_file.parse,
        _saying(GETADDRINFO, _python),
    ),
    Resolver("dnspython", "dnspython, A with search", dnspython_file.parse, dnspython.lookup),
    Resolver(
        "busybox-1.28",
        "busybox nslookup 1.28 and older, on glibc or uClibc",
        glibc_file.parse,
        busybox_old.with_glibc,
        command=True,
    ),
    Resolver(
        "busybox-1.28-musl",
        "busybox nslookup 1.28 and older, on musl",
        musl_file.parse,
        busybox_old.with_musl,
        parallel=True,
        command=True,
    ),
    Resolver(
        "busybox-1.29",
        "busybox nslookup 1.29",
        busybox_file.parse_1_29,
        _busybox(busybox.SINCE_1_29),
        command=True,
    ),
    Resolver(
        "busybox-1.30",
        "busybox nslookup 1.30",
        busybox_file.parse,
        _busybox(busybox.SINCE_1_30),
        command=True,
    ),
    Resolver(
        "busybox",
        "busybox nslookup 1.31 and newer",
        busybox_file.parse,
        _busybox(busybox.NEWEST),
        command=True,
    ),
    Resolver(
        "busybox-type-a",
        "busybox nslookup -type=a, 1.31 and newer",
        busybox_file.parse,
        _busybox(busybox.NEWEST, ("A",)),
        command=True,
    ),
    Resolver("dig", "dig", bind_file.parse, _bind(bind.DIG), command=True),
    Resolver("dig+search", "dig +search", bind_file.parse, _bind(bind.DIG_SEARCH), command=True),
    Resolver("host", "host", bind_file.parse, _bind(bind.HOST), command=True),
    Resolver("nslookup", "BIND's nslookup", bind_file.parse, _bind(bind.NSLOOKUP), command=True),
)

RESOLVERS: dict[str, Resolver] = {resolver.name: resolver for resolver in _ALL}
"""By the name that a user gives; the first of a family is its newest."""
