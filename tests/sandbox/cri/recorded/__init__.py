"""What runtimes add to a verbose status.

containerd's was recorded. CRI-O's and cri-dockerd's are not recordings: they are reconstructed from
the sources (cri-o f954a17e50, server/sandbox_status.go; cri-dockerd 246bd657,
core/sandbox_status.go), as are those of containerd with other shims.
"""

import json
from pathlib import Path
from typing import Any

Info = dict[str, Any]

CONTAINERD: Info = json.loads(Path(__file__).with_name("containerd-1.6.20.json").read_text())
"""Debian's containerd 1.6.20."""

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
