"""Makes pods through the CRI exactly as a kubelet does: kuberuntime_{sandbox,container}.go, v1.27.

Labels, annotations, log folders, cgroups (cgroupfs driver), /etc/hosts, resolv.conf, namespaces.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from tests.real.runtimes.cri import Runtime
from tests.real.runtimes.host import Host, wait_for
from tests.real.runtimes.wire import Map, Message, Value, inner, messages, number, text

_POD, _CONTAINER, _NODE = 0, 1, 2
"""runtime.v1.NamespaceMode."""
_EXITED = 2
"""runtime.v1.ContainerState."""
IDS = 65536
"""User ids of a pod: the kubelet gives them by blocks of this size."""


@dataclass(frozen=True, slots=True)
class App:
    """A container that a pod is to have; with `exits` the kubelet has seen it end."""

    name: str
    command: tuple[str, ...]
    image: str = "docker.io/local/tools:1"
    exits: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pod that there is to be. `network` are lines for `ip -batch` in its network afterwards.

    `restarted`: its first sandbox was stopped, and it has a second one. `first_id`: that of its own
    user namespace (`hostUsers: false`), on the host.
    """

    name: str
    namespace: str
    apps: tuple[App, ...] = ()
    host_network: bool = False
    restarted: bool = False
    static: bool = False
    qos: str = "burstable"
    network: tuple[str, ...] = ()
    first_id: int = 0
    uid: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True, slots=True)
class Started:
    """A container that runs (or has run: then `pid` is 0)."""

    name: str
    id: str
    pid: int


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that there is. `pid` is of its pause process; `older` are ids of sandboxes before."""

    wanted: Wanted
    sandbox: str
    attempt: int
    pid: int
    addresses: tuple[str, ...]
    containers: tuple[Started, ...]
    older: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.wanted.name

    @property
    def namespace(self) -> str:
        return self.wanted.namespace

    @property
    def uid(self) -> str:
        return self.wanted.uid

    def container(self, name: str) -> Started:
        return next(each for each in self.containers if each.name == name)


@dataclass(frozen=True, slots=True)
class Kubelet:
    """A kubelet of `host`, whose runtime is asked at `runtime`."""

    host: Host
    runtime: Runtime

    def run(self, wanted: Wanted) -> Pod:
        """Make a pod with all its containers."""
        older: tuple[str, ...] = ()
        if wanted.restarted:
            older = (self._sandbox(wanted, 0),)
            self._container(older[0], wanted, wanted.apps[0], 0)
            self.runtime.call("StopPodSandbox", {1: older[0]})
        sandbox = self._sandbox(wanted, len(older))
        seen = self._seen(wanted, sandbox)
        _configure(self.host, seen)
        started = tuple(self._container(sandbox, wanted, app, len(older)) for app in wanted.apps)
        return replace(seen, containers=started, older=older)

    def remove(self, pod: Pod) -> None:
        """Stop and remove a pod's sandboxes, and so its containers."""
        for sandbox in (pod.sandbox, *pod.older):
            self.runtime.call("StopPodSandbox", {1: sandbox})
            self.runtime.call("RemovePodSandbox", {1: sandbox})

    def _sandbox(self, wanted: Wanted, attempt: int) -> str:
        request: Message = {1: sandbox_config(wanted, attempt, self.host.cgroup)}
        return text(self.runtime.call("RunPodSandbox", request), 1)

    def _seen(self, wanted: Wanted, sandbox: str) -> Pod:
        """What the runtime says of it."""
        answer = self.runtime.call("PodSandboxStatus", {1: sandbox, 2: True})
        status = inner(answer, 1)
        network = inner(status, 5)
        found = (text(network, 1), *(text(each, 1) for each in messages(network, 2)))
        attempt = number(inner(status, 2), 4)
        return Pod(wanted, sandbox, attempt, _info(answer)["pid"], tuple(filter(None, found)), ())

    def _container(self, sandbox: str, wanted: Wanted, app: App, attempt: int) -> Started:
        self._make_files(wanted, app)
        config = container_config(wanted, app, attempt)
        pod = sandbox_config(wanted, attempt, self.host.cgroup)
        container = text(self.runtime.call("CreateContainer", {1: sandbox, 2: config, 3: pod}), 1)
        self.runtime.call("StartContainer", {1: container})
        if app.exits:
            wait_for(lambda: self._state(container) == _EXITED, lambda: f"{app.name} runs on")
            return Started(app.name, container, 0)
        return Started(app.name, container, self.pid(container))

    def pid(self, container: str) -> int:
        """The first process of a container, as the runtime says."""
        pid = _info(self._status(container))["pid"]
        assert isinstance(pid, int)
        return pid

    def _state(self, container: str) -> int:
        return number(inner(self._status(container), 1), 3)

    def _status(self, container: str) -> dict[int, list[int | bytes]]:
        return dict(self.runtime.call("ContainerStatus", {1: container, 2: True}))

    def _make_files(self, wanted: Wanted, app: App) -> None:
        hosts = self.host.folder / "lib/kubelet/pods" / wanted.uid / "etc-hosts"
        hosts.parent.mkdir(parents=True, exist_ok=True)
        hosts.write_text(hosts_text(wanted))
        logs = self.host.folder / "log/pods" / _folder(wanted) / app.name
        logs.mkdir(parents=True, exist_ok=True)


def _configure(host: Host, pod: Pod) -> None:
    """Add to a pod's network what is wanted; what fails is said by line."""
    if pod.wanted.network:
        lines = "\n".join(pod.wanted.network) + "\n"
        said = host.inside(pod.pid, "ip", "-batch", "-", given=lines)
        assert not said.returncode, said.stderr


def _info(answer: Mapping[int, list[int | bytes]]) -> dict[str, Any]:
    """The JSON of `info["info"]`, field 2 of every status."""
    found: dict[str, Any] = json.loads(text(inner(answer, 2), 2))
    return found


def hosts_text(wanted: Wanted) -> str:
    """/etc/hosts as the kubelet writes it; a pod has no address yet to be named here."""
    return (
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
        f"fe00::0\tip6-mcastprefix\n10.11.12.13\t{wanted.name}.of-the-kubelet\n"
    )


def resolv_text(wanted: Wanted) -> tuple[list[str], list[str], list[str]]:
    """Nameservers, search list and options of dnsPolicy ClusterFirst."""
    searches = [f"{wanted.namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
    return ["10.96.0.10", "fd00:10:96::a"], searches, ["ndots:5"]


def sandbox_config(wanted: Wanted, attempt: int, cgroup: str) -> Message:
    """runtime.v1.PodSandboxConfig."""
    servers, searches, options = resolv_text(wanted)
    qos = "" if wanted.qos == "guaranteed" else f"/{wanted.qos}"
    security: Message = {1: _namespaces(wanted)}
    return {
        1: {1: wanted.name, 2: wanted.uid, 3: wanted.namespace, 4: attempt},
        2: "" if wanted.host_network else wanted.name[:63],
        3: f"/var/log/pods/{_folder(wanted)}",
        4: {1: servers, 2: searches, 3: options},
        6: Map(labels(wanted) | {"app": wanted.name}),
        7: Map(_annotations(wanted)),
        8: {1: f"/{cgroup}/kubepods{qos}/pod{wanted.uid}", 2: security},
    }


def container_config(wanted: Wanted, app: App, attempt: int) -> Message:
    """runtime.v1.ContainerConfig."""
    hosts = f"/var/lib/kubelet/pods/{wanted.uid}/etc-hosts"
    annotations = {"restartCount": str(attempt), "terminationMessagePolicy": "File"}
    named = {f"io.kubernetes.container.{key}": value for key, value in annotations.items()}
    return {
        1: {1: app.name, 2: attempt},
        2: {1: app.image},
        3: app.command,
        6: [{1: "KUBERNETES_SERVICE_HOST", 2: "10.96.0.1"}],
        7: [] if wanted.host_network else [{1: "/etc/hosts", 2: hosts}],
        9: Map(labels(wanted) | {"io.kubernetes.container.name": app.name}),
        10: Map(named | {"io.kubernetes.pod.terminationGracePeriod": "30"}),
        11: f"{app.name}/{attempt}.log",
        15: {1: {3: 102, 5: 999}, 2: {3: _namespaces(wanted)}},
    }


def _namespaces(wanted: Wanted) -> Message:
    """runtime.v1.NamespaceOption."""
    spaces: dict[int, Value] = {1: _NODE if wanted.host_network else _POD, 2: _CONTAINER, 3: _POD}
    if wanted.first_id:
        mapping: Message = {1: wanted.first_id, 2: 0, 3: IDS}
        spaces[5] = {1: _POD, 2: mapping, 3: mapping}
    return spaces


def labels(wanted: Wanted) -> dict[str, str]:
    """Those by which everybody knows whose a sandbox or container is."""
    said = {"name": wanted.name, "namespace": wanted.namespace, "uid": wanted.uid}
    return {f"io.kubernetes.pod.{key}": value for key, value in said.items()}


def _annotations(wanted: Wanted) -> dict[str, str]:
    source = "file" if wanted.static else "api"
    said = {"config.seen": "2024-05-01T10:00:00.000000000Z", "config.source": source}
    if wanted.static:
        said["config.hash"] = wanted.uid
    return {f"kubernetes.io/{key}": value for key, value in said.items()}


def _folder(wanted: Wanted) -> str:
    return f"{wanted.namespace}_{wanted.name}_{wanted.uid}"
