"""A resource of the API server whose lists and watches agree, with faults in its watches."""

import json
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.live import recorded
from tests.live.api_server import Cluster, Fault, Handler, Json

NAMESPACES = "/api/v1/namespaces"
CONFIG_MAPS = "/api/v1/namespaces/kube-system/configmaps"

Key = tuple[str, str]
Then = Callable[[Handler], None]


class Watched:
    """Objects by (namespace, name), and everything that ever happened to them.

    `next_lists` and `next_watches` answer one request each before the truth does.
    """

    def __init__(self, cluster: Cluster, path: str, kind: str, api_version: str = "v1") -> None:
        self.path, self.kind, self.api_version = path, kind, api_version
        self.cluster = cluster
        self.changed = threading.Condition()
        self.version = 1
        self.objects: dict[Key, Json] = {}
        self.log: list[tuple[int, bytes]] = []
        self.next_lists: deque[Fault] = deque()
        self.next_watches: deque[Fault] = deque()
        self.generation = 0
        self.forgotten = 0
        self.query: dict[str, str] = {}
        cluster.faults[path] = self.serve

    # What happens in the cluster

    def put(self, name: str, namespace: str = "default", **fields: Any) -> None:
        with self.changed:
            self.version += 1
            key = (namespace, name)
            type_ = "MODIFIED" if key in self.objects else "ADDED"
            metadata = {"name": name, "resourceVersion": str(self.version)}
            if namespace:
                metadata["namespace"] = namespace
            metadata |= fields.pop("metadata", {})
            self.objects[key] = {
                "kind": self.kind,
                "apiVersion": self.api_version,
                "metadata": metadata,
                **fields,
            }
            self._log(type_, self.objects[key])

    def delete(self, name: str, namespace: str = "default") -> None:
        with self.changed:
            self.version += 1
            obj = self.objects.pop((namespace, name))
            obj["metadata"]["resourceVersion"] = str(self.version)
            self._log("DELETED", obj)

    def bookmark(self, version: int) -> None:
        """Tell all watches that they have seen everything up to `version`."""
        with self.changed:
            self.version = version
            self._log("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})

    def say(self, line: bytes) -> None:
        """Put bytes of one's own into the open watches."""
        with self.changed:
            self.log.append((self.version, line))
            self.changed.notify_all()

    def forget(self) -> None:
        """Compact: a watch from a version before now gets 410."""
        with self.changed:
            self.forgotten = self.version

    def hang_up(self) -> None:
        """End all watches as a server that goes down does."""
        with self.changed:
            self.generation += 1
            self.changed.notify_all()

    def _log(self, type_: str, obj: Json) -> None:
        line = json.dumps({"type": type_, "object": obj}).encode() + b"\n"
        self.log.append((self.version, line))
        self.changed.notify_all()

    # How it is served

    def serve(self, handler: Handler) -> None:
        if handler.request_seen.query.get("watch") == "1":
            fault = self.next_watches.popleft() if self.next_watches else self.watch
        else:
            fault = self.next_lists.popleft() if self.next_lists else self.list
        fault(handler)

    def list(self, handler: Handler) -> None:
        """Pages as of the first page: `continue` holds the index and the list itself."""
        query = handler.request_seen.query
        with self.changed:
            items, version = list(self.objects.values()), self.version
            start = int(query.get("continue", 0))
            end = start + int(query.get("limit", len(items) or 1))
            metadata = {"resourceVersion": str(version)}
            if end < len(items):
                metadata["continue"] = str(end)
            body = {
                "kind": f"{self.kind}List",
                "apiVersion": self.api_version,
                "metadata": metadata,
                "items": json.loads(json.dumps(items[start:end])),
            }
        handler.answer(body)

    def watch(self, handler: Handler) -> None:
        self.watch_until(handler, None)

    def watch_until(self, handler: Handler, events: int | None, then: Then | None = None) -> None:
        """Stream; after `events` of them do `then` instead."""
        at = int(handler.request_seen.query["resourceVersion"])
        if at < self.forgotten:
            begin(handler)
            expired(handler)
            return end(handler)
        begin(handler)
        sent, generation = 0, self.generation
        with self.changed:
            position = next((i for i, (v, _) in enumerate(self.log) if v > at), len(self.log))
        while not self.cluster.close.is_set():
            if sent == events and then:
                return then(handler)
            with self.changed:
                if generation != self.generation:
                    break
                if position == len(self.log):
                    self.changed.wait(0.02)
                    continue
                line = self.log[position][1]
            position, sent = position + 1, sent + 1
            chunk(handler, line)
        handler.close_connection = True
        return None


class Api(NamedTuple):
    """What cluster DNS follows."""

    services: Watched
    slices: Watched
    namespaces: Watched
    pods: Watched
    config_maps: Watched


def watched_api(cluster: Cluster) -> Api:
    """Services "web" and "db", their namespace, and a Corefile."""
    made = Api(
        Watched(cluster, recorded.SERVICES, "Service"),
        Watched(cluster, recorded.SLICES, "EndpointSlice", "discovery.k8s.io/v1"),
        Watched(cluster, NAMESPACES, "Namespace"),
        Watched(cluster, recorded.PODS, "Pod"),
        Watched(cluster, CONFIG_MAPS, "ConfigMap"),
    )
    for number, name in enumerate(("web", "db")):
        made.services.put(name, spec={"clusterIP": f"10.43.0.{number}"})
    made.namespaces.put("default", namespace="")
    made.config_maps.put("coredns", "kube-system", data={"Corefile": ".:53 {\n}\n"})
    return made


def begin(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def chunk(handler: Handler, data: bytes) -> None:
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def end(handler: Handler) -> None:
    handler.wfile.write(b"0\r\n\r\n")


def expired(handler: Handler) -> None:
    chunk(handler, error_event(410, "too old resource version"))


def error_event(code: int, message: str) -> bytes:
    status = {"kind": "Status", "code": code, "message": message}
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"


def cut_line(handler: Handler) -> None:
    """Hang up in the middle of a line."""
    chunk(handler, b'{"type":"ADDED","object":{"metadata":{"na')
    handler.close_connection = True


def cut_chunk(handler: Handler) -> None:
    """Hang up in the middle of a chunk."""
    handler.wfile.write(b'400\r\n{"type":"ADDED"')
    handler.close_connection = True
