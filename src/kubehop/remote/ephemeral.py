"""An ephemeral container that looks at its pod's network once and ends.

What it does is its own command, and what it found is its log: so nothing is run in it by exec, and
nothing is left running. The container stays in the pod's spec: the API cannot remove it.
Rules: kubernetes.io "Ephemeral Containers"; kubectl `pkg/cmd/debug/debug.go`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubehop.live.api import FORBIDDEN, NOT_FOUND, Refused
from kubehop.model.errors import ClusterError, UsageError
from kubehop.remote import image
from kubehop.remote.look import Looked
from kubehop.remote.pods import MIRROR, ContainerStatus, Pod, read_pod
from kubehop.remote.requests import STRATEGIC, Remote, core
from kubehop.remote.rights import Need

IMAGE = "docker.io/library/busybox:1.37"
"""Small, has sh, cat and ip, and is often on a node already."""

_STUCK = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
                    "CreateContainerConfigError", "CreateContainerError"})  # fmt: skip
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DebugLimits:
    """How long an image may take to be pulled and run, and how often that is looked at."""

    seconds: float = 90
    poll_seconds: float = 0.5
    log_bytes: int = 4 << 20


DEFAULT = DebugLimits()


def debug_needs(namespace: str) -> tuple[Need, ...]:
    """All rights that `debug` uses."""
    return (
        Need("get", "pods", namespace),
        Need("patch", "pods/ephemeralcontainers", namespace),
        Need("get", "pods/log", namespace),
    )


def refuse(pod: Pod) -> None:
    """Raise UsageError for a pod that no ephemeral container can be added to."""
    if MIRROR in (pod.metadata.annotations or {}):
        raise UsageError(f"pod {pod.title} is a static pod: it takes no ephemeral container")
    if pod.status.phase != "Running":
        raise UsageError(f"pod {pod.title} is {pod.status.phase or 'not running'}")


def container(name: str, image_name: str, mark: str) -> dict[str, Any]:
    """An entry of `spec.ephemeralContainers`: no capability, no privilege."""
    return {
        "name": name,
        "image": image_name,
        "imagePullPolicy": "IfNotPresent",
        "command": list(image.by_shell(mark)),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def debug(
    remote: Remote,
    pod: Pod,
    image_name: str,
    word: str,
    progress: Progress,
    limits: DebugLimits = DEFAULT,
    clock: Callable[[], float] = time.monotonic,
) -> Looked:
    """Add the container, wait for its end and read its log.

    `word` is new each time: it names the container. Raises ClusterError if that is refused, the
    image cannot be had or time is over; the container then stays as it is.
    """
    name, mark = f"kubehop-{word}", f"=={word}=="
    _add(remote, pod, container(name, image_name, mark))
    _wait(remote, pod, name, progress, limits, clock)
    query: dict[str, str | int] = {"container": name, "limitBytes": limits.log_bytes}
    where = core(pod.metadata.namespace, "pods", pod.metadata.name, "log", **query)
    output = b"".join(remote.chunks(where, limits.log_bytes + 1))
    parts, whole = image.parts_of(output, mark)
    how = f"in ephemeral container {name} ({image_name}), through the API"
    why = () if parts else (f"{name} wrote nothing that can be read",)
    return Looked(parts, name, whole, how, why)


def _add(remote: Remote, pod: Pod, entry: dict[str, Any]) -> None:
    """A merge by name: sent twice it is there once."""
    where = core(pod.metadata.namespace, "pods", pod.metadata.name, "ephemeralcontainers")
    answer = remote.send("PATCH", where, {"spec": {"ephemeralContainers": [entry]}}, kind=STRATEGIC)
    if not isinstance(answer, Refused):
        return
    why = {
        NOT_FOUND: "the pod is gone, or this cluster (before 1.25) has no ephemeral containers",
        FORBIDDEN: "refused, by a right that is missing or by an admission rule",
    }.get(answer.status, f"refused with {answer.status}")
    raise ClusterError(f"no ephemeral container in pod {pod.title}: {why}: {answer.message}")


def _wait(
    remote: Remote,
    pod: Pod,
    name: str,
    progress: Progress,
    limits: DebugLimits,
    clock: Callable[[], float],
) -> None:
    deadline = clock() + limits.seconds
    while True:
        now = read_pod(remote, pod.metadata.namespace, pod.metadata.name)
        statuses = now.status.ephemeral_container_statuses or ()
        status = next((each for each in statuses if each.name == name), None)
        what = _state(name, status)
        if what is None:
            return
        if clock() >= deadline:
            raise ClusterError(f"{name}: {what} after {limits.seconds:g} s; it stays in the pod")
        progress(f"{name}: {what}")
        remote.sleep(limits.poll_seconds)


def _state(name: str, status: ContainerStatus | None) -> str | None:
    """What is waited for; None once it has ended well. Raises ClusterError if it cannot."""
    if status is None:
        return "not started yet"
    ended, waiting = status.state.terminated, status.state.waiting
    if ended is not None:
        if ended.exit_code != 0:
            why = ended.message or ended.reason or "failed"
            raise ClusterError(f"{name}: exit code {ended.exit_code}: {why}")
        return None
    if waiting is not None and waiting.reason in _STUCK:
        raise ClusterError(f"{name}: {waiting.reason}: {waiting.message}; it stays in the pod")
    if waiting is not None:
        return waiting.reason or "waiting"
    return "running"
