"""UDP: sockets that answer every datagram with one, from the address that was asked."""

import socket
from collections.abc import Callable
from contextlib import suppress

from kubehop.dnsserver.loop import READ, Loop
from kubehop.dnsserver.peers import IP_PKTINFO
from kubehop.lab.plan.values import Listener
from kubehop.lab.servers.answers import Ends, datagram
from kubehop.model.addresses import socket_address

BATCH = 64
"""Datagrams answered before other sockets get their turn."""
MOST_READ = 2048
"""Octets of a datagram that are looked at."""
_SPACE = socket.CMSG_SPACE(20)
"""Of struct in6_pktinfo, the larger one."""


class Datagrams:
    """A bound UDP socket; `listener` says who answers there, and may be replaced."""

    __slots__ = ("_asked", "_loop", "_port", "_sock", "listener")

    def __init__(self, loop: Loop, sock: socket.socket, listener: Listener) -> None:
        self._loop, self._sock, self.listener = loop, sock, listener
        self._asked, self._port = ASKED[sock.family], listener.port

    def watch(self) -> None:
        """Begin to answer."""
        self._loop.watch(self._sock, READ, self._ready)

    def close(self) -> None:
        """Let the kernel answer with ICMP port unreachable from now on."""
        self._loop.forget(self._sock)
        self._sock.close()

    def hang_up(self) -> None:
        """Nothing: there are no connections."""

    def _ready(self, _: int) -> None:
        # What ends a batch: nothing is left, or an answer that cannot be sent and is lost.
        with suppress(OSError):
            for _ in range(BATCH):
                octets, ancillary, _, peer = self._sock.recvmsg(MOST_READ, _SPACE)
                level, kind, data = ancillary[0]
                local, back = self._asked(data)
                ends = Ends(socket_address(local, self._port), socket_address(*peer[:2]))
                answer = datagram(self.listener, octets, ends)
                if answer is not None:
                    self._sock.sendmsg((answer,), [(level, kind, back)], 0, peer)


def tell_addresses(sock: socket.socket) -> None:
    """Have the kernel say for every datagram which address it was sent to."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)


def _four(data: bytes) -> tuple[str, bytes]:
    """struct in_pktinfo (ip(7)): interface, local address, destination of the header."""
    return socket.inet_ntoa(data[8:12]), bytes(4) + data[4:8] + bytes(4)


def _six(data: bytes) -> tuple[str, bytes]:
    """struct in6_pktinfo (ipv6(7)): destination, interface."""
    on_link = data[0] == 0xFE and data[1] & 0xC0 == 0x80  # only there does the interface matter
    return socket.inet_ntop(socket.AF_INET6, data[:16]), data if on_link else data[:16] + bytes(4)


ASKED: dict[int, Callable[[bytes], tuple[str, bytes]]] = {
    socket.AF_INET: _four,
    socket.AF_INET6: _six,
}
"""By family: which address a datagram came to, and what sends the answer from there by whichever
interface leads to the client."""
