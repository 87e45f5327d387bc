"""TCP: listening sockets, and the connections to all of them."""

import socket
from contextlib import suppress

from kubehop.dnsserver.loop import READ, WRITE, Loop
from kubehop.dnsserver.peers import Address
from kubehop.lab.plan.values import Listener
from kubehop.lab.servers.answers import Ends, respond
from kubehop.lab.servers.requests import Refusal, Request, Requests
from kubehop.model.addresses import socket_address

MOST_CONNECTIONS = 8000
"""Open at once, to all listeners; one more closes the one that has been idle longest."""
IDLE_SECONDS = 30.0
"""A connection is closed after so long without a request, or an answer that it takes."""
DRAIN_SECONDS = 2.0
"""How long what a client still sends is thrown away after the last answer: closing at once
would reset the connection, and the answer might be lost with it (RFC 9112 9.6)."""
ACCEPTED = 64
"""Connections of one listener that are taken before others get their turn."""
PAUSE = 0.05
"""Seconds until the next try of a listener after one that failed."""
CHUNK = 16 << 10
MOST_UNSENT = 64 << 10
"""Octets of answers that may wait for a client; until it reads, no more requests are read."""


class Connections:
    """All connections, the one that has been idle longest first."""

    def __init__(self, loop: Loop, most: int = MOST_CONNECTIONS) -> None:
        self.loop = loop
        self.open: dict[Connection, None] = {}
        self._most = most
        self._timer = loop.after(IDLE_SECONDS, self._sweep)

    def add(self, sock: socket.socket, peer: Address, owner: "Acceptor") -> None:
        """Serve a new connection."""
        if len(self.open) >= self._most:
            self.close_oldest()
        connection = Connection(self, sock, peer, owner)
        self.open[connection] = None
        owner.connections.add(connection)
        connection.begin()

    def used(self, connection: "Connection") -> None:
        """It is not idle: to the end of the line."""
        connection.active = self.loop.now()
        del self.open[connection]
        self.open[connection] = None

    def close_oldest(self) -> None:
        """Make room; nothing if there are none."""
        for connection in self.open:
            connection.close()
            return

    def close(self) -> None:
        self._timer.cancel()
        for connection in tuple(self.open):
            connection.close()

    def _sweep(self) -> None:
        """Close what has been idle too long, and come back when the next one may have."""
        now = self.loop.now()
        while self.open and now >= next(iter(self.open)).active + IDLE_SECONDS:
            self.close_oldest()
        first = next(iter(self.open)).active if self.open else now
        self._timer = self.loop.at(first + IDLE_SECONDS, self._sweep)


class Acceptor:
    """A listening socket; `listener` says who answers there, and may be replaced."""

    __slots__ = ("_all", "_sock", "connections", "listener")

    def __init__(self, all: Connections, sock: socket.socket, listener: Listener) -> None:
        self._all, self._sock, self.listener = all, sock, listener
        self.connections: set[Connection] = set()

    def watch(self) -> None:
        """Begin to answer, or go on after a pause."""
        if self._sock.fileno() >= 0:
            self._all.loop.watch(self._sock, READ, self._ready)

    def close(self) -> None:
        """Refuse from now on; connections end with it, as those of a program that ends."""
        self._all.loop.forget(self._sock)
        self._sock.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connections."""
        for connection in tuple(self.connections):
            connection.close()

    def _ready(self, _: int) -> None:
        try:
            for _ in range(ACCEPTED):
                self._all.add(*self._sock.accept(), self)
        except BlockingIOError:
            pass
        except OSError:  # gone already, or out of sockets: then room is made
            self._all.close_oldest()
            # Not at once: there may have been none to close.
            self._all.loop.forget(self._sock)
            self._all.loop.after(PAUSE, self.watch)


class Connection:
    """A client. What it may make the server hold is bounded in both directions."""

    __slots__ = (
        "_all",
        "_ends",
        "_last",
        "_out",
        "_owner",
        "_requests",
        "_sock",
        "active",
        "closed",
    )

    def __init__(
        self, all: Connections, sock: socket.socket, peer: Address, owner: Acceptor
    ) -> None:
        sock.setblocking(False)
        self._all, self._sock, self._owner = all, sock, owner
        local = sock.getsockname()
        self._ends = Ends(socket_address(*local[:2]), socket_address(*peer[:2]))
        self._requests, self._out = Requests(), b""
        self._last = False
        """True once the last answer is on its way: what comes then is thrown away."""
        self.active, self.closed = all.loop.now(), False

    def begin(self) -> None:
        """Read what may have come already, and then whatever comes."""
        self._all.loop.watch(self._sock, READ, self._ready)
        self._ready(READ)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._all.open.pop(self, None)
            self._owner.connections.discard(self)
            self._all.loop.forget(self._sock)
            self._sock.close()

    def _ready(self, events: int) -> None:
        try:
            if events & WRITE:
                self._flush()
            elif self._last:
                self._throw_away()
            else:
                self._read()
        except BlockingIOError:
            pass
        except OSError:  # the other side is gone
            self.close()

    def _read(self) -> None:
        octets = self._sock.recv(CHUNK)
        if not octets:
            self.close()
            return
        self._requests.feed(octets)
        self._answer()
        self._flush()

    def _answer(self) -> None:
        """Answer the requests that have come, while there is room."""
        answers = [self._out]
        size = len(self._out)
        while not self._last and size < MOST_UNSENT and (asked := self._requests.next()):
            self._all.used(self)
            answers.append(self._answer_to(asked))
            size += len(answers[-1])
        self._out = b"".join(answers)

    def _answer_to(self, asked: Request | Refusal) -> bytes:
        response = respond(self._owner.listener, asked, self._ends)
        keep, method = False, ""
        if isinstance(asked, Request):
            keep, method = asked.keep and asked.method != "CONNECT", asked.method
        self._last = not keep
        return response.octets(method, keep)

    def _flush(self) -> None:
        """Send what can be sent; then go on with what is next."""
        while self._out:
            try:
                sent = self._sock.send(self._out)
            except BlockingIOError:
                self._all.loop.watch(self._sock, WRITE, self._ready)
                return
            self._all.used(self)
            self._out = self._out[sent:]
            if not self._out and not self._last:
                self._answer()
        self._all.loop.watch(self._sock, READ, self._ready)
        if self._last:
            self._end()

    def _end(self) -> None:
        """All is said. Most clients have said all as well; the others are heard out."""
        self._sock.shutdown(socket.SHUT_WR)
        with suppress(BlockingIOError):
            self._throw_away()
        if not self.closed:
            self._all.loop.after(DRAIN_SECONDS, self.close)

    def _throw_away(self) -> None:
        if not self._sock.recv(CHUNK):
            self.close()
