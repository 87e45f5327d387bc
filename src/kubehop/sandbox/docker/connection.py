"""GET over a unix socket, on one connection that is kept."""

import os
import socket
import time
from typing import Self

from kubehop.model.errors import printable
from kubehop.sandbox.docker.http1 import Answer, Incoming, MalformedError, read_answer
from kubehop.sandbox.values import SourceError

SECONDS = 5.0
"""For one answer, however it trickles in."""
NEEDS = "root, or membership of the group docker"
_PATH_LIMIT = 107
"""Octets of a socket's address, without the NUL."""
_PIECE = 1 << 18


class Connection:
    """To the daemon at `socket_path`, made when it is needed."""

    def __init__(self, socket_path: str) -> None:
        self._path = socket_path
        self._live: _Live | None = None

    def get(self, target: str) -> Answer:
        """`target` is a path of the API, in ASCII without spaces. Raises SourceError."""
        try:
            return self._got(target)
        except PermissionError as error:
            self.close()
            raise SourceError(f"{self._path}: {error.strerror}", NEEDS) from error
        except TimeoutError as error:
            self.close()
            raise SourceError(f"{self._path}: no answer in {SECONDS:g} s") from error
        except (OSError, MalformedError) as error:
            self.close()
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SourceError(f"{self._path}: GET {target}: {printable(why)}") from error

    def _got(self, target: str) -> Answer:
        """Once more on a new connection if the daemon has closed the one that was kept."""
        if self._live:
            try:
                return self._asked(self._live, target)
            except _ClosedError:
                self.close()
        self._live = _Live.to(self._path)
        try:
            return self._asked(self._live, target)
        except _ClosedError:
            raise MalformedError("it hangs up") from None

    def _asked(self, live: "_Live", target: str) -> Answer:
        answer = live.ask(target, time.monotonic() + SECONDS)
        if not answer.keeps:
            self.close()
        return answer

    def close(self) -> None:
        """Again is no harm."""
        if self._live:
            self._live.close()
            self._live = None


class _ClosedError(Exception):
    """The other side had hung up before it was asked."""


class _Live:
    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._deadline = sock, 0.0
        self._begun = False
        self._incoming = Incoming(self._more)

    @classmethod
    def to(cls, path: str) -> Self:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(SECONDS)
            _connect(sock, path)
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    def ask(self, target: str, deadline: float) -> Answer:
        if not self._incoming.is_empty:
            raise MalformedError("it says more than it was asked")
        self._deadline, self._begun = deadline, False
        self._sock.settimeout(max(0.001, deadline - time.monotonic()))
        request = f"GET {target} HTTP/1.1\r\nHost: docker\r\nUser-Agent: kubehop\r\n\r\n"
        try:
            self._sock.sendall(request.encode("ascii"))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _ClosedError from error
        return read_answer(self._incoming)

    def _more(self) -> bytes:
        self._sock.settimeout(max(0.001, self._deadline - time.monotonic()))
        try:
            found = self._sock.recv(_PIECE)
        except ConnectionResetError as error:
            if self._begun:
                raise
            raise _ClosedError from error
        if not found and not self._begun:
            raise _ClosedError
        if time.monotonic() > self._deadline:
            raise TimeoutError
        self._begun = True
        return found

    def close(self) -> None:
        self._sock.close()


def _connect(sock: socket.socket, path: str) -> None:
    """Also to a path that is longer than a socket's address may be."""
    if len(os.fsencode(path)) <= _PATH_LIMIT:
        sock.connect(path)
        return
    folder, name = os.path.split(path)
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sock.connect(f"/proc/self/fd/{fd}/{name}")
    finally:
        os.close(fd)
