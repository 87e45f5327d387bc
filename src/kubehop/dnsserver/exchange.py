"""One question to one server: a socket of its own, so that port and id are hard to guess."""

import secrets
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from kubehop.dns.chain.values import Upstream
from kubehop.dns.message import Question, Reply
from kubehop.dns.names import folded
from kubehop.dns.wire import header, reply
from kubehop.dns.wire.errors import WireError
from kubehop.dns.wire.query import opt
from kubehop.dnsserver.loop import READ, WRITE, Loop

MOST_EXCHANGES = 512
"""Sockets that may be open to upstreams at once; one more try fails at once."""
MAX_DATAGRAM = 65535

Tried = Callable[[Reply | None], None]


class Exchange:
    """A query on its way; a reply counts if it has its id and question and is the server's."""

    kind: socket.SocketKind

    def __init__(self, loop: Loop, server: str, wish: Upstream, tried: Tried) -> None:
        self.loop, self.wish, self._tried = loop, wish, tried
        self.id = secrets.token_bytes(2)
        self.message = _message(self.id, wish)
        host, _, port = server.rpartition(":")
        host = host.strip("[]")
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, self.kind)
        self._timer = loop.after(wish.read, partial(self.end, None))
        self._open = True
        try:
            self.sock.setblocking(False)
            with suppress(BlockingIOError):
                self.sock.connect((host, int(port)))
            loop.watch(self.sock, WRITE, self.ready)
        except OSError:  # no route, no such address: an outcome like any other, but not before
            loop.after(0, partial(self.end, None))  # the caller knows of the exchange

    def ready(self, _: int) -> None:
        """Go on as far as the socket lets."""
        try:
            self.step()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:  # refused, reset, or a certificate that nobody vouches for
            self.end(None)

    def step(self) -> None:
        """Send or receive what is next; raises OSError."""
        raise NotImplementedError

    def take(self, octets: bytes) -> None:
        """End with what the octets say, if they are the reply."""
        with suppress(WireError):
            received = reply.parse(octets)
            if received.id == self.id and _same(received.question, self.wish.question):
                self.end(received.reply)

    def end(self, found: Reply | None) -> None:
        """Close and pass on the outcome; nothing if that was done before."""
        if self._open:
            self._open = False
            self._timer.cancel()
            self.loop.forget(self.sock)
            self.sock.close()
            self._tried(found)


class Datagram(Exchange):
    """Over UDP. The socket is connected: the kernel passes on what comes from the server only."""

    kind = socket.SOCK_DGRAM
    sent = False

    def step(self) -> None:
        if not self.sent:
            self.sock.send(self.message)
            self.sent = True
            self.loop.watch(self.sock, READ, self.ready)
            return
        while self._open:
            self.take(self.sock.recv(MAX_DATAGRAM))


class Stream(Exchange):
    """Over TCP, or TLS on it (RFC 7858)."""

    kind = socket.SOCK_STREAM

    def __init__(self, loop: Loop, server: str, wish: Upstream, tried: Tried) -> None:
        super().__init__(loop, server, wish, tried)
        self._out = len(self.message).to_bytes(2, "big") + self.message
        self._in = bytearray()
        self._secure = wish.transport != "tls"

    def step(self) -> None:
        if not self._secure:
            self._handshake()
        while self._out:
            self._out = self._out[self.sock.send(self._out) :]
        self.loop.watch(self.sock, READ, self.ready)
        while self._open:
            octets = self.sock.recv(MAX_DATAGRAM)
            if not octets:
                raise ConnectionResetError
            self._in += octets
            self._messages()

    def _messages(self) -> None:
        while len(self._in) >= 2:
            end = 2 + int.from_bytes(self._in[:2], "big")
            if len(self._in) < end:
                return
            message = bytes(self._in[2:end])
            del self._in[:end]
            self.take(message)

    def _handshake(self) -> None:
        if not isinstance(self.sock, ssl.SSLSocket):
            error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "cannot connect")
            self.loop.forget(self.sock)
            self.sock = _tls(self.sock, self.wish.tls_servername)
            self.loop.watch(self.sock, READ | WRITE, self.ready)
        self.sock.do_handshake()
        self._secure = True


def _tls(sock: socket.socket, name: str) -> ssl.SSLSocket:
    """A certificate is checked against `tls_servername`, or else against the address."""
    context = ssl.create_default_context()
    host = name or sock.getpeername()[0]
    return context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)


class Exchanges:
    """Starts exchanges, and holds those that are under way."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.open: set[Exchange] = set()

    def start(self, server: str, wish: Upstream, tried: Tried) -> None:
        """Ask `server` (10.0.0.2:53, [fd00::1]:53); `tried` is called once, None for no reply.

        A truncated reply over UDP is asked for again over TCP if the wish says so.
        """

        def first(found: Reply | None) -> None:
            if found is not None and found.truncated and wish.prefer_udp:
                self._open(Stream, server, wish, tried)
            else:
                tried(found)

        if wish.transport == "udp":
            self._open(Datagram, server, wish, first)
        else:
            self._open(Stream, server, wish, tried)

    def close(self) -> None:
        """End all, without a reply."""
        for exchange in tuple(self.open):
            exchange.end(None)

    def _open(self, kind: type[Exchange], server: str, wish: Upstream, tried: Tried) -> None:
        def ended(found: Reply | None) -> None:
            self.open.discard(exchange)
            tried(found)

        if len(self.open) >= MOST_EXCHANGES:
            self.loop.after(0, partial(tried, None))
            return
        try:
            exchange = kind(self.loop, server, wish, ended)
        except OSError:  # out of sockets
            self.loop.after(0, partial(tried, None))
        else:
            self.open.add(exchange)


def _message(id: bytes, wish: Upstream) -> bytes:
    flags = (header.RD if wish.recursion_desired else 0) | (
        header.CD if wish.checking_disabled else 0
    )
    record = opt(wish.payload, wish.dnssec_ok) if wish.payload else b""
    return reply.ask(id, wish.question, flags, record)


def _same(one: Question | None, other: Question) -> bool:
    return one is not None and one.type == other.type and folded(one.name) == folded(other.name)
