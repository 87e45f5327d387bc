"""The HTTP side: health, readiness and metrics. GET only, one request a connection."""

import socket
from collections.abc import Callable, Mapping

from kubehop.dnsserver.loop import READ, WRITE, Loop

MOST_REQUEST = 8 << 10
MOST_CONNECTIONS = 64
PATIENCE = 5.0
"""Seconds from accepting a connection to closing it, whatever the client does."""

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""Content type of the Prometheus text format, and good for a word."""

Page = Callable[[], tuple[int, str]]
"""Gives a status and a body."""

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 503: "Service Unavailable"}


class HttpListener:
    """A listening socket and the pages by path."""

    def __init__(self, loop: Loop, sock: socket.socket, pages: Mapping[str, Page]) -> None:
        self.loop, self.pages = loop, pages
        self.requests: dict[Request, None] = {}
        self._sock = sock
        loop.watch(sock, READ, self._ready)

    def close(self) -> None:
        self.loop.forget(self._sock)
        self._sock.close()
        for request in tuple(self.requests):
            request.close()

    def _ready(self, _: int) -> None:
        try:
            sock, _address = self._sock.accept()
        except OSError:
            return
        if len(self.requests) >= MOST_CONNECTIONS:
            next(iter(self.requests)).close()
        self.requests[Request(self, sock)] = None


class Request:
    """One connection: a request is read, a page is written, and that is all."""

    def __init__(self, listener: HttpListener, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._listener, self._sock = listener, sock
        self._in, self._out = b"", b""
        self._timer = listener.loop.after(PATIENCE, self.close)
        listener.loop.watch(sock, READ, self._ready)

    def close(self) -> None:
        self._timer.cancel()
        self._listener.requests.pop(self, None)
        self._listener.loop.forget(self._sock)
        self._sock.close()

    def _ready(self, events: int) -> None:
        try:
            if events & READ:
                self._read()
            elif self._out:
                self._out = self._out[self._sock.send(self._out) :]
                if not self._out:
                    self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def _read(self) -> None:
        octets = self._sock.recv(MOST_REQUEST)
        self._in += octets
        if b"\r\n\r\n" in self._in:
            self._out = _response(*self._page())
            self._listener.loop.watch(self._sock, WRITE, self._ready)
        elif not octets or len(self._in) >= MOST_REQUEST:
            self.close()

    def _page(self) -> tuple[int, str]:
        words = self._in.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or words[0] != "GET":
            return 400, "GET only\n"
        page = self._listener.pages.get(words[1].partition("?")[0])
        return page() if page else (404, "404 page not found\n")


def _response(status: int, body: str) -> bytes:
    octets = body.encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {TEXT}\r\n"
        f"Content-Length: {len(octets)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + octets
