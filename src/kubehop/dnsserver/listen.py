"""Where the server listens."""

import ipaddress
import re
import socket
from dataclasses import dataclass

from kubehop.model.errors import UsageError

PORT_TRIES = 20
"""Attempts to find a port that is free for UDP and for TCP alike."""
BACKLOG = 1024
RECEIVE_BUFFER = 4 << 20
"""Octets that may wait for a busy server; the kernel gives what net.core.rmem_max allows."""

_PLACE = re.compile(r"(\[(?P<six>[^\[\]]+)\]|(?P<four>[^:\[\]]*))(:(?P<port>[0-9]{1,5}))?")

Pair = tuple[socket.socket, socket.socket]


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on, over UDP and TCP; port 0 takes a free one.

    `serves` is the port whose server blocks of the Corefile answer here, 0 for those of the
    first block. IPv6 addresses take no IPv4.
    """

    address: str = "127.0.0.1"
    port: int = 53
    serves: int = 0

    @classmethod
    def parse(cls, text: str, serves: int = 0) -> "Listen":
        """`10.0.0.1`, `10.0.0.1:1053`, `[::1]:1053`, `::1`, `:53`; raises UsageError."""
        found = _PLACE.fullmatch(text if text.count(":") < 2 or "[" in text else f"[{text}]")
        try:
            if not text or not found:
                raise ValueError
            # No host: all addresses, as in a Corefile.
            address = ipaddress.ip_address(found["six"] or found["four"] or "0.0.0.0")  # noqa: S104
            port = int(found["port"] or 53)
            if port > 65535:
                raise ValueError
        except ValueError:
            raise UsageError(f"not an address to listen on: {text}") from None
        return cls(str(address), port, serves)

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def open(self, reuse_port: bool = False) -> Pair:
        """Bound sockets for UDP and TCP on one port; raises UsageError if they cannot be had."""
        for tries in range(PORT_TRIES):
            udp = self._bound(socket.SOCK_DGRAM, self.port, reuse_port)
            try:
                tcp = self._bound(socket.SOCK_STREAM, udp.getsockname()[1], reuse_port)
            except UsageError:
                udp.close()
                if self.port or tries == PORT_TRIES - 1:
                    raise
            else:
                tcp.listen(BACKLOG)
                return udp, tcp
        raise AssertionError

    def _bound(self, kind: socket.SocketKind, port: int, reuse_port: bool) -> socket.socket:
        sock = socket.socket(self.family, kind)
        try:
            prepare(sock, reuse_port)
            sock.bind((self.address, port))
        except OSError as error:
            sock.close()
            raise cannot_listen(self.address, port, error) from error
        return sock


def prepare(sock: socket.socket, reuse_port: bool = False) -> None:
    """Non-blocking, one family, and soon reusable."""
    sock.setblocking(False)
    if sock.type == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if reuse_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def cannot_listen(address: str, port: int, error: OSError) -> UsageError:
    """One line about an address that cannot be had."""
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    return UsageError(f"cannot listen on {where}: {error.strerror}")
