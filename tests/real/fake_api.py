"""An API server for what cluster DNS reads: lists and watches, objects that change, and refusals.

It speaks JSON to whatever the client accepts, as client-go allows. One resource version counts
for all kinds. Events are kept, so that a watch may start at any version since the last `expire`.
"""

import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.real.selecting import Json, Match, selected

Query = dict[str, str]
Key = tuple[str, str, str]

PATHS = {
    "/api/v1/namespaces": ("Namespace", "v1"),
    "/api/v1/nodes": ("Node", "v1"),
    "/api/v1/pods": ("Pod", "v1"),
    "/api/v1/services": ("Service", "v1"),
    "/api/v1/configmaps": ("ConfigMap", "v1"),
    "/apis/discovery.k8s.io/v1/endpointslices": ("EndpointSlice", "discovery.k8s.io/v1"),
}


class State(Enum):
    """What the server grants."""

    OK = "ok"
    FORBIDDEN = "forbidden"
    NO_SLICES = "noslices"

    def forbids(self, kind: str) -> bool:
        return self is State.FORBIDDEN or (self is State.NO_SLICES and kind == "EndpointSlice")


class Event(NamedTuple):
    """What a change made of an object, and the object that it replaced or removed."""

    version: int
    obj: Json | None
    before: Json | None


@dataclass
class FakeApi:
    """Objects of a cluster, changed while clients watch."""

    state: State = State.OK
    url: str = ""
    _objects: dict[Key, Json] = field(default_factory=dict)
    _events: list[Event] = field(default_factory=list)
    _version: int = 1
    _oldest: int = 1
    _connection_round: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, *objects: Json) -> None:
        """Create or replace; each gets the next resource version."""
        for obj in objects:
            with self._changed:
                self._version += 1
                metadata = {**obj["metadata"], "resourceVersion": str(self._version)}
                fresh = {"apiVersion": _api(obj["kind"]), **obj, "metadata": metadata}
                before = self._objects.get(_key(obj))
                self._objects[_key(obj)] = fresh
                self._note(Event(self._version, fresh, before))

    def delete(self, kind: str, namespace: str, name: str) -> None:
        with self._changed:
            self._version += 1
            before = self._objects.pop((kind, namespace, name))
            self._note(Event(self._version, None, before))

    def expire(self) -> None:
        """Forget all events: a watch from an older version ends with 410 Gone."""
        with self._changed:
            self._events.clear()
            self._oldest = self._version

    def hang_up(self) -> None:
        """End every watch, as an API server does now and then."""
        with self._changed:
            self._connection_round += 1
            self._changed.notify_all()

    def _note(self, event: Event) -> None:
        self._events.append(event)
        self._changed.notify_all()

    def listed(self, kind: str, match: Match) -> tuple[int, list[Json]]:
        """The version and, by namespace and name, the objects that match."""
        with self._changed:
            found = sorted((key, obj) for key, obj in self._objects.items() if key[0] == kind)
            return self._version, [obj for _, obj in found if match(obj)]

    def watched(self, kind: str, match: Match, query: Query) -> Iterator[Json | None]:
        """Events after the version in `query`; None where nothing happens for a second."""
        if query.get("sendInitialEvents") == "true":
            at, found = self.listed(kind, match)
            yield from (_event("ADDED", obj) for obj in found)
            yield _bookmark(kind, at, {"k8s.io/initial-events-end": "true"})
        else:
            at = int(query.get("resourceVersion") or self._version)
        connected = self._connection_round
        while connected == self._connection_round:
            with self._changed:
                gone, fresh = at < self._oldest, [e for e in self._events if e.version > at]
                if not gone and not fresh:
                    self._changed.wait(1)
            if gone:
                yield {"type": "ERROR", "object": _status(410, "Expired", "too old")}
                return
            at = fresh[-1].version if fresh else at
            yield from (_seen(event, match) for event in fresh if _kind(event) == kind)
            if not fresh:
                yield None


def _key(obj: Json) -> Key:
    return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _api(kind: str) -> str:
    return next(api for name, api in PATHS.values() if name == kind)


def _kind(event: Event) -> str:
    return str((event.obj or event.before or {})["kind"])


def _seen(event: Event, match: Match) -> Json | None:
    """The event as a watch with this selector sees it: None if it concerns nothing selected."""
    had = event.before is not None and match(event.before)
    has = event.obj is not None and match(event.obj)
    if event.obj is not None and has:
        return _event("MODIFIED" if had else "ADDED", event.obj)
    if event.before is not None and had:
        metadata = {**event.before["metadata"], "resourceVersion": str(event.version)}
        return _event("DELETED", {**event.before, "metadata": metadata})
    return None


def _event(kind: str, obj: Json) -> Json:
    return {"type": kind, "object": obj}


def _bookmark(kind: str, version: int, annotations: dict[str, str]) -> Json:
    metadata = {"resourceVersion": str(version), "annotations": annotations}
    return _event("BOOKMARK", {"kind": kind, "apiVersion": _api(kind), "metadata": metadata})


def _status(code: int, reason: str, message: str) -> Json:
    what = {"status": "Failure", "code": code, "reason": reason, "message": message}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, **what}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    api: FakeApi

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(target.query).items()}
        if target.path not in PATHS:
            self._answer(404, _status(404, "NotFound", "the server could not find the resource"))
            return
        kind, version = PATHS[target.path]
        match = selected(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        resource = target.path.rsplit("/", 1)[-1]
        if self.api.state.forbids(kind):
            verb = "watch" if "watch" in query else "list"
            message = f'{resource} is forbidden: User "system:anonymous" cannot {verb} resource'
            self._answer(403, _status(403, "Forbidden", message))
        elif query.get("watch") in ("1", "true"):
            self._stream(self.api.watched(kind, match, query))
        else:
            self._answer(200, self._page(kind, version, match, query))

    def _page(self, kind: str, api_version: str, match: Match, query: Query) -> Json:
        version, items = self.api.listed(kind, match)
        start = int(query.get("continue") or 0)
        end = start + int(query.get("limit") or len(items))
        metadata = {"resourceVersion": str(version)}
        if end < len(items):
            metadata["continue"] = str(end)
        listed = {"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata}
        return {**listed, "items": items[start:end]}

    def _answer(self, code: int, body: Json) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events: Iterable[Json | None]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            if event is not None:
                line = json.dumps(event).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle of a watch is what clients do."""


@contextmanager
def fake_api(
    objects: Iterable[Json], state: State = State.OK, listener: socket.socket | None = None
) -> Iterator[FakeApi]:
    """Serve `objects` on a free port of 127.0.0.1, with a `listener` of another namespace there."""
    api = FakeApi(state)
    api.put(*objects)
    handler = type("BoundHandler", (_Handler,), {"api": api})
    with _Server(("127.0.0.1", 0), handler, bind_and_activate=False) as server:
        if listener:
            server.socket.close()
            server.socket = listener
        server.server_bind()
        server.server_activate()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield api
        finally:
            api.hang_up()
            server.shutdown()
            thread.join()
