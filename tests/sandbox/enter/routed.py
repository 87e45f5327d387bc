"""A client and a server in namespaces of their own; between them, as a router, the test's."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubehop.sandbox.namespace import inside
from tests.real.needs import program
from tests.sandbox.network.making import Pod, ip, pod, wire

CLIENT, SERVER = ("10.1.0.8", "fd01::8"), ("10.2.0.9", "fd02::9")
ROUTER = {"10.2.0.9": "10.1.0.1", "fd02::9": "fd01::1"}
"""Who forwards to it, as the client sees that."""
PORT = 8080
_TRIES, _PAUSE = 100, 0.05


@dataclass(frozen=True, slots=True)
class Routed:
    """The two pods, wired."""

    client: Pod
    server: Pod

    def listen(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket of the server's, on PORT of all its addresses."""
        with inside(self.server.namespace):
            made = socket.socket(socket.AF_INET6, kind)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind(("::", PORT))
        if kind == socket.SOCK_STREAM:
            made.listen()
        return made


def rules(text: str) -> None:
    """Load rules of nftables in the test's own namespace."""
    command = [program("nft", "nftables"), "-f", "-"]
    subprocess.run(command, input=text, check=True, text=True, capture_output=True)


def reject(how: str, hook: str = "forward") -> None:
    """Refuse what the router forwards, in place of what was refused before."""
    rules(
        "add table inet t; delete table inet t; add table inet t;"
        f"add chain inet t c {{ type filter hook {hook} priority 0; }};"
        f"add rule inet t c meta l4proto {{ tcp, udp }} {how}"
    )


@contextmanager
def routed() -> Iterator[Routed]:
    """Dual stack; returns once addresses are usable."""
    with pod() as client, pod() as server:
        for number, (one, address) in enumerate(((client, CLIENT), (server, SERVER)), 1):
            wire(one, f"host{number}")
            ip("addr", "add", f"10.{number}.0.1/24", "dev", f"host{number}")
            ip("addr", "add", f"fd0{number}::1/64", "dev", f"host{number}", "nodad")
            one.ip("addr", "add", f"{address[0]}/24", "dev", "eth0")
            one.ip("addr", "add", f"{address[1]}/64", "dev", "eth0", "nodad")
            one.ip("route", "add", "default", "via", f"10.{number}.0.1")
            one.ip("route", "add", "default", "via", f"fd0{number}::1")
        for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            Path("/proc/sys/net", path).write_text("1")
        # Else the kernel sends one ICMP error a second to each.
        Path("/proc/sys/net/ipv4/icmp_ratelimit").write_text("0")
        Path("/proc/sys/net/ipv6/icmp/ratelimit").write_text("0")
        _soon_given_up("host1", "host2")
        for one in (client, server):
            with inside(one.namespace):
                _soon_given_up("eth0")
            _settled(one.ip)
        _settled(ip)
        yield Routed(client, server)


def _soon_given_up(*devices: str) -> None:
    """Of an address that nobody answers for: else the kernel asks three times, a second apart."""
    for device in devices:
        for family in ("ipv4", "ipv6"):
            path = Path(f"/proc/sys/net/{family}/neigh/{device}/retrans_time_ms")
            path.write_text("100")


def _settled(seen: Callable[[str], str]) -> None:
    """Addresses of the links, which are checked for duplicates, come last.

    The router needs its own too: until then it asks for no neighbour (ndisc_send_ns).
    """
    for _ in range(_TRIES):
        if "tentative" not in seen("addr"):
            return
        time.sleep(_PAUSE)
    raise AssertionError(seen("addr"))
