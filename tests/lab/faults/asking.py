"""What a client in a lab sees: a connection, a lookup, in a word."""

import errno
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

import dns.exception
import dns.message
import dns.query
import dns.rcode

Inside = Callable[[str], AbstractContextManager[None]]
TIMED_OUT, REFUSED, UNREACHABLE = "timed out", "refused", "unreachable"
PATIENCE = 0.6
_ERRORS = {
    errno.ECONNREFUSED: REFUSED,
    errno.EHOSTUNREACH: UNREACHABLE,
    errno.ENETUNREACH: UNREACHABLE,
}


class Client:
    """Asks from inside of a lab's namespaces."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def get(
        self, namespace: str, address: str, port: int, path: str = "/", padding: int = 0
    ) -> str:
        """The pod that answered HTTP (its whole answer for another path), or what went wrong.

        `padding` makes the request so many octets longer.
        """
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self._inside(namespace):
            sock = socket.socket(family, socket.SOCK_STREAM)
        with sock:
            sock.settimeout(PATIENCE)
            try:
                sock.connect((address, port))
                sock.sendall(_request(path, padding))
                return _said(_all_of(sock))
            except TimeoutError:
                return TIMED_OUT
            except OSError as error:
                return _ERRORS[error.errno or 0]

    def lookup(self, namespace: str, server: str, name: str, *, tcp: bool = False) -> str:
        """The rcode of the answer to an A query, or what went wrong."""
        query = dns.message.make_query(name, "A")
        ask = dns.query.tcp if tcp else dns.query.udp
        with self._inside(namespace):
            kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
            sock = socket.socket(socket.AF_INET, kind)
        with sock:
            sock.settimeout(PATIENCE)
            try:
                # Connected, so that ICMP errors are heard of.
                sock.connect((server, 53))
                sock.setblocking(False)
                reply = ask(query, server, timeout=PATIENCE, sock=sock)
            except (TimeoutError, dns.exception.Timeout):
                return TIMED_OUT
            except OSError as error:
                return _ERRORS[error.errno or 0]
        return dns.rcode.to_text(reply.rcode())


def _request(path: str, padding: int) -> bytes:
    pad = f"X-Padding: {'x' * padding}\r\n" if padding else ""
    return f"GET {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n{pad}\r\n".encode()


def _all_of(sock: socket.socket) -> str:
    found = b""
    while octets := sock.recv(1 << 16):
        found += octets
    return found.decode()


def _said(answer: str) -> str:
    """The pod's name of an echo, else the HTTP status."""
    lines = dict(line.partition(": ")[::2] for line in answer.splitlines())
    return lines.get("pod") or answer.split(" ")[1]
