"""The pod of a Job's manifest, made through the CRI as a kubelet does, until it ends.

kuberuntime_container_linux.go and pkg/securitycontext, v1.27: what of a manifest becomes what.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.host import Host, wait_for
from tests.real.runtimes.kubelet import Wanted as Names
from tests.real.runtimes.kubelet import labels, sandbox_config
from tests.real.runtimes.wire import Map, Message, inner, number, text

_POD, _NODE = 0, 2
"""runtime.v1.NamespaceMode."""
_EXITED = 2
"""runtime.v1.ContainerState."""
_PROPAGATION = {"None": 0, "HostToContainer": 1, "Bidirectional": 2}
_PROFILES = {"RuntimeDefault": 0, "Unconfined": 1}
_MASKED = ("acpi", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug")
_READ_ONLY = ("asound", "bus", "fs", "irq", "sys", "sysrq-trigger")

Json = Mapping[str, Any]
_Answer = Mapping[int, list[int | bytes]]
_Call = Callable[[str, Message], _Answer]


@dataclass(frozen=True, slots=True)
class Ended:
    """A container that ended: its exit code, and what it wrote."""

    code: int
    stdout: str
    stderr: str


def run_job(
    containerd: Containerd,
    job: Json,
    image: str,
    mounts: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Ended:
    """Run the container of `job` from `image`, with folders `mounts` of the host besides.

    Nothing of the pod is left.
    """
    spec = job["spec"]["template"]["spec"]
    assert spec["hostNetwork"]
    assert spec["hostPID"]
    host, call = containerd.host, containerd.kubelet.runtime.call
    host.run("mount", "--make-shared", "/run")  # as systemd makes all of a node's
    names = Names(f"job-{host.token}", f"jobs-{host.token}", host_network=True, uid=str(uuid4()))
    pod = _sandbox(names, host)
    sandbox = text(call("RunPodSandbox", {1: pod}), 1)
    try:
        config = _container(names, spec, image, mounts, environ or {}, host)
        container = text(call("CreateContainer", {1: sandbox, 2: config, 3: pod}), 1)
        call("StartContainer", {1: container})
        wait_for(lambda: number(_status(call, container), 3) == _EXITED, host.said)
        return _ended(host, number(_status(call, container), 7), names)
    finally:
        call("StopPodSandbox", {1: sandbox})
        call("RemovePodSandbox", {1: sandbox})


def _status(call: _Call, container: str) -> _Answer:
    return inner(call("ContainerStatus", {1: container}), 1)


def _sandbox(names: Names, host: Host) -> Message:
    config = dict(sandbox_config(names, 0, host.cgroup))
    linux = config[8]
    assert isinstance(linux, Mapping)
    return {**config, 8: {**linux, 2: {1: {1: _NODE, 2: _NODE, 3: _POD}}}}


def _container(
    names: Names,
    spec: Json,
    image: str,
    mounts: Sequence[str],
    environ: Mapping[str, str],
    host: Host,
) -> Message:
    (one,) = spec["containers"]
    (host.folder / "log/pods" / _folder(names) / one["name"]).mkdir(parents=True, exist_ok=True)
    return {
        1: {1: one["name"], 2: 0},
        2: {1: image},
        3: one["command"],
        6: [{1: key, 2: value} for key, value in environ.items()],
        7: [*_mounts(spec, one, host), *({1: each, 2: each, 3: 1} for each in mounts)],
        9: Map(labels(names) | {"io.kubernetes.container.name": one["name"]}),
        11: f"{one['name']}/0.log",
        15: {1: {3: 10, 5: 999}, 2: _security(one["securityContext"])},
    }


def _folder(names: Names) -> str:
    return f"{names.namespace}_{names.name}_{names.uid}"


def _mounts(spec: Json, container: Json, host: Host) -> list[Message]:
    paths = {each["name"]: each["hostPath"] for each in spec["volumes"]}
    for each in paths.values():
        if each["type"] == "DirectoryOrCreate":
            host.outside(each["path"]).mkdir(parents=True, exist_ok=True)
    return [
        {
            1: each["mountPath"],
            2: paths[each["name"]]["path"],
            3: int(each.get("readOnly", False)),
            5: _PROPAGATION[each.get("mountPropagation", "None")],
        }
        for each in container["volumeMounts"]
    ]


def _security(context: Json) -> Message:
    capabilities = context["capabilities"]
    return {
        1: {1: capabilities["add"], 2: capabilities["drop"]},
        3: {1: _NODE, 2: _NODE, 3: _POD},
        4: {3: context["seLinuxOptions"]["type"]},
        5: {1: context["runAsUser"]},
        7: int(context["readOnlyRootFilesystem"]),
        13: [*(f"/proc/{each}" for each in _MASKED), "/proc/scsi", "/sys/firmware"],
        14: [f"/proc/{each}" for each in _READ_ONLY],
        15: {1: _PROFILES[context["seccompProfile"]["type"]]},
        16: {1: _PROFILES[context["appArmorProfile"]["type"]]},
    }


def _ended(host: Host, code: int, names: Names) -> Ended:
    """Taken from the log: time, stream, F or P (the line goes on), content."""
    (log,) = (host.folder / "log/pods" / _folder(names)).glob("*/0.log")
    said = {"stdout": "", "stderr": ""}
    for line in log.read_text().splitlines():
        _, stream, tag, content = line.split(" ", 3)
        said[stream] += content + ("\n" if tag == "F" else "")
    return Ended(code, **said)
