"""gRPC unary calls over HTTP/2 on a unix socket: many calls at once on one connection.

Every call here only reads, so that one whose answer was lost is simply asked again.
"""

import socket
import time
from collections import deque
from collections.abc import Sequence

from kubehop.sandbox.cri.connection import Call, Connection, LostError
from kubehop.sandbox.cri.status import Code, GrpcError
from kubehop.sandbox.values import SourceError

TIMEOUT = 10.0
"""Seconds for all calls that are made at once."""
_CONNECTIONS = 3
"""That may be lost before it is believed: one idle too long, one of a runtime that restarts."""

_WHY = {
    FileNotFoundError: "no such socket",
    NotADirectoryError: "no such socket",
    ConnectionRefusedError: "nobody listens there",
    BlockingIOError: "too many wait for it already",
    TimeoutError: "does not accept",
}


class Channel:
    """A connection to the gRPC server at a unix socket, made with the first call.

    For one thread. Each method raises SourceError if the socket cannot be connected to, with
    `needs="root"` where permission is missing.
    """

    def __init__(self, path: str, timeout: float = TIMEOUT) -> None:
        self.path = path
        self._timeout = timeout
        self._connection: Connection | None = None

    def call(self, method: str, message: bytes) -> bytes:
        """The answer of `method` ("/package.Service/Method"). Raises GrpcError."""
        (answer,) = self.calls(method, [message])
        if isinstance(answer, GrpcError):
            raise answer
        return answer

    def calls(self, method: str, messages: Sequence[bytes]) -> list[bytes | GrpcError]:
        """The answers to all `messages`, asked at once, in their order."""
        return self.batch([(method, message) for message in messages])

    def batch(self, requests: Sequence[tuple[str, bytes]]) -> list[bytes | GrpcError]:
        """As `calls`, each with a method of its own."""
        calls = [Call(method, message) for method, message in requests]
        deadline = time.monotonic() + self._timeout
        try:
            self._answer(calls, deadline)
        except TimeoutError:
            self.close()
        late = GrpcError(Code.DEADLINE_EXCEEDED, f"no answer within {self._timeout:g} s")
        return [late if call.answer is None else call.answer for call in calls]

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answer(self, calls: Sequence[Call], deadline: float) -> None:
        """Until every call has its answer. Raises TimeoutError at `deadline`."""
        lost = 0
        while waiting := deque(call for call in calls if call.answer is None):
            if self._connection is None:
                self._connection = Connection(self._connect(deadline))
            try:
                self._connection.ask(waiting, deadline)
            except LostError as error:
                self.close()
                lost += 1
                if lost == _CONNECTIONS:
                    _all_lost(calls, str(error))

    def _connect(self, deadline: float) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            sock.connect(self.path)
        except OSError as error:
            sock.close()
            raise self._cannot(error) from error
        return sock

    def _cannot(self, error: OSError) -> SourceError:
        if isinstance(error, PermissionError):
            return SourceError(f"{self.path}: permission denied", needs="root")
        why = _WHY.get(type(error), error.strerror or str(error))
        return SourceError(f"{self.path}: {why}")


def _all_lost(calls: Sequence[Call], why: str) -> None:
    for call in calls:
        if call.answer is None:
            call.answer = GrpcError(Code.UNAVAILABLE, why)
