"""What a runtime adds to a verbose status: JSON of its own form, under the key `info`.

Pure. containerd: internal/cri/server/podsandbox (SandboxInfo); CRI-O: server/sandbox_status.go,
which tells only the specification for a sandbox without a process; cri-dockerd: nothing.
"""

import re

import msgspec

from kubehop.sandbox.cri.protobuf import Pairs

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

    metadata: _Stored | None = None


class SandboxInfo(msgspec.Struct, frozen=True, rename="camel"):
    """Of all runtimes together; what one does not tell has its default.

    `pid` is None if the runtime does not say, 0 if there is no process (any more).
    """

    pid: int | None = None
    net_namespace_closed: bool = False
    runtime_handler: str = ""
    runtime_type: str = ""
    runtime_spec: _Spec | None = None
    sandbox_metadata: _Versioned | None = None

    @property
    def process(self) -> int | None:
        """The PID, if there is one."""
        return self.pid if self.pid is not None and 0 < self.pid <= MOST_PID else None

    @property
    def netns_path(self) -> str:
        """Where the network namespace is; "" if that is not said, or if it is closed."""
        if self.net_namespace_closed:
            return ""
        stored = self.sandbox_metadata and self.sandbox_metadata.metadata
        return (self._network or _Namespace()).path or (stored.netns_path if stored else "")

    @property
    def host_network(self) -> bool | None:
        """A specification without a network namespace leaves the process in the host's."""
        spec = self.runtime_spec
        if spec is None or spec.linux is None or not spec.linux.namespaces:
            return None
        return self._network is None

    @property
    def _network(self) -> _Namespace | None:
        linux = self.runtime_spec and self.runtime_spec.linux
        spaces = (linux.namespaces if linux else None) or ()
        return next((space for space in spaces if space.type == "network"), None)

    @property
    def type_name(self) -> str:
        """`runc` of `io.containerd.runc.v2`, `kata` of `/opt/containerd-shim-kata-v2`."""
        shim = _SHIM.fullmatch(self.runtime_type)
        return shim[1] if shim else ""


def sandbox_info(info: Pairs) -> SandboxInfo | None:
    """The details in the `info` of a status; None if there are none that can be read."""
    try:
        return _DECODER.decode(info["info"])
    except (KeyError, msgspec.MsgspecError, RecursionError):
        return None


_DECODER = msgspec.json.Decoder(SandboxInfo)
