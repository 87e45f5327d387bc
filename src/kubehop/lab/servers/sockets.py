"""Opening the sockets of a Listener, in whichever namespace the thread is in."""

import errno
import socket
from collections.abc import Iterator

from kubehop.lab.plan.values import Listener
from kubehop.lab.servers.datagrams import tell_addresses
from kubehop.linux.fds import socket_out_of_the_way

BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel gives at most net.core.somaxconn."""
KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
_IPV6_FREEBIND = 78
"""linux/in6.h: any source address will do, as IPv4 has it where the route is local (AnyIP)."""
_ANY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 - in a lab's namespace
_NO_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""What a kernel says without IPv6, or where it is switched off."""


def opened(listener: Listener) -> list[socket.socket]:
    """Bound and listening sockets, one for each family. Raises OSError, and then none is open."""
    found: list[socket.socket] = []
    try:
        for family, address in _places(listener):
            try:
                found.append(socket_out_of_the_way(_opened(listener, family, address)))
            except OSError as error:
                if listener.address or not found or error.errno not in _NO_FAMILY:
                    raise
    except OSError:
        for sock in found:
            sock.close()
        raise
    return found


def _places(listener: Listener) -> Iterator[tuple[socket.AddressFamily, str]]:
    if not listener.address:
        yield from _ANY.items()
    elif ":" in listener.address:
        yield socket.AF_INET6, listener.address
    else:
        yield socket.AF_INET, listener.address


def _opened(listener: Listener, family: socket.AddressFamily, address: str) -> socket.socket:
    sock = socket.socket(family, KINDS[listener.protocol] | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        if sock.type == socket.SOCK_STREAM:
            # Not for UDP, where a second socket could take the port from the first.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            tell_addresses(sock)
        sock.bind((address, listener.port))
        if sock.type == socket.SOCK_STREAM:
            sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock
