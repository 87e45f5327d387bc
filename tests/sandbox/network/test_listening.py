"""Sockets that wait for others, against ss(8)."""

import os
import socket
import subprocess

from kubehop.lab.kernel import Base
from kubehop.sandbox.inside import sockets_inside
from kubehop.sandbox.namespace import inside
from kubehop.sandbox.network import read_network
from kubehop.sandbox.values import Listening
from tests.lab.inside import as_everyone, in_lab
from tests.real.needs import program
from tests.sandbox.network.making import Pod, pod


@in_lab
@as_everyone
def test_as_ss(base: Base, uid: int | None) -> None:
    with pod() as made:
        opened = sockets_inside(made.namespace, [_tcp4, _tcp6, _only6, _udp4, _udp6, _connected])
        ours = read_network(made.namespace).listening
        assert sorted(map(_as_ss, ours)) == sorted(_ss(made))
        both = {one.port: one.both_families for one in ours if one.address == "::"}
        assert both == {8080: True, 443: False}
        assert {one.inode for one in ours} < {_inode(one) for one in opened}
        assert all(one.inode for one in ours)
        for one in opened:
            one.close()
        assert read_network(made.namespace).listening == ()


def _as_ss(one: Listening) -> tuple[str, str]:
    at = f"[{one.address}]" if ":" in one.address else one.address
    # ss(8) writes the wildcard of a socket of IPv6 that takes IPv4 too as a star.
    return one.protocol, f"{'*' if one.both_families else at}:{one.port}"


def _ss(made: Pod) -> list[tuple[str, str]]:
    with inside(made.namespace):
        command = [program("ss", "iproute2"), "-Hlntu"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [(words[0], words[4]) for words in map(str.split, said.splitlines())]


def _inode(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


def _tcp4() -> socket.socket:
    return socket.create_server(("0.0.0.0", 80))


def _tcp6() -> socket.socket:
    return socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)


def _only6() -> socket.socket:
    return socket.create_server(("::", 443), family=socket.AF_INET6)


def _udp4() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.53", 53))
    return made


def _udp6() -> socket.socket:
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.bind(("::1", 53))
    return made


def _connected() -> socket.socket:
    """It waits for nobody else."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.connect(("127.0.0.1", 9))
    return made
