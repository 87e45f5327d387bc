"""Debian's containerd: its configuration, our images in it, and the pods that tests look at."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.real.needs import lacks, program
from tests.real.runtimes.cni import network, plugins
from tests.real.runtimes.cri import CallError, Runtime
from tests.real.runtimes.host import Host, Ran, host, wait_for
from tests.real.runtimes.images import Image, archive, busybox, compiled
from tests.real.runtimes.kubelet import Kubelet, Pod, Wanted

PAUSE, TOOLS, PLANTED = (f"docker.io/local/{name}:1" for name in ("pause", "tools", "planted"))
"""Our images."""

_SOCKET = "run/containerd/containerd.sock"
_CONFIG = """version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  # Lowering a score needs CAP_SYS_RESOURCE, which root in a container has not.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "/etc/cni/net.d"
"""


@dataclass(frozen=True, slots=True)
class Containerd:
    """A host with containerd; `socket` is its CRI's path out here, `pods` are by our own names."""

    host: Host
    socket: str
    kubelet: Kubelet
    pods: Mapping[str, Pod]

    def inside(self, pid: int, *command: str) -> Ran:
        """Run a program of ours in the network namespace of `pid`, as nsenter does."""
        return self.host.inside(pid, *command)


@contextmanager
def containerd(
    folder: Path, wanted: Callable[[Host], Mapping[str, Wanted]]
) -> Iterator[Containerd]:
    """A host with containerd and the pods that are `wanted` of it; made side by side."""
    for name, package in (("containerd", "containerd"), ("ctr", "containerd"), ("runc", "runc")):
        program(name, package)
    found = plugins() or lacks("ptp (Debian package containernetworking-plugins)")
    images = _images(folder)
    with host("containerd", files=partial(_files, found)) as made:
        socket = str(made.folder / _SOCKET)
        runtime = Runtime(socket)
        wait_for(lambda: _answers(runtime), made.said)
        _import(made, images)
        kubelet = Kubelet(made, runtime)
        with ThreadPoolExecutor(8) as side_by_side:
            those = wanted(made)
            pods = dict(zip(those, side_by_side.map(kubelet.run, those.values()), strict=True))
        yield Containerd(made, socket, kubelet, pods)


def _files(found: str, token: str) -> Mapping[str, str]:
    return {
        "containerd/config.toml": _CONFIG.format(image=PAUSE, plugins=found),
        "cni/net.d/10-kubehop.conflist": json.dumps(network(token)),
    }


def _answers(runtime: Runtime) -> bool:
    try:
        return bool(runtime.call("Version", {}))
    except (OSError, CallError):
        return False


def _images(folder: Path) -> bytes:
    tools = {**busybox(), "/listen": compiled(folder, "listen")}
    planted = {**tools, "/etc/resolv.conf": "/etc/other", "/etc/hosts": "../etc/another"}
    pause = {"/pause": compiled(folder, "pause")}
    return archive(
        (
            Image(PAUSE, pause, ("/pause",)),
            Image(TOOLS, tools, ("/bin/sh",)),
            Image(PLANTED, planted, ("/bin/sh",)),
        )
    )


def _import(made: Host, images: bytes) -> None:
    """Put images in; the CRI hears of them a moment later."""
    tar = made.folder / "images.tar"
    tar.write_bytes(images)
    command = made.command("ctr", "-n", "k8s.io", "images", "import", str(tar))
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    runtime = Runtime(str(made.folder / _SOCKET))
    status = "runtime.v1.ImageService/ImageStatus"
    names = (PAUSE, TOOLS, PLANTED)
    wait_for(lambda: all(runtime.call(status, {1: {1: each}}).get(1) for each in names), made.said)
