"""A gRPC server on a unix socket: real HTTP/2, with the bad manners that a test asks for."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from h2 import config, events, exceptions, settings
from h2.connection import H2Connection

from kubehop.sandbox.cri.unary import framed

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    """What a method answers. `message` None is trailers-only; `raw` is a body as it stands."""

    message: bytes | None = b""
    status: int | str | None = 0
    text: str = ""
    raw: bytes | None = None
    http: str = "200"
    reset: int | None = None
    silent: bool = False

    @property
    def trailers(self) -> Headers:
        status = [] if self.status is None else [("grpc-status", str(self.status))]
        return [*status, *([("grpc-message", self.text)] if self.text else [])]

    @property
    def body(self) -> bytes | None:
        if self.raw is not None:
            return self.raw
        return None if self.message is None else framed(self.message)


@dataclass
class Manners:
    """How the server behaves beside its answers."""

    most_streams: int | None = None
    enforce_streams: int | None = None  # refuses more than these without having said so
    window: int | None = None
    goaway_after: int | None = None  # answers so many calls on a first connection
    seen: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    connections: int = 0
    most_open: int = 0


Handler = Callable[[str, bytes], Reply]


class Server:
    """Serves each connection in a thread of its own until closed."""

    def __init__(self, path: Path, handle: Handler, manners: Manners) -> None:
        self.handle, self.manners = handle, manners
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept)]
        self._peers: list[socket.socket] = []
        self._threads[0].start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for peer in self._peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.manners.connections += 1
                self._peers.append(peer)
                self._threads.append(threading.Thread(target=self._serve, args=[peer]))
                self._threads[-1].start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, suppress(OSError, exceptions.H2Error):
            _Peer(self, peer, self.manners.connections).run()


class _Peer:
    def __init__(self, server: Server, sock: socket.socket, number: int) -> None:
        self.server, self.sock, self.number = server, sock, number
        self.requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        self.unsent: dict[int, tuple[bytes, Headers]] = {}
        self.answered = 0
        self.h2 = H2Connection(config.H2Configuration(client_side=False, header_encoding="utf-8"))
        values = {
            settings.SettingCodes.MAX_CONCURRENT_STREAMS: server.manners.most_streams,
            settings.SettingCodes.INITIAL_WINDOW_SIZE: server.manners.window,
        }
        self.h2.local_settings = settings.Settings(
            client=False,
            initial_values={code: value for code, value in values.items() if value is not None},
        )
        self.h2.initiate_connection()

    def run(self) -> None:
        self.sock.sendall(self.h2.data_to_send())
        while data := self.sock.recv(65536):
            for event in self.h2.receive_data(data):
                if not self.took(event):
                    self.sock.sendall(self.h2.data_to_send())
                    return
            self.send()
            self.sock.sendall(self.h2.data_to_send())

    def took(self, event: events.Event) -> bool:
        match event:
            case events.RequestReceived():
                self.began(event)
            case events.DataReceived() if event.stream_id in self.requests:
                assert event.stream_id is not None
                assert event.data is not None
                self.requests[event.stream_id][1].extend(event.data)
                self.h2.acknowledge_received_data(
                    event.flow_controlled_length or 0, event.stream_id
                )
            case events.StreamEnded() if event.stream_id in self.requests:
                assert event.stream_id is not None
                return self.ended(event.stream_id)
            case events.StreamReset():
                self.unsent.pop(event.stream_id or 0, None)
        return True

    def began(self, event: events.RequestReceived) -> None:
        manners, stream = self.server.manners, event.stream_id
        assert stream is not None
        manners.most_open = max(manners.most_open, len(self.requests) + 1)
        if manners.enforce_streams is not None and len(self.requests) >= manners.enforce_streams:
            self.h2.reset_stream(stream, 7)
            return
        headers = dict(event.headers or [])
        self.requests[stream] = ({str(k): str(v) for k, v in headers.items()}, bytearray())

    def ended(self, stream: int) -> bool:
        headers, body = self.requests.pop(stream)
        manners = self.server.manners
        if self.number == 1 and self.answered == manners.goaway_after:
            self.h2.close_connection(last_stream_id=stream - 2)
            return False
        self.answered += 1
        message = bytes(body[5:])
        manners.seen.append((headers[":path"], message, headers))
        self.reply(stream, self.server.handle(headers[":path"], message))
        return True

    def reply(self, stream: int, reply: Reply) -> None:
        if reply.silent:
            return
        if reply.reset is not None:
            self.h2.reset_stream(stream, reply.reset)
            return
        start = [(":status", reply.http), ("content-type", "application/grpc")]
        if reply.body is None:
            self.h2.send_headers(stream, [*start, *reply.trailers], end_stream=True)
            return
        self.h2.send_headers(stream, start)
        self.unsent[stream] = reply.body, reply.trailers

    def send(self) -> None:
        for stream in list(self.unsent):
            body, trailers = self.unsent[stream]
            while body:
                room = self.h2.local_flow_control_window(stream)
                size = min(room, self.h2.max_outbound_frame_size, len(body))
                if size <= 0:
                    break
                part, body = body[:size], body[size:]
                self.h2.send_data(stream, part, end_stream=not body and not trailers)
            self.unsent[stream] = body, trailers
            if not body:
                del self.unsent[stream]
                if trailers:
                    self.h2.send_headers(stream, trailers, end_stream=True)


@contextmanager
def serving(path: Path, handle: Handler, manners: Manners | None = None) -> Iterator[Manners]:
    """A server at `path` as long as the context lasts."""
    manners = manners or Manners()
    server = Server(path, handle, manners)
    try:
        yield manners
    finally:
        server.close()
