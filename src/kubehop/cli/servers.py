"""`--server`: a nameserver of the user's choice instead of those in resolv.conf."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from kubehop.model.addresses import canonical, is_address
from kubehop.model.errors import UsageError

if TYPE_CHECKING:
    from kubehop.dns.resolv.values import ResolvConf

PORT = 53


def pointed(conf: "ResolvConf", server: str | None) -> "ResolvConf":
    """The configuration with `server` as its only nameserver."""
    if server is None:
        return conf
    return replace(conf, nameservers=(_split(server)[0],), unusable="")


def finder(server: str | None) -> Callable[[str], tuple[str, int]]:
    """Where a nameserver's queries go: to its port 53, or the port that --server names."""
    port = _split(server)[1] if server else PORT
    return lambda address: (address, port)


def _split(server: str) -> tuple[str, int]:
    """`10.43.0.10`, `127.0.0.1:1053`, `fd00::53` or `[fd00::53]:1053`; raises UsageError."""
    bare = server[1:-1] if server.startswith("[") and server.endswith("]") else server
    if is_address(bare):
        return canonical(bare), PORT
    address, _, port = server.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    valid = is_address(address) and port.isascii() and port.isdecimal() and 0 < int(port) < 65536
    if not valid:
        raise UsageError(f"--server: {server!r} is not an address, or address and port")
    return canonical(address), int(port)
