"""A pod as the API shows it, with only the fields that matter here."""

import re
from typing import Any

import msgspec

from kubehop.live.api import FORBIDDEN, NOT_FOUND, Refused
from kubehop.model.errors import ClusterError, UsageError
from kubehop.remote.requests import Remote, core
from kubehop.sandbox.values import Container, Sandbox

MIRROR = "kubernetes.io/config.mirror"
_DEFAULT = "kubectl.kubernetes.io/default-container"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class Metadata(msgspec.Struct, frozen=True):
    """`metadata` of a pod."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    deletion_timestamp: str | None = msgspec.field(default=None, name="deletionTimestamp")


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


class Waiting(msgspec.Struct, frozen=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Terminated(msgspec.Struct, frozen=True, rename="camel"):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class State(msgspec.Struct, frozen=True):
    """One of the three is set."""

    running: dict[str, Any] | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(msgspec.Struct, frozen=True, rename="camel"):
    """An entry of `containerStatuses`."""

    name: str = ""
    container_id: str = msgspec.field(default="", name="containerID")
    restart_count: int = 0
    state: State = State()


class _Ip(msgspec.Struct, frozen=True):
    ip: str = ""


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """`spec` of a pod."""

    node_name: str = ""
    host_network: bool = False
    containers: tuple[_Named, ...] = ()


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """`status` of a pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    host_ip: str = msgspec.field(default="", name="hostIP")
    pod_ip: str = msgspec.field(default="", name="podIP")
    pod_ips: tuple[_Ip, ...] | None = msgspec.field(default=None, name="podIPs")
    container_statuses: tuple[ContainerStatus, ...] | None = None
    ephemeral_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(msgspec.Struct, frozen=True):
    """A Pod of the API."""

    metadata: Metadata = Metadata()
    spec: Spec = Spec()
    status: Status = Status()

    @property
    def title(self) -> str:
        return f"{self.metadata.namespace}/{self.metadata.name}"

    @property
    def addresses(self) -> tuple[str, ...]:
        several = tuple(each.ip for each in self.status.pod_ips or () if each.ip)
        return several or ((self.status.pod_ip,) if self.status.pod_ip else ())

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the app containers that run, that which kubectl would take first."""
        default = (self.metadata.annotations or {}).get(_DEFAULT, "")
        names = [
            each.name
            for each in self.status.container_statuses or ()
            if each.state.running is not None
        ]
        order = [each.name for each in self.spec.containers]
        rank = {name: number for number, name in enumerate(order)}
        return tuple(sorted(names, key=lambda name: (name != default, rank.get(name, 0))))


def is_name(text: str) -> bool:
    """RFC 1123 subdomain: what names of pods, namespaces and nodes are."""
    return _NAME.fullmatch(text) is not None


def read_pod(remote: Remote, namespace: str, name: str) -> Pod:
    """The pod. Raises UsageError if there is no such pod, ClusterError if it cannot be had."""
    for what, text in (("pod", name), ("namespace", namespace)):
        if not is_name(text):
            raise UsageError(
                f"{text!r} is no name of a {what}: through the API one is asked by name"
            )
    answer = remote.get(core(namespace, "pods", name), Pod)
    if not isinstance(answer, Refused):
        return answer
    if answer.status == NOT_FOUND:
        raise UsageError(f"no pod {name} in namespace {namespace} of {remote.access.identity}")
    if answer.status == FORBIDDEN:
        raise ClusterError(f"may not read pod {namespace}/{name}: {answer.message}")
    raise ClusterError(f"pod {namespace}/{name}: {answer.message}")


def sandbox_of(pod: Pod, source: str) -> Sandbox:
    """What the API tells of the pod's sandbox; its id and its namespace it does not tell."""
    return Sandbox(
        namespace=pod.metadata.namespace,
        name=pod.metadata.name,
        uid=pod.metadata.uid,
        ready=pod.status.phase == "Running",
        host_network=pod.spec.host_network,
        addresses=() if pod.spec.host_network else pod.addresses,
        runtime=_runtime(pod),
        static=MIRROR in (pod.metadata.annotations or {}),
        containers=tuple(_container(each) for each in pod.status.container_statuses or ()),
        source=source,
    )


def _runtime(pod: Pod) -> str:
    ids = (each.container_id for each in pod.status.container_statuses or ())
    return next((text.partition("://")[0] for text in ids if "://" in text), "")


def _container(status: ContainerStatus) -> Container:
    return Container(
        id=status.container_id.partition("://")[2],
        name=status.name,
        running=status.state.running is not None,
        attempt=status.restart_count,
    )
