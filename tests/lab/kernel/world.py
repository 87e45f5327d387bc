"""What the tests of the kernel share: a small network, and what `ip` says about it."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.values import (
    Address,
    Make,
    Neighbour,
    Remove,
    Route,
    Sandbox,
    Step,
    Sysctl,
    Thing,
    Veth,
)
from tests.real.needs import program

NODE, POD, OTHER = "node/a", "pod/default/web", "pod/default/client"
GATEWAY, GATEWAY6 = "169.254.1.1", "fe80::1"


def mac(*numbers: int) -> str:
    """A locally administered address that ends in `numbers`."""
    return ":".join(f"{n:02x}" for n in (2, 0, 0, 0, 0, 0)[: 6 - len(numbers)] + numbers)


def pod(namespace: str, number: int, node: str = NODE) -> tuple[Thing, ...]:
    """A routed pod on a node, 10.42.0.NUMBER and fd42::NUMBER (hexadecimal)."""
    device, address, address6 = f"cali{number}", f"10.42.0.{number}", f"fd42::{number:x}"
    outer, inner = mac(1, number), mac(2, number)
    return (
        Sandbox(namespace, namespace.rpartition("/")[2]),
        Veth(node, device, outer, namespace, "eth0", inner, 1450),
        Address(namespace, "eth0", f"{address}/32"),
        Address(namespace, "eth0", f"{address6}/128"),
        Neighbour(namespace, "eth0", GATEWAY, outer),
        Neighbour(namespace, "eth0", GATEWAY6, outer),
        Neighbour(node, device, address, inner),
        Neighbour(node, device, address6, inner),
        Route(namespace, "0.0.0.0/0", "eth0", via=GATEWAY),
        Route(namespace, "::/0", "eth0", via=GATEWAY6),
        Route(node, f"{address}/32", device),
        Route(node, f"{address6}/128", device),
    )


def node(namespace: str = NODE) -> tuple[Thing, ...]:
    """A node with addresses on `lo` that forwards."""
    return (
        Sandbox(namespace, namespace.rpartition("/")[2]),
        Sysctl(namespace, "net.ipv4.ip_forward", "1"),
        Sysctl(namespace, "net.ipv6.conf.all.forwarding", "1"),
        Address(namespace, "lo", "192.168.0.1/32"),
        Address(namespace, "lo", "fd00::1/128"),
    )


def make(things: Iterable[Thing]) -> list[Step]:
    return [Make(thing) for thing in things]


def remove(things: Iterable[Thing]) -> list[Step]:
    return [Remove(thing) for thing in reversed(list(things))]


@contextmanager
def standing(base: Base, *things: Thing) -> Iterator[Kernel]:
    """A kernel that has made `things`; closed at the end."""
    kernel = Kernel(base)
    try:
        kernel.apply(make(things))
        yield kernel
    finally:
        kernel.close()


def said(kernel: Kernel, namespace: str, *command: str) -> str:
    """What a program of the machine's prints in a namespace's network."""
    path = program(command[0], "iproute2")
    with kernel.inside(namespace):
        return subprocess.run(
            [path, *command[1:]], check=True, capture_output=True, text=True, timeout=60
        ).stdout


def ip(kernel: Kernel, namespace: str, *command: str) -> list[dict[str, Any]]:
    """`ip -json -details ...` in a namespace."""
    found = json.loads(said(kernel, namespace, "ip", "-j", "-d", *command) or "[]")
    assert isinstance(found, list)
    return [one for one in found if one]


def only(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The one that there is."""
    (one,) = found
    return one
