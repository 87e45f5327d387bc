"""Who a datagram came from, and how a reply gets back from the address that was asked."""

import ipaddress
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

Address = tuple[Any, ...]
"""Host and port as Python gives them; IPv6 has two numbers more."""
Ancillary = list[tuple[int, int, bytes]]

IP_PKTINFO = 8
"""ip(7); the socket module has no name for it before Python 3.14."""


class Peer(NamedTuple):
    """A client of a socket that is bound to all addresses, and the address it asked."""

    address: Address
    asked: Ancillary


Receive = Callable[[int], tuple[bytes, Any]]
Send = Callable[[bytes, Any], int]


class Peers(NamedTuple):
    """How to receive (octets, peer), to send octets to a peer, and to get a peer's Address."""

    receive: Receive
    send: Send
    address: Callable[[Any], Address]


def peers(sock: socket.socket) -> Peers:
    """For a bound UDP socket."""
    if ipaddress.ip_address(sock.getsockname()[0]).is_unspecified:
        return _of_all_addresses(sock)
    return Peers(sock.recvfrom, sock.sendto, lambda peer: peer)


def _of_all_addresses(sock: socket.socket) -> Peers:
    """The kernel would send from the address nearest to the client, whichever was asked."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        back = _same
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        back = _any_interface
    receive_message, send_message = sock.recvmsg, sock.sendmsg
    space = socket.CMSG_SPACE(20)  # struct in6_pktinfo, the larger one
    known: dict[bytes, Ancillary] = {}

    def receive(size: int) -> tuple[bytes, Peer]:
        message, ancillary, _, address = receive_message(size, space)
        data = ancillary[0][2] if ancillary else b""
        asked = known.get(data)
        if asked is None:
            known[data] = asked = back(ancillary)
        return message, Peer(address, asked)

    def send(octets: bytes, peer: Peer) -> int:
        return send_message((octets,), peer.asked, 0, peer.address)

    return Peers(receive, send, lambda peer: peer.address)


def _same(ancillary: Ancillary) -> Ancillary:
    return ancillary


def _any_interface(ancillary: Ancillary) -> Ancillary:
    """The same address by whichever interface leads to the client (struct in_pktinfo, ip(7))."""
    return [
        (level, kind, struct.pack("=I4s4s", 0, data[4:8], bytes(4)))
        for level, kind, data in ancillary
    ]
