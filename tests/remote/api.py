"""A small API server that can be changed: rights, exec, ephemeral containers, Jobs, logs.

Every request is authorised by `rights`, as SelfSubjectAccessReviews are answered by them. What a
"container" runs really runs, on this machine, with the programs of its image's folder alone.
"""

import json
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.live.api_server import Cluster, Handler, Json, Request
from tests.remote import websockets

Log = tuple[str, str]
"""Phase of a Job's pod, and its log."""


@dataclass
class Remote(Cluster):
    """`rights` are (verb, resource.group, namespace or "") or everything; None for a resource
    of the rights: any namespace. `images` has folders with programs by container name; `nodes`
    say what a Job on them does."""

    rights: set[tuple[str, str, str]] | None = None
    review: bool = True
    protocols: tuple[str, ...] = ("v5.channel.k8s.io", "v4.channel.k8s.io")
    pods: dict[str, Json] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    nodes: dict[str, Callable[[], Log]] = field(default_factory=dict)
    jobs: dict[str, Json] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    bodies: list[tuple[str, str, Any]] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    pulling: int = 1
    """How often an ephemeral container is seen waiting before it runs."""
    waiting: str = "ContainerCreating"
    executed: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    raw_exec: Callable[["ApiHandler"], None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def may(self, verb: str, resource: str, namespace: str) -> bool:
        return self.rights is None or (verb, resource, namespace) in self.rights


def run_in(image: Path, command: list[str]) -> tuple[bytes, bytes, int | None, str]:
    """stdout, stderr, exit code, or why a runtime could not start it (as runc says it)."""
    program = image / command[0]
    if not program.exists():
        why = f'exec: "{command[0]}": executable file not found in $PATH: unknown'
        return b"", b"", None, f"error executing command in container: {why}"
    done = subprocess.run(
        [str(program), *command[1:]],
        env={"PATH": str(image)},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=20,
        check=False,
    )
    return done.stdout, done.stderr, done.returncode, ""


def exit_status(code: int | None, why: str = "") -> Json:
    """A metav1.Status as remotecommand writes it to channel 3."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    if code is None:
        return {"status": "Failure", "message": why, "reason": "InternalError", "code": 500}
    cause = {"reason": "ExitCode", "message": str(code)}
    return {
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [cause]},
    }


class ApiHandler(Handler):
    cluster: Remote

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body: Any = json.loads(self.rfile.read(length)) if length else {}
        target = urlsplit(self.path)
        self.several = parse_qs(target.query)
        query = {key: values[0] for key, values in self.several.items()}
        self.request_seen = Request(self.command, target.path, query, self.headers)
        with self.cluster.lock:
            self.cluster.requests.append(self.request_seen)
            self.cluster.bodies.append((self.command, target.path, self.body))
        fault = self.cluster.fault_for(target.path)
        if fault:
            fault(self)
        else:
            self.serve()

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def serve(self) -> None:
        parts = self.request_seen.path.strip("/").split("/")
        match (self.command, parts):
            case ("POST", [*_, "selfsubjectaccessreviews"]):
                self.reviewed()
            case (_, ["api", "v1", "nodes", *name]):
                self.authorised(_verb(self.command, name), "nodes", "", self.node, name)
            case ("GET", ["api", "v1", "namespaces", place, "pods", name, "exec"]):
                self.authorised("get", "pods/exec", place, self.exec, f"{place}/{name}")
            case ("GET", ["api", "v1", "namespaces", place, "pods", name, "log"]):
                self.authorised("get", "pods/log", place, self.log, f"{place}/{name}")
            case ("PATCH", ["api", "v1", "namespaces", place, "pods", name, sub]):
                self.authorised("patch", f"pods/{sub}", place, self.patch, f"{place}/{name}")
            case ("GET", ["api", "v1", "namespaces", place, "pods", *name]):
                self.authorised(_verb("GET", name), "pods", place, self.pod, (place, name))
            case (verb, ["apis", "batch", "v1", "namespaces", place, "jobs", *name]):
                named = _verb(verb, name)
                self.authorised(named, "jobs.batch", place, self.job, (place, name))
            case _:
                self.status(404, "the server could not find the requested resource")

    def status(self, code: int, message: str, reason: str = "") -> None:
        body = {"kind": "Status", "status": "Failure", "code": code, "message": message}
        self.answer({**body, "reason": reason}, code)

    def authorised(
        self, verb: str, resource: str, place: str, then: Callable[[Any], None], what: Any
    ) -> None:
        if self.cluster.may(verb, resource, place):
            then(what)
        else:
            self.status(
                403, f'{resource} is forbidden: User "jane" cannot {verb} resource "{resource}"'
            )

    def reviewed(self) -> None:
        if not self.cluster.review:
            self.status(403, "no reviews")
            return
        asked = self.body["spec"]["resourceAttributes"]
        resource = asked["resource"]
        if "subresource" in asked:
            resource += f"/{asked['subresource']}"
        if asked.get("group"):
            resource += f".{asked['group']}"
        allowed = self.cluster.may(asked["verb"], resource, asked.get("namespace", ""))
        self.answer({**self.body, "status": {"allowed": allowed}}, 201)

    def node(self, name: list[str]) -> None:
        if name and name[0] not in self.cluster.nodes:
            self.status(404, "not found")
            return
        items: list[Json] = [{"metadata": {"name": each}} for each in self.cluster.nodes]
        self.answer({"metadata": {"name": name[0]}} if name else self.page(items))

    def pod(self, what: tuple[str, list[str]]) -> None:
        place, name = what
        if name:
            found = self.cluster.pods.get(f"{place}/{name[0]}")
            if found is None:
                self.status(404, "not found")
            else:
                self.answer(_kubelet(self.cluster, found))
            return
        self.answer(self.page(self.selected(place, self.cluster.pods)))

    def selected(self, place: str, objects: dict[str, Json]) -> list[Json]:
        key, _, value = self.request_seen.query.get("labelSelector", "").partition("=")
        return [
            each
            for path, each in objects.items()
            if path.startswith(f"{place}/")
            and (not key or each["metadata"].get("labels", {}).get(key) == value)
        ]

    def log(self, path: str) -> None:
        if path not in self.cluster.logs:
            self.status(400, "container is waiting to start")
            return
        self.answer_bytes(self.cluster.logs[path].encode(), kind="text/plain")

    def patch(self, path: str) -> None:
        assert self.headers["Content-Type"] == "application/strategic-merge-patch+json"
        pod = self.cluster.pods[path]
        added = self.body["spec"]["ephemeralContainers"][0]
        known = pod["spec"].setdefault("ephemeralContainers", [])
        if added["name"] not in [each["name"] for each in known]:
            known.append({**added, "seen": 0})
        self.answer(pod)

    def job(self, what: tuple[str, list[str]]) -> None:
        place, name = what
        jobs = self.cluster.jobs
        if self.command == "POST":
            path = f"{place}/{self.body['metadata']['name']}"
            if path in jobs:
                self.status(409, "already exists")
                return
            jobs[path] = self.body
            _kubelets_job(self.cluster, place, self.body)
            self.answer(self.body, 201)
        elif self.command == "DELETE":
            gone = jobs.pop(f"{place}/{name[0]}", None)
            if gone is None:
                self.status(404, "not found")
                return
            self.cluster.deleted.append(name[0])
            for path in [
                each for each in self.cluster.pods if each.startswith(f"{place}/{name[0]}")
            ]:
                del self.cluster.pods[path]
            self.answer({"kind": "Status", "status": "Success"})
        else:
            self.answer(self.page(self.selected(place, jobs)))

    def exec(self, path: str) -> None:
        if self.cluster.raw_exec:
            self.cluster.raw_exec(self)
            return
        container, command = self.request_seen.query["container"], self.several["command"]
        self.cluster.executed.append((container, tuple(command)))
        if not self.upgrade():
            return
        out, err, code, why = run_in(self.cluster.images[container], command)
        for at in range(0, len(out), 4000):
            self.send(1, out[at : at + 4000])
        self.send(2, err)
        self.wfile.write(websockets.frame(websockets.PING, b""))
        self.send(3, json.dumps(exit_status(code, why)).encode())
        self.goodbye()

    def upgrade(self) -> bool:
        """Switch protocols, and say on channels 1 and 2 nothing first, as a kubelet does."""
        protocol = websockets.chosen(self.headers, self.cluster.protocols)
        self.close_connection = True
        if protocol is None:
            self.status(400, "no protocol in common")
            return False
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header(
            "Sec-WebSocket-Accept", websockets.accept(self.headers["Sec-WebSocket-Key"])
        )
        self.send_header("Sec-WebSocket-Protocol", protocol)
        self.end_headers()
        self.send(1, b"")
        self.send(2, b"")
        return True

    def send(self, channel: int, data: bytes) -> None:
        self.wfile.write(websockets.frame(websockets.BINARY, bytes([channel]) + data))

    def goodbye(self) -> None:
        self.wfile.write(websockets.frame(websockets.CLOSE, b"\x03\xe8"))


def _verb(method: str, name: list[str]) -> str:
    return {"POST": "create", "DELETE": "delete"}.get(method, "get" if name else "list")


def _kubelet(cluster: Remote, pod: Json) -> Json:
    """What a kubelet does to ephemeral containers: pull, run, report."""
    statuses = []
    for entry in pod["spec"].get("ephemeralContainers", []):
        entry["seen"] += 1
        state: Json = {"waiting": {"reason": cluster.waiting, "message": "as told"}}
        if entry["seen"] > cluster.pulling:
            out, _, code, why = run_in(cluster.images[entry["image"]], entry["command"])
            where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            cluster.logs[where] = out.decode("utf-8", "replace")
            failed = {"exitCode": 128, "reason": "StartError", "message": why}
            state = {"terminated": failed if code is None else {"exitCode": code}}
        statuses.append({"name": entry["name"], "state": state})
    pod["status"]["ephemeralContainerStatuses"] = statuses
    return pod


def _kubelets_job(cluster: Remote, place: str, job: Json) -> None:
    """A pod for the Job, which has run already."""
    name, spec = job["metadata"]["name"], job["spec"]["template"]["spec"]
    phase, log = cluster.nodes[spec["nodeName"]]()
    if phase == "None":
        return
    ended: Json = {"terminated": {"exitCode": 0 if phase == "Succeeded" else 1, "reason": "Error"}}
    if phase == "Pending":
        ended = {"waiting": {"reason": log, "message": "no such image"}}
    cluster.pods[f"{place}/{name}-x1y2z"] = {
        "metadata": {
            "name": f"{name}-x1y2z",
            "namespace": place,
            "labels": {**job["spec"]["template"]["metadata"]["labels"], "job-name": name},
        },
        "spec": {"nodeName": spec["nodeName"], "containers": spec["containers"]},
        "status": {
            "phase": phase,
            "containerStatuses": [{"name": spec["containers"][0]["name"], "state": ended}],
        },
    }
    if phase in ("Succeeded", "Failed"):
        cluster.logs[f"{place}/{name}-x1y2z"] = log
