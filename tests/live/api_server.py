"""A small API server: recorded lists over real HTTP(S), with faults that a test switches on."""

import json
import socket
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
Fault = Callable[["Handler"], None]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: Message
    peer: str = ""
    """Common name of the client certificate."""


@dataclass
class Cluster:
    """What the server serves and what it was asked.

    `lists`, `objects` and faults go by path; `kinds` has a list's kind and apiVersion.
    `next_faults` answer one request each, before `faults` and the recorded lists do.
    """

    lists: dict[str, list[Json]] = field(default_factory=dict)
    kinds: dict[str, tuple[str, str]] = field(default_factory=dict)
    objects: dict[str, Json] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    next_faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    close: threading.Event = field(default_factory=threading.Event)

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def fault_for(self, path: str) -> Fault | None:
        if self.next_faults[path]:
            return self.next_faults[path].popleft()
        return self.faults.get(path) or self.faults.get("*")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10  # a client that leaks a connection fails its test, it does not block it
    cluster: Cluster

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(target.query).items()}
        self.request_seen = Request(
            self.command, target.path, query, self.headers, _peer(self.connection)
        )
        self.cluster.requests.append(self.request_seen)
        fault = self.cluster.fault_for(target.path)
        if fault:
            fault(self)
        else:
            self.serve()

    def serve(self) -> None:
        path = self.request_seen.path
        if path in self.cluster.objects:
            self.answer(self.cluster.objects[path])
        elif path in self.cluster.lists:
            self.answer(self.page(self.cluster.lists[path]))
        else:
            status(404)(self)

    def page(self, items: list[Json]) -> Json:
        """The page that `limit` and `continue` ask for; a token is the next index."""
        start = int(self.request_seen.query.get("continue", 0))
        end = start + int(self.request_seen.query.get("limit", len(items) or 1))
        metadata = {"resourceVersion": "1"}
        if end < len(items):
            metadata["continue"] = str(end)
        kind, version = self.cluster.kinds.get(self.request_seen.path, ("List", "v1"))
        return {
            "kind": kind,
            "apiVersion": version,
            "metadata": metadata,
            "items": items[start:end],
        }

    def answer(self, body: Json, code: int = 200, **headers: str) -> None:
        self.answer_bytes(json.dumps(body).encode(), code, **headers)

    def answer_bytes(
        self, body: bytes, code: int = 200, kind: str = "application/json", **headers: str
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


for verb in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):  # seen too, so that a test can object
    setattr(Handler, f"do_{verb}", Handler.do_GET)


def _peer(connection: socket.socket) -> str:
    if not isinstance(connection, ssl.SSLSocket):
        return ""
    subject: Any = (connection.getpeercert() or {}).get("subject", ())
    return next((value for part in subject for key, value in part if key == "commonName"), "")


def status(code: int, message: str = "as told", **headers: str) -> Fault:
    """Answer with a metav1.Status."""

    def fault(handler: Handler) -> None:
        body = {"kind": "Status", "status": "Failure", "code": code, "message": message}
        handler.answer(body, code, **headers)

    return fault


def answer(body: bytes, kind: str = "application/json", code: int = 200) -> Fault:
    """Answer 200 with bytes of one's own."""
    return lambda handler: handler.answer_bytes(body, code, kind)


def drop(handler: Handler) -> None:
    """Hang up without an answer."""
    handler.close_connection = True


def drop_in_body(handler: Handler) -> None:
    """Hang up after half of what was announced."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"items":[')
    handler.close_connection = True


def cut_body(handler: Handler) -> None:
    """Hang up in the middle of a body whose length was not announced."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(b'{"kind":"List","apiVersion":"v1","items":[')
    handler.close_connection = True


def hang(handler: Handler) -> None:
    """Say nothing until the test is over."""
    handler.cluster.close.wait(30)
    handler.close_connection = True


class _Server(ThreadingHTTPServer):
    block_on_close = True
    daemon_threads = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many tests are about."""


def _wait_for_clients() -> None:
    """A failed fetch does not wait for its threads; a server that leaves before they do resets
    them in the middle of a handshake, and ssl then forgets to close the socket."""
    for thread in threading.enumerate():
        if thread.name == "kubehop-fetch":
            thread.join(10)


@contextmanager
def serving(
    cluster: Cluster,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
    kind: type[Handler] = Handler,
) -> Iterator[Cluster]:
    """Serve `cluster` on a port of the loopback, any free one by default; its `url` says where."""
    handler = type("BoundHandler", (kind,), {"cluster": cluster})
    with _Server(("127.0.0.1", port), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        cluster.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield cluster
        finally:
            cluster.close.set()
            _wait_for_clients()
            server.shutdown()
            thread.join()
