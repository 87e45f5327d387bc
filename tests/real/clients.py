"""Real clients: C libraries and lookup tools, and what they say in words that compare."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from kubehop.dns.lookup.protocol import Outcome, Status
from kubehop.dns.lookup.resolvers import ERRNO, RESOLVERS, Resolver
from tests.real.needs import lacks, program

Ran = subprocess.CompletedProcess[str]
SOURCE = Path(__file__).parent / "lookup.c"


@dataclass(frozen=True, slots=True)
class Got:
    """What a client got: a tool ends with an exit code, a library with a status."""

    addresses: frozenset[str]
    status: Status | None = None
    exit: int | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """How a client is started (given a folder for what must be compiled), predicted and read.

    `at_once`: it sends the queries for all candidates together.
    """

    command: Callable[[Path], tuple[str, ...]]
    resolver: Callable[[], str]
    read: Callable[[Ran], Got]
    at_once: bool = False

    @property
    def machine(self) -> Resolver:
        return RESOLVERS[self.resolver()]


def expected(client: Client, outcome: Outcome) -> Got:
    """An outcome that a machine predicts, in the same words."""
    addresses = frozenset(str(ip_address(address)) for address in outcome.addresses)
    if outcome.exit is not None:
        return Got(addresses, exit=outcome.exit)
    if outcome.status is Status.NO_DATA and client.resolver() in _WITHOUT_NODATA:
        return Got(addresses, Status.NOT_FOUND)
    return Got(addresses, outcome.status)


# Libraries

_WITHOUT_NODATA = ("musl-1.1.13", "musl-1.2.1")
"""Their getaddrinfo has no error for it: EAI_NODATA came with musl 1.2.4."""
_STATUS = {number: status for status, number in ERRNO.items()}
_PYTHON = """
import socket, sys
try:
    for found in socket.getaddrinfo(sys.argv[1], None, type=socket.SOCK_STREAM): print(found[4][0])
except socket.gaierror as error:
    print("error", error.errno)
"""


def _library(ran: Ran) -> Got:
    assert ran.returncode == 0, ran
    failed = re.fullmatch(r"error (-?\d+)\n", ran.stdout)
    if failed:
        return Got(frozenset(), _STATUS[int(failed[1])])
    return Got(frozenset(ran.stdout.split()), Status.FOUND)


def _compiled(compiler: str, package: str) -> Callable[[Path], tuple[str, ...]]:
    def command(folder: Path) -> tuple[str, ...]:
        target = folder / f"lookup-{compiler}"
        if not target.exists():
            built = [program(compiler, package), "-Wall", "-Werror", str(SOURCE), "-o", str(target)]
            subprocess.run(built, check=True)
        return (str(target),)

    return command


def musl_version() -> str:
    """The musl that is installed, as its loader says."""
    loader = next(Path("/lib").glob("ld-musl-*.so.1"), None) or lacks("musl (Debian package musl)")
    said = subprocess.run([loader], capture_output=True, text=True, check=False).stderr
    return said.split("Version ")[1].split()[0]


def _musl() -> str:
    version = tuple(map(int, re.findall(r"\d+", musl_version())))
    if version == (1, 2, 4):
        return "musl-1.2.4"
    return "musl" if version > (1, 2, 4) else "musl-1.2.1"


# Tools


def _busybox() -> str:
    said = subprocess.run([program("busybox", "busybox")], capture_output=True, text=True).stdout
    found = re.search(r"v1\.(\d+)", said)
    assert found, said
    return "busybox" if int(found[1]) >= 31 else f"busybox-1.{found[1]}"


def _tool(pattern: str) -> Callable[[Ran], Got]:
    """The addresses that the lines of its output have, by a pattern of one group."""

    def read(ran: Ran) -> Got:
        found = re.findall(pattern, ran.stdout, re.MULTILINE)
        return Got(frozenset(str(ip_address(one)) for one in found), exit=ran.returncode)

    return read


def _bind(name: str, package: str, *options: str) -> Callable[[Path], tuple[str, ...]]:
    return lambda folder: (program(name, package), *options)


_SHORT = r"^([0-9a-f]*[.:][0-9a-f.:]+)$"
_NSLOOKUP = r"^Address(?: \d+)?: ([0-9a-f.:]+)$"
_UTILS = "bind9-dnsutils"

CLIENTS = {
    "glibc": Client(_compiled("gcc", "gcc"), lambda: "glibc", _library),
    "musl": Client(_compiled("musl-gcc", "musl-tools"), _musl, _library),
    "python": Client(lambda _: (sys.executable, "-ISc", _PYTHON), lambda: "python", _library),
    "busybox": Client(
        lambda _: (program("busybox", "busybox"), "nslookup"), _busybox, _tool(_NSLOOKUP), True
    ),
    "dig": Client(_bind("dig", _UTILS, "+short"), lambda: "dig", _tool(_SHORT)),
    "dig+search": Client(
        _bind("dig", _UTILS, "+search", "+short"), lambda: "dig+search", _tool(_SHORT)
    ),
    "host": Client(
        _bind("host", "bind9-host"), lambda: "host", _tool(r" has (?:IPv6 )?address (\S+)$")
    ),
    "nslookup": Client(_bind("nslookup", _UTILS), lambda: "nslookup", _tool(_NSLOOKUP)),
}
