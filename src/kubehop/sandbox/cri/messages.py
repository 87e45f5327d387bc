"""The messages of CRI that are asked and answered here, with the fields that are used.

Pure. Field numbers: k8s.io/cri-api, pkg/apis/runtime/v1/api.proto. Those of v1alpha2 are the same:
v1 is that version under another name (KEP-2040).
"""

from typing import Any

from msgspec import Struct

from kubehop.sandbox.cri.protobuf import NO_PAIRS, Field, Kind, Message, Pairs

READY = 0
NOT_READY = 1
"""PodSandboxState."""
CREATED = 0
RUNNING = 1
EXITED = 2
"""ContainerState; 3 is unknown."""
NODE = 2
"""NamespaceMode of a pod in the host's network."""


class Empty(Struct, frozen=True):
    """A request for everything: ListPodSandboxRequest, ListContainersRequest, VersionRequest."""


class Version(Struct, frozen=True):
    """VersionResponse."""

    runtime_name: str = ""
    runtime_version: str = ""


class Metadata(Struct, frozen=True):
    """PodSandboxMetadata, and ContainerMetadata with the name and the attempt alone."""

    name: str = ""
    uid: str = ""
    namespace: str = ""
    attempt: int = 0


class PodSandbox(Struct, frozen=True):
    """One of a list; `created_at` in nanoseconds since 1970."""

    id: str = ""
    metadata: Metadata = Metadata()
    state: int = READY
    created_at: int = 0
    annotations: Pairs = NO_PAIRS
    runtime_handler: str = ""


class PodSandboxes(Struct, frozen=True):
    """ListPodSandboxResponse."""

    items: tuple[PodSandbox, ...] = ()


class Container(Struct, frozen=True):
    """One of a list."""

    id: str = ""
    pod_sandbox_id: str = ""
    metadata: Metadata = Metadata()
    state: int = CREATED


class Containers(Struct, frozen=True):
    """ListContainersResponse."""

    containers: tuple[Container, ...] = ()


class StatusRequest(Struct, frozen=True):
    """PodSandboxStatusRequest."""

    id: str = ""
    verbose: bool = False


class PodIP(Struct, frozen=True):
    """An address beside the first."""

    ip: str = ""


class NetworkStatus(Struct, frozen=True):
    """PodSandboxNetworkStatus."""

    ip: str = ""
    additional_ips: tuple[PodIP, ...] = ()


class NamespaceOption(Struct, frozen=True):
    """Whose namespaces a sandbox uses."""

    network: int = 0


class Namespaces(Struct, frozen=True):
    """Namespace; None if the runtime does not say."""

    options: NamespaceOption | None = None


class Linux(Struct, frozen=True):
    """LinuxPodSandboxStatus."""

    namespaces: Namespaces | None = None


class PodSandboxStatus(Struct, frozen=True):
    """The status of one, without what a list tells as well.

    `network` and `linux` are None if the runtime does not say.
    """

    id: str = ""
    state: int = READY
    created_at: int = 0
    network: NetworkStatus | None = None
    linux: Linux | None = None
    runtime_handler: str = ""


class PodSandboxStatusResponse(Struct, frozen=True):
    """`info` is the runtime's own, see `kubehop.sandbox.cri.info`."""

    status: PodSandboxStatus | None = None
    info: Pairs = NO_PAIRS


def _number(name: str) -> Field:
    return Field(name, Kind.INT)


def _pairs(name: str) -> Field:
    return Field(name, Kind.PAIRS)


def _one(name: str, message: Message[Any]) -> Field:
    return Field(name, Kind.MESSAGE, message)


def _many(name: str, message: Message[Any]) -> Field:
    return Field(name, Kind.MESSAGES, message)


EMPTY = Message(Empty, {})
VERSION = Message(Version, {2: Field("runtime_name"), 3: Field("runtime_version")})
STATUS_REQUEST = Message(StatusRequest, {1: Field("id"), 2: Field("verbose", Kind.BOOL)})

_METADATA = Message(
    Metadata,
    {1: Field("name"), 2: Field("uid"), 3: Field("namespace"), 4: Field("attempt", Kind.UINT32)},
)
_CONTAINER_METADATA = Message(Metadata, {1: Field("name"), 2: Field("attempt", Kind.UINT32)})
_POD_SANDBOX = Message(
    PodSandbox,
    {
        1: Field("id"),
        2: _one("metadata", _METADATA),
        3: _number("state"),
        4: _number("created_at"),
        6: _pairs("annotations"),
        7: Field("runtime_handler"),
    },
)
POD_SANDBOXES = Message(PodSandboxes, {1: _many("items", _POD_SANDBOX)})
_CONTAINER = Message(
    Container,
    {
        1: Field("id"),
        2: Field("pod_sandbox_id"),
        3: _one("metadata", _CONTAINER_METADATA),
        6: _number("state"),
    },
)
CONTAINERS = Message(Containers, {1: _many("containers", _CONTAINER)})

_NETWORK = Message(
    NetworkStatus,
    {1: Field("ip"), 2: _many("additional_ips", Message(PodIP, {1: Field("ip")}))},
)
_OPTIONS = Message(NamespaceOption, {1: _number("network")})
_NAMESPACES = Message(Namespaces, {2: _one("options", _OPTIONS)})
_SANDBOX_STATUS = Message(
    PodSandboxStatus,
    {
        1: Field("id"),
        3: _number("state"),
        4: _number("created_at"),
        5: _one("network", _NETWORK),
        6: _one("linux", Message(Linux, {1: _one("namespaces", _NAMESPACES)})),
        9: Field("runtime_handler"),
    },
)
SANDBOX_STATUS = Message(
    PodSandboxStatusResponse, {1: _one("status", _SANDBOX_STATUS), 2: _pairs("info")}
)
