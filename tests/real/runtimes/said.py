"""What `ip` and `ss` say inside of a network namespace, in words that compare."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from kubehop.sandbox.values import Listening, Network, Route
from tests.real.runtimes.host import Ran

Inside = Callable[..., Ran]
"""Runs a program inside."""

_LIFETIME = re.compile(r"\b\d+sec\b")
_SOCKET = re.compile(r"(?P<protocol>tcp|udp) +\S+ +\d+ +\d+ +(?P<at>\S+):(?P<port>\d+) ")
_FIELDS = ("inode", "both_families")


def lines(inside: Inside, *command: str) -> list[str]:
    """What a program prints; seconds that run are N."""
    done = inside(*command)
    assert not done.returncode, (command, done.stderr)
    return without_time(done.stdout.splitlines())


def without_time(text: Iterable[str]) -> list[str]:
    return [_LIFETIME.sub("Nsec", line) for line in text]


def answered(inside: Inside, *command: str) -> list[dict[str, Any]]:
    """The JSON of `ip -j`."""
    done = inside("ip", "-j", *command)
    assert not done.returncode, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found


def addresses(inside: Inside) -> set[tuple[str, str]]:
    """Interface and address, of every one."""
    return {
        (link["ifname"], address["local"])
        for link in answered(inside, "addr")
        for address in link["addr_info"]
    }


def addresses_of(network: Network) -> set[tuple[str, str]]:
    return {(link.name, one.address) for link in network.interfaces for one in link.addresses}


def sockets(inside: Inside) -> set[tuple[object, ...]]:
    """Protocol, address, port, whether both families, inode: as `ss` has them."""
    return {_socket(line) for line in lines(inside, "ss", "-lntuHe")}


def _socket(line: str) -> tuple[object, ...]:
    found = _SOCKET.match(line)
    assert found, line
    at, inode = found["at"].strip("[]"), re.search(r"\bino:(\d+)", line)
    both = {"*": True, "::": False}.get(at)
    address = "::" if at == "*" else at
    return found["protocol"], address, int(found["port"]), both, int(inode[1]) if inode else 0


def sockets_of(listening: Iterable[Listening]) -> set[tuple[object, ...]]:
    return {
        (each.protocol, each.address, each.port, each.both_families, each.inode)
        for each in listening
    }


def without_families(found: Iterable[tuple[object, ...]]) -> set[tuple[object, ...]]:
    """Less what /proc/net/tcp6 does not tell."""
    return {(*each[:3], *each[4:]) for each in found}


def routes(inside: Inside, family: int) -> set[tuple[object, ...]]:
    """Destination, gateway, device and metric of every way of a route of the table main.

    A gateway of the other family is left out, as /proc does it.
    """
    return {
        (route["dst"], hop.get("gateway", ""), hop.get("dev", ""), route.get("metric", 0))
        for route in answered(inside, f"-{family}", "route")
        for hop in route.get("nexthops", [route])
        if route.get("type", "unicast") == "unicast"
    }


def routes_of(found: Iterable[Route], family: int) -> set[tuple[object, ...]]:
    return {
        (route.destination, hop.gateway, hop.device, route.metric or 0)
        for route in found
        if route.family == family and route.table == "main" and route.kind == "unicast"
        for hop in (route.nexthops or (route,))
    }
