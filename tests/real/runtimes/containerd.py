"""containerd: its configuration, our images in it, and the pods that tests look at."""

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
from tests.real.runtimes.programs import MACHINES, Programs

PAUSE, TOOLS, PLANTED = (f"docker.io/local/{name}:1" for name in ("pause", "tools", "planted"))
"""Our images."""

SOCKET = "run/containerd/containerd.sock"
"""Below the folder of a host."""


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
    folder: Path, wanted: Callable[[Host], Mapping[str, Wanted]], programs: Programs = MACHINES
) -> Iterator[Containerd]:
    """A host with containerd and the pods that are `wanted` of it; made side by side."""
    found = needed()
    images = images_of(folder)
    command = ("env", f"PATH={programs.path}", programs.containerd)
    with host(*command, files=partial(files, found, programs=programs)) as made:
        socket = str(made.folder / SOCKET)
        runtime = Runtime(socket)
        wait_for(lambda: answers(runtime), made.said)
        import_images(made, images)
        kubelet = Kubelet(made, runtime)
        with ThreadPoolExecutor(8) as side_by_side:
            those = wanted(made)
            pods = dict(zip(those, side_by_side.map(kubelet.run, those.values()), strict=True))
        yield Containerd(made, socket, kubelet, pods)


def needed() -> str:
    """What this machine must have; the folder of the CNI plugins."""
    for name, package in (("containerd", "containerd"), ("ctr", "containerd"), ("runc", "runc")):
        program(name, package)
    return plugins() or lacks("ptp (Debian package containernetworking-plugins)")


def files(found: str, token: str, programs: Programs = MACHINES) -> Mapping[str, str]:
    """What there is to be in /etc, for the CNI plugins that were found in a folder."""
    return {
        "containerd/config.toml": programs.config(PAUSE, found),
        "cni/net.d/10-kubehop.conflist": json.dumps(network(token)),
    }


def answers(runtime: Runtime) -> bool:
    """Whether it is ready to be asked."""
    try:
        return bool(runtime.call("Version", {}))
    except (OSError, CallError):
        return False


def images_of(folder: Path) -> bytes:
    """The archive of our images; what is compiled for them goes to a folder."""
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


def import_images(made: Host, images: bytes) -> None:
    """Put images in; the CRI hears of them a moment later."""
    (made.folder / "lib/images.tar").write_bytes(images)
    command = made.command("ctr", "-n", "k8s.io", "images", "import", "/var/lib/images.tar")
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    runtime = Runtime(str(made.folder / SOCKET))
    status = "runtime.v1.ImageService/ImageStatus"
    names = (PAUSE, TOOLS, PLANTED)
    wait_for(lambda: all(runtime.call(status, {1: {1: each}}).get(1) for each in names), made.said)
