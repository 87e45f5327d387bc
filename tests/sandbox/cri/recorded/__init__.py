"""What runtimes add to a verbose status.

containerd's were recorded, by tests/real/runtimes/record.py, with all that it answers. CRI-O's and
cri-dockerd's are not recordings: they are reconstructed from the sources (cri-o f954a17e50,
server/sandbox_status.go; cri-dockerd 246bd657, core/sandbox_status.go), as are those of containerd
with other shims.
"""

import json
from pathlib import Path
from typing import Any

Info = dict[str, Any]

RECORDINGS: dict[str, Info] = {
    path.stem: json.loads(path.read_text()) for path in sorted(Path(__file__).parent.glob("*.json"))
}
"""By runtime and version."""


def _usual(recording: Info) -> Info:
    info: Info = recording["PodSandboxStatus"][recording["made"]["usual"]["sandbox"]]["info"]
    details: Info = info["info"]
    return details


CONTAINERD = _usual(RECORDINGS["containerd-1.6.20"])
"""Debian's containerd 1.6.20, of a usual pod."""

_SPACES = [{"type": kind} for kind in ("pid", "mount")]


def _spec(*paths: str) -> Info:
    network = [{"type": "network", "path": path} for path in paths]
    return {"ociVersion": "1.2.0", "linux": {"namespaces": [*_SPACES, *network]}}


CRIO_SPOOFED: Info = {"runtimeSpec": _spec("/var/run/netns/0d1b8a14-5a2f-4d5e-9e70-9e0fb1ad7a2b")}
"""Reconstructed: CRI-O as it comes, without an infra container."""
CRIO_PAUSE: Info = {
    "image": "registry.k8s.io/pause:3.10",
    "pid": 4242,
    "runtimeSpec": _spec("/var/run/netns/0d1b8a14-5a2f-4d5e-9e70-9e0fb1ad7a2b"),
}
"""Reconstructed: CRI-O with drop_infra_ctr=false."""
CRIO_HOST: Info = {"runtimeSpec": _spec()}
"""Reconstructed: CRI-O, a pod in the host's network."""
CONTAINERD_SHIM: Info = {
    "pid": 4242,
    "processStatus": "running",
    "netNamespaceClosed": False,
    "runtimeHandler": "",
    "runtimeType": "io.containerd.kata.v2",
    "runtimeSpec": None,
    "cniResult": None,
    "sandboxMetadata": {
        "Version": "v1",
        "Metadata": {"ID": "x", "NetNSPath": "/run/netns/cni-1", "AdditionalIPs": None},
    },
}
"""Reconstructed: containerd 2 with a sandboxer of the shim, internal/cri/store/sandbox."""
