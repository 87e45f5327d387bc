"""Queries over TCP (RFC 7766): pipelined, and nobody waits for a client that is slow."""

import socket

from kubehop.dns.wire import header
from kubehop.dnsserver.loop import READ, WRITE, Loop
from kubehop.dnsserver.responder import Responder
from kubehop.dnsserver.tally import Tally
from kubehop.dnsserver.values import Client, Send

MOST_CONNECTIONS = 256
"""Open at once; one more closes the one that has been idle longest."""
IDLE_SECONDS = 10.0
"""A connection is closed after so long without a whole query or a reply that it takes."""
CHUNK = 16 << 10
MOST_UNSENT = 128 << 10
"""Octets of replies that may wait for a client; until it reads, no more queries are read."""
TRUNCATED = header.TC >> 8
"""In the first octet of the flags: a reply that was cut for UDP."""


class TcpListener:
    """A listening socket and its connections, the one that has been idle longest first."""

    def __init__(self, loop: Loop, sock: socket.socket, responder: Responder, tally: Tally) -> None:
        self.loop, self.responder, self.tally = loop, responder, tally
        self.connections: dict[Connection, None] = {}
        self._sock = sock
        loop.watch(sock, READ, self._ready)
        self._timer = loop.after(IDLE_SECONDS, self._sweep)

    def close(self) -> None:
        self._timer.cancel()
        self.loop.forget(self._sock)
        self._sock.close()
        for connection in tuple(self.connections):
            connection.close()

    def respond(self, message: bytes, client: Client, send: Send) -> None:
        """Answer a query, at once if the table has the whole reply."""
        responder = self.responder
        found = None if responder.log else responder.table.replies.get(message[2:])
        if found is None or found[0][0] & TRUNCATED:
            responder.respond(message, client, send)
            return
        reply, kind = found
        self.tally.hits[kind] += 1
        self.tally.octets += 2 + len(reply)
        send(message[:2] + reply)

    def _ready(self, _: int) -> None:
        try:
            sock, address = self._sock.accept()
        except BlockingIOError:
            return
        except OSError:  # gone already, or out of sockets: then room is made for the next
            self._close_oldest()
            return
        if len(self.connections) >= MOST_CONNECTIONS:
            self._close_oldest()
        connection = Connection(self, sock, address[0], address[1])
        self.connections[connection] = None

    def _close_oldest(self) -> None:
        for connection in self.connections:
            connection.close()
            return

    def _sweep(self) -> None:
        """Close what has been idle too long, and come back when the next one may have."""
        now = self.loop.now()
        for connection in tuple(self.connections):
            if now < connection.active + IDLE_SECONDS:
                break
            connection.close()
        oldest = next(iter(self.connections), None)
        self._timer = self.loop.at((oldest.active if oldest else now) + IDLE_SECONDS, self._sweep)


class Connection:
    """A client. What it may make the server hold is bounded in both directions."""

    __slots__ = ("_busy", "_client", "_in", "_listener", "_out", "_sock", "active", "closed")

    def __init__(self, listener: TcpListener, sock: socket.socket, host: str, port: int) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._listener, self._sock = listener, sock
        self._client = Client(host, port, "tcp", listener.tally)
        self._in, self._out = bytearray(), bytearray()
        self._busy = False
        self.active, self.closed = listener.loop.now(), False
        self._watch()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            del self._listener.connections[self]
            self._listener.loop.forget(self._sock)
            self._sock.close()

    def _watch(self) -> None:
        """Read only when all queries are answered, and there is room for more replies."""
        more = self._query_end() > 0
        reads = not more and len(self._out) < MOST_UNSENT
        events = (READ if reads else 0) | (WRITE if more or self._out else 0)
        self._listener.loop.watch(self._sock, events, self._ready)

    def _query_end(self, begin: int = 0) -> int:
        """Where the query ends that begins there, 0 if not all of it has come."""
        body = begin + 2
        end = body + int.from_bytes(self._in[begin:body], "big")
        return end if len(self._in) >= max(body, end) else 0

    def _ready(self, events: int) -> None:
        try:
            if events & READ:
                self._read()
            else:
                self._flush()
                self._answer()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def _read(self) -> None:
        octets = self._sock.recv(CHUNK)
        if not octets:
            self.close()  # what still waits for upstreams is not answered, as by CoreDNS
            return
        self._in += octets
        self._answer()

    def _answer(self) -> None:
        """Answer each whole query that has come, while there is room; send all replies at once."""
        begin, self._busy = 0, True
        while len(self._out) < MOST_UNSENT and (end := self._query_end(begin)):
            message = bytes(self._in[begin + 2 : end])
            begin = end
            self._used()
            self._listener.respond(message, self._client, self._send)
        del self._in[:begin]
        self._busy = False
        self._deliver()

    def _send(self, octets: bytes) -> None:
        """Queue a reply; nothing if the client has left."""
        if not self.closed:
            self._out += len(octets).to_bytes(2, "big") + octets
            if not self._busy:
                self._deliver()

    def _deliver(self) -> None:
        """Send what can be sent, and wait for what is next."""
        try:
            self._flush()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        self._watch()

    def _flush(self) -> None:
        while self._out:
            sent = self._sock.send(self._out)
            del self._out[:sent]
            self._used()

    def _used(self) -> None:
        """Not idle: go to the end of the line."""
        connections = self._listener.connections
        self.active = self._listener.loop.now()
        del connections[self]
        connections[self] = None
