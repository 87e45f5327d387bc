"""One HTTP/2 connection on which gRPC calls are made; RFC 9113.

h2 keeps the protocol, this keeps the calls: as many streams as the other side allows, flow control
of both directions, resets, GOAWAY.
"""

import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from h2 import config, errors, events, exceptions, settings
from h2.connection import H2Connection

from kubehop.sandbox.cri.status import GrpcError, reset
from kubehop.sandbox.cri.unary import Answer, framed, request_headers

_STREAM_WINDOW = 1 << 20
_WINDOW = 8 << 20
"""Octets that may be on their way to us: lists and statuses come without waiting for our leave."""
_MOST_STREAMS = 200
_MOST_OCTETS = 256 << 20
"""Octets for one `ask` together: what a server may make us hold."""
_TRIES = 3
"""Of a call that the other side refuses to begin although there is no other."""
_READ = 1 << 18
_WRITE_AFTER = 4
"""Calls, so that the other side works on these while we write the next."""

_CONFIG = config.H2Configuration(
    client_side=True,
    header_encoding=None,
    validate_outbound_headers=False,  # ours are constants, and this takes a third of the time
    normalize_outbound_headers=False,
)


class LostError(Exception):
    """The connection has ended or broken; calls without an answer may be asked on another."""


class Call:
    """A call and, in the end, its answer."""

    __slots__ = ("answer", "coming", "method", "request", "tries", "unsent")

    def __init__(self, method: str, message: bytes) -> None:
        self.method = method
        self.request = framed(message)
        self.answer: bytes | GrpcError | None = None
        self.tries = 0
        self.start()

    def start(self) -> None:
        """Forget what came of an earlier try."""
        self.unsent = self.request
        self.coming = Answer()


class Connection:
    """Speaks HTTP/2 on a connected `sock`, which it owns."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._open: dict[int, Call] = {}
        self._waiting: deque[Call] = deque()
        self._settled = False
        self._most = _MOST_STREAMS
        self._octets = 0
        self._deadline = self._timeout = 0.0
        self._h2 = H2Connection(_CONFIG)
        self._h2.local_settings = settings.Settings(
            client=True,
            initial_values={
                settings.SettingCodes.ENABLE_PUSH: 0,
                settings.SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                settings.SettingCodes.MAX_HEADER_LIST_SIZE: 1 << 16,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)

    def close(self) -> None:
        """Say good-bye, if that can be said at once."""
        with suppress(OSError, exceptions.H2Error):
            self._sock.setblocking(False)
            self._h2.close_connection()
            self._sock.send(self._h2.data_to_send())
        self._sock.close()

    def ask(self, calls: deque[Call], deadline: float) -> None:
        """Answer all `calls`, whose answers are None. Raises LostError, and TimeoutError."""
        self._waiting, self._deadline, self._octets = calls, deadline, 0
        self._timeout = self._left()  # one for all: equal headers take an octet each
        try:
            while self._waiting or self._open:
                self._begin()
                self._write()
                self._read()
        except (exceptions.H2Error, ConnectionError) as error:
            raise LostError(f"the connection broke: {error}") from error

    def _begin(self) -> None:
        """Start what may be started; how many, only the other side's first SETTINGS tell."""
        while self._settled and self._waiting and len(self._open) < self._allowed():
            call = self._waiting.popleft()
            call.tries += 1
            call.start()
            stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream, request_headers(call.method, self._timeout))
            self._open[stream] = call
            self._send(stream, call)
            if len(self._open) % _WRITE_AFTER == 0:
                self._write()

    def _allowed(self) -> int:
        return min(self._most, self._h2.remote_settings.max_concurrent_streams)

    def _send(self, stream: int, call: Call) -> None:
        """As much of the request as the other side's window takes."""
        while call.unsent:
            room = self._h2.local_flow_control_window(stream)
            size = min(room, self._h2.max_outbound_frame_size, len(call.unsent))
            if size <= 0:
                return
            part, call.unsent = call.unsent[:size], call.unsent[size:]
            self._h2.send_data(stream, part, end_stream=not call.unsent)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _write(self) -> None:
        if data := self._h2.data_to_send():
            self._sock.settimeout(self._left())
            self._sock.sendall(data)

    def _read(self) -> None:
        if not (self._waiting or self._open):
            return
        self._sock.settimeout(self._left())
        data = self._sock.recv(_READ)
        if not data:
            raise LostError("the other side closed the connection")
        for event in self._h2.receive_data(data):
            if handle := self._HANDLE.get(type(event)):
                handle(self, event)

    def _on_settings(self, event: events.RemoteSettingsChanged) -> None:
        self._settled = True
        self._on_window(event)

    def _on_window(self, event: object) -> None:
        for stream, call in self._open.items():
            self._send(stream, call)

    def _on_headers(self, event: events.ResponseReceived | events.TrailersReceived) -> None:
        if call := self._open.get(event.stream_id or 0):
            call.coming.headers(event.headers or [])

    def _on_data(self, event: events.DataReceived) -> None:
        stream, data = event.stream_id or 0, event.data or b""
        self._octets += len(data)
        if self._octets > _MOST_OCTETS:
            raise LostError(f"more than {_MOST_OCTETS} octets of answers")
        self._h2.acknowledge_received_data(event.flow_controlled_length or 0, stream)
        if call := self._open.get(stream):
            try:
                call.coming.data(data)
            except GrpcError as error:
                self._give_up(stream, error)

    def _give_up(self, stream: int, error: GrpcError) -> None:
        self._open.pop(stream).answer = error
        with suppress(exceptions.StreamClosedError):
            self._h2.reset_stream(stream, errors.ErrorCodes.CANCEL)

    def _on_end(self, event: events.StreamEnded) -> None:
        if call := self._open.pop(event.stream_id or 0, None):
            call.answer = call.coming.result()

    def _on_reset(self, event: events.StreamReset) -> None:
        call = self._open.pop(event.stream_id or 0, None)
        if call is None:
            return
        refused = event.error_code == errors.ErrorCodes.REFUSED_STREAM
        if refused and self._open:
            self._most = len(self._open)  # it takes no more than these; so this comes to an end
            call.tries = 0
            self._waiting.append(call)
        elif refused and call.tries < _TRIES:
            self._waiting.append(call)
        else:
            call.answer = reset(int(event.error_code or 0))

    def _on_goaway(self, event: events.ConnectionTerminated) -> None:
        """h2 takes nothing more after GOAWAY, so what is under way is asked again elsewhere."""
        raise LostError(f"the other side ended the connection with code {event.error_code}")

    _HANDLE: ClassVar[dict[type, Callable[..., Any]]] = {
        events.RemoteSettingsChanged: _on_settings,
        events.WindowUpdated: _on_window,
        events.ResponseReceived: _on_headers,
        events.TrailersReceived: _on_headers,
        events.DataReceived: _on_data,
        events.StreamEnded: _on_end,
        events.StreamReset: _on_reset,
        events.ConnectionTerminated: _on_goaway,
    }
