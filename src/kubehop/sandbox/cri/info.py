"""What a runtime adds to a verbose status: JSON of its own form, under the key `info`.

Pure. containerd: internal/cri/server/podsandbox (SandboxInfo); CRI-O: server/sandbox_status.go,
which tells only the specification for a sandbox without a process; cri-dockerd: nothing.
"""

import re
from typing import TypeVar

import msgspec

from kubehop.sandbox.cri.protobuf import Pairs

T = TypeVar("T")
MOST_PID = 1 << 22
"""PID_MAX_LIMIT: linux/threads.h."""

_SHIM = re.compile(r"(?:io\.containerd\.|.*/containerd-shim-)([\w-]+?)[.-]v\d+")
"""A runtime type of containerd is a name, or the path of a shim."""


class _Namespace(msgspec.Struct, frozen=True):
    type: str = ""
    path: str = ""


class _Linux(msgspec.Struct, frozen=True):
    namespaces: tuple[_Namespace, ...] | None = None


class _Spec(msgspec.Struct, frozen=True):
    linux: _Linux | None = None


class _Stored(msgspec.Struct, frozen=True, rename={"netns_path": "NetNSPath"}):
    netns_path: str = ""


class _Versioned(msgspec.Struct, frozen=True, rename={"metadata": "Metadata"}):
    """containerd's sandboxMetadata: the form it is stored in says which version it is."""

    metadata: _Stored = _Stored()


class SandboxInfo(msgspec.Struct, frozen=True, rename="camel"):
    """Of all runtimes together; what one does not tell has its default.

    `pid` is None if the runtime does not say, 0 if there is no process (any more). The two that are
    deep are read when they are asked for, so that an odd one hides nothing else.
    """

    pid: int | None = None
    net_namespace_closed: bool = False
    runtime_handler: str = ""
    runtime_type: str = ""
    runtime_spec: msgspec.Raw = msgspec.Raw()
    sandbox_metadata: msgspec.Raw = msgspec.Raw()

    @property
    def process(self) -> int | None:
        """The PID, if there is one."""
        return self.pid if self.pid is not None and 0 < self.pid <= MOST_PID else None

    @property
    def network(self) -> "Network":
        """What is told of the network namespace."""
        spaces = (_read(self.runtime_spec, _SPEC).linux or _Linux()).namespaces or ()
        own = next((space for space in spaces if space.type == "network"), None)
        path = own.path if own else ""
        if not path:
            path = _read(self.sandbox_metadata, _VERSIONED).metadata.netns_path
        return Network(
            path="" if self.net_namespace_closed else path,
            host=own is None if spaces else None,
        )

    @property
    def type_name(self) -> str:
        """`runc` of `io.containerd.runc.v2`, `kata` of `/opt/containerd-shim-kata-v2`."""
        shim = _SHIM.fullmatch(self.runtime_type)
        return shim[1] if shim else ""


class Network(msgspec.Struct, frozen=True):
    """Where a network namespace is, "" if that is not said or it is closed; if it is the host's.

    A specification without a network namespace leaves the process in the host's.
    """

    path: str
    host: bool | None


def sandbox_info(info: Pairs) -> SandboxInfo | None:
    """The details in the `info` of a status; None if there are none that can be read."""
    try:
        return _DECODER.decode(info["info"])
    except (KeyError, msgspec.MsgspecError, RecursionError):
        return None


def _read(raw: msgspec.Raw, decoder: "msgspec.json.Decoder[T]") -> T:
    """A part of it; as if it were not there if it is null or odd."""
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return decoder.decode(b"{}")


_DECODER = msgspec.json.Decoder(SandboxInfo)
_SPEC = msgspec.json.Decoder(_Spec)
_VERSIONED = msgspec.json.Decoder(_Versioned)
