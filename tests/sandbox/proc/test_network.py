"""What /proc/PID/net tells, against what ip(8) and ss(8) print inside."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kubehop.lab.kernel import Base
from kubehop.sandbox.namespace import inside
from kubehop.sandbox.proc.network import (
    UnreadableError,
    addresses,
    listening,
    network_from_proc,
    network_of,
)
from kubehop.sandbox.values import Interface, InterfaceAddress, Network, Route
from tests.lab.inside import as_everyone, in_lab
from tests.real.needs import program
from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.host import NOBODY
from tests.sandbox.network.making import pod, wire

_LONG = "a-name-of-15-oc"
_COMMANDS = (
    "addr add 10.42.0.8/24 dev eth0",
    "addr add 10.42.0.9/24 dev eth0",
    "addr add fd42::8/64 dev eth0 nodad",
    "addr add fd42::9/64 dev eth0 nodad preferred_lft 0",
    f"addr add 192.0.2.1/32 dev {_LONG}",
    f"addr add 198.51.100.1/30 dev {_LONG}",
    "addr add 10.99.0.1/32 dev lo",
    "route add default via 10.42.0.1 metric 50",
    "route add 10.60.0.0/16 via 10.42.0.2",
    f"route add 10.61.0.1 dev {_LONG}",
    "route add fd60::/48 via fd42::1 metric 77",
    "route add default via fd42::1",
)
_ONE_PROGRAM = """
import socket, sys
held = []
for family, kind, address, port in (
    (2, 1, "0.0.0.0", 80), (2, 1, "10.42.0.8", 81), (10, 1, "::", 82), (10, 1, "::1", 83),
    (2, 2, "0.0.0.0", 53), (10, 2, "fd42::8", 54), (10, 2, "::", 55),
):
    one = socket.socket(family, kind)
    one.bind((address, port))
    if kind == 1:
        one.listen()
    held.append(one)
print(flush=True)
sys.stdin.read()
"""


def _told(network: Network) -> dict[str, set[tuple[str, int | None]]]:
    return {
        each.name: {(one.address, one.prefix) for one in each.addresses}
        for each in network.interfaces
    }


def _by_ip(links: Any) -> dict[str, set[tuple[str, int]]]:
    return {
        each["ifname"]: {(one["local"], one["prefixlen"]) for one in each["addr_info"]}
        for each in links
    }


def _routes(network: Network, family: int) -> set[tuple[object, ...]]:
    return {
        (each.destination, each.gateway, each.device, each.metric)
        for each in network.routes
        if each.family == family and each.table == "main"
    }


def _routes_by_ip(routes: Any) -> set[tuple[object, ...]]:
    return {
        (each["dst"], each.get("gateway", ""), each.get("dev", ""), each.get("metric"))
        for each in routes
    }


@as_everyone
@in_lab
def test_what_proc_tells_is_what_ip_says(base: Base, uid: int | None) -> None:
    with pod() as made:
        wire(made, "host0")
        wire(made, "host1", _LONG)
        for command in _COMMANDS:
            made.ip(*(["-6"] if "fd4" in command else []), *command.split())
        found = network_from_proc(made.pid)
        by_ip = _by_ip(made.json("addr"))
        # Nothing tells which interface has an address that is alone.
        alone = {("192.0.2.1", 32), ("10.99.0.1", 32)}
        told = _told(found)
        assert told.pop("") == {(address, None) for address, _ in alone}
        assert told == {name: those - alone for name, those in by_ip.items()}
        indices = {each["ifname"]: each["ifindex"] for each in made.json("link")}
        assert {e.name: e.index for e in found.interfaces if e.name} == indices
        assert _routes(found, 4) == _routes_by_ip(made.json("route"))
        theirs = _routes_by_ip(made.json("-6", "route"))
        assert _routes(found, 6) == theirs
        assert set(addresses(made.pid)) == {
            *("10.42.0.8", "10.42.0.9", "192.0.2.1", "198.51.100.1", "10.99.0.1"),
            *("fd42::8", "fd42::9"),
        }
        assert {each.what for each in found.unknown} >= {
            "interfaces",
            "interface and prefix of 192.0.2.1",
        }


@as_everyone
@in_lab
def test_sockets_that_wait_and_whose_they_are(base: Base, uid: int | None) -> None:
    with pod() as made:
        wire(made, "host0")
        for command in _COMMANDS[:4]:
            made.ip(*command.split())
        with inside(made.namespace):
            python = [program("python3", "python3"), "-c", _ONE_PROGRAM]
            pipes = subprocess.Popen(python, stdin=-1, stdout=-1)
        with pipes as server:
            assert server.stdout
            assert server.stdout.read(1)
            found = listening(made.pid, pids=(made.pid, server.pid))
            with inside(made.namespace):
                ss = subprocess.run(
                    [program("ss", "iproute2"), "-Hlntue"], capture_output=True, text=True
                )
            inodes = sorted(
                int(word.removeprefix("ino:"))
                for line in ss.stdout.splitlines()
                for word in line.split()
                if word.startswith("ino:")
            )
            server.kill()
        assert sorted(each.inode for each in found) == inodes
        assert len(found) == 7
        assert {each.pid for each in found} == {server.pid}
        assert {each.both_families for each in found} == {None}
        assert {(each.protocol, each.address, each.port) for each in found} >= {
            ("tcp", "10.42.0.8", 81),
            ("tcp", "::", 82),
            ("udp", "fd42::8", 54),
        }


def test_a_process_that_there_is_not() -> None:
    for look in (network_from_proc, listening, addresses):
        with pytest.raises(UnreadableError, match="No such file"):
            look(1 << 30)


def test_the_network_of_the_calling_thread() -> None:
    found = network_from_proc("thread-self")
    assert found.inode == os.stat("/proc/thread-self/ns/net").st_ino
    assert "lo" in {each.name for each in found.interfaces}


def test_addresses_of_a_pod_whose_net_is_routed() -> None:
    """As Calico has it: the address is in no net on a link."""
    files = {
        "dev": b"Inter-|\n face |\n    lo: 0\n  eth0: 0\n",
        "fib_trie": b"Main:\n |-- 10.1.2.3\n  /32 host LOCAL\n"
        b" |-- 169.254.1.1\n  /32 link UNICAST\n",
        "route": b"Iface\neth0 00000000 0101FEA9 0003 0 0 0 00000000 0 0 0\n"
        b"eth0 0101FEA9 00000000 0005 0 0 0 FFFFFFFF 0 0 0\n",
    }
    found = network_of(lambda name: files.get(name, b""), None, "")
    assert found.interfaces[-1] == Interface(
        "", addresses=(InterfaceAddress("10.1.2.3", None, ""),)
    )
    assert Route(4, "default", "eth0", "169.254.1.1") in found.routes


def test_two_interfaces_in_one_net() -> None:
    files = {
        "dev": b"Inter-|\n face |\n  eth0: 0\n  eth1: 0\n",
        "fib_trie": b"Main:\n |-- 10.1.2.3\n  /32 host LOCAL\n",
        "route": b"Iface\neth0 0002010A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"
        b"eth1 0002010A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n",
    }
    found = network_of(lambda name: files.get(name, b""), None, "")
    assert found.interfaces[-1].name == ""


@pytest.mark.parametrize("uid", [None, NOBODY])
@pytest.mark.parametrize("name", ["web", "many"])
def test_pods_of_containerd(name: str, uid: int | None, containerd: Containerd) -> None:
    """The plugin ptp routes a pod's own net through a gateway: nothing tells where its IPv4 is."""
    pid = containerd.pods[name].pid
    found = containerd.host.call(lambda: network_from_proc(pid), uid)
    by_ip = _by_ip(json.loads(containerd.inside(pid, "ip", "-j", "addr").stdout))
    told = _told(found)
    homeless = {address for address, _ in told.pop("", set())}
    assert set(told) == set(by_ip)
    for device, those in told.items():
        assert those <= by_ip[device]
        assert {address for address, _ in by_ip[device] - those} <= homeless
    ipv4 = {each for each in containerd.pods[name].addresses if ":" not in each}
    assert ipv4 == homeless if name == "web" else ipv4 < homeless
    inode = Path(f"/proc/{pid}/ns/net").stat().st_ino
    assert found.inode == (inode if uid is None else None)
