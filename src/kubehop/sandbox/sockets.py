"""Sockets that wait for others, from what the kernel answers to SOCK_DIAG_BY_FAMILY.

sock_diag(7), linux/inet_diag.h; decoding only, no socket.
"""

import struct
from collections.abc import Iterable
from socket import AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP

from kubehop.linux.netlink import Request
from kubehop.sandbox.fields import address, fields, number
from kubehop.sandbox.values import Listening

SOCK_DIAG = 4
"""The netlink protocol: NETLINK_SOCK_DIAG."""
_BY_FAMILY = 20
_REQUEST, _SOCKET = struct.Struct("=BBBxI48x"), struct.Struct("=BBBB")
_PORT = struct.Struct("!H")
_WHOLE, _SOURCE, _INODE = 72, 8, 68
"""Of struct inet_diag_msg: its size, where the address and the inode are."""
_ONLY_IPV6 = 11
_LISTEN, _CLOSE = 10, 7
"""TCP states; a UDP socket that is connected to nobody is in the second."""
_WAITING = ((IPPROTO_TCP, "tcp", _LISTEN), (IPPROTO_UDP, "udp", _CLOSE))

LISTENING = tuple(
    (protocol, Request(_BY_FAMILY, 0, _REQUEST.pack(family, number, 0, 1 << state)))
    for number, protocol, state in _WAITING
    for family in (AF_INET, AF_INET6)
)
"""Protocols, and what dumps their sockets that wait, of one family each."""


def waiting(protocol: str, messages: Iterable[tuple[int, bytes]]) -> tuple[Listening, ...]:
    """Those in a dump, in its order. One of UDP without a port waits for nothing."""
    found = (
        _decoded(protocol, body)
        for type, body in messages
        if type == _BY_FAMILY and len(body) >= _WHOLE and body[0] in (AF_INET, AF_INET6)
    )
    return tuple(one for one in found if one.port)


def _decoded(protocol: str, body: bytes) -> Listening:
    family, _, _, _ = _SOCKET.unpack_from(body)
    (port,) = _PORT.unpack_from(body, _SOCKET.size)
    bound = address(body[_SOURCE : _SOURCE + (4 if family == AF_INET else 16)])
    return Listening(
        protocol=protocol,
        address=bound,
        port=port,
        both_families=_both(body) if family == AF_INET6 and bound == "::" else None,
        inode=struct.unpack_from("=I", body, _INODE)[0],
    )


def _both(body: bytes) -> bool | None:
    only = number(fields(body[_WHOLE:]), _ONLY_IPV6)
    return None if only is None else not only
