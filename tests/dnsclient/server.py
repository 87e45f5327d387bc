"""A nameserver of the test's own on loopback: each query is handed to a function of the test."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import dns.flags
import dns.message

from kubehop.dnsclient.sockets import Endpoint

Handler = Callable[[dns.message.Message, str], list[bytes]]
"""(query, transport) -> datagrams or raw TCP octets to send back."""


@dataclass
class Server:
    """`log` has (name, type, transport) of every query, in the order of arrival."""

    endpoint: Endpoint
    log: list[tuple[str, str, str]] = field(default_factory=list)


@contextlib.contextmanager
def serving(handler: Handler) -> Iterator[Server]:
    """A server on UDP and TCP of one port of 127.0.0.1."""
    udp, tcp = _bound()
    server = Server(udp.getsockname())
    stop = threading.Event()
    threads = [
        threading.Thread(target=_udp, args=(udp, handler, server, stop)),
        threading.Thread(target=_tcp, args=(tcp, handler, server, stop)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield server
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        udp.close()
        tcp.close()


def _bound() -> tuple[socket.socket, socket.socket]:
    """Both sockets on one port: another test may have the TCP one of a free UDP port."""
    for _ in range(20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
            continue
        tcp.listen()
        udp.settimeout(0.05)
        tcp.settimeout(0.05)
        return udp, tcp
    raise AssertionError("no port that is free for UDP and TCP")


def _udp(udp: socket.socket, handler: Handler, server: Server, stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(TimeoutError, ConnectionError):
            octets, client = udp.recvfrom(65535)
            for answer in _handled(octets, "udp", handler, server):
                udp.sendto(answer, client)


def _tcp(tcp: socket.socket, handler: Handler, server: Server, stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(TimeoutError, ConnectionError):
            connection, _ = tcp.accept()
            with connection:
                connection.settimeout(2)
                length = int.from_bytes(connection.recv(2), "big")
                octets = connection.recv(length)
                for part in _handled(octets, "tcp", handler, server):
                    connection.sendall(part)


def _handled(octets: bytes, transport: str, handler: Handler, server: Server) -> list[bytes]:
    query = dns.message.from_wire(octets)
    question = query.question[0]
    server.log.append((question.name.to_text(), dns.rdatatype.to_text(question.rdtype), transport))
    return handler(query, transport)
