"""A host in a container: what kind makes, a privileged container of docker's with containerd in it.

As kind's docker provider starts a node (pkg/cluster/internal/providers/docker/provision.go), with
the kubelet's cgroupRoot /kubelet (pkg/cluster/internal/kubeadm/config.go). Its /usr is ours.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.real.needs import program
from tests.real.runtimes.containerd import SOCKET, answers, files, images_of, import_images, needed
from tests.real.runtimes.cri import Runtime
from tests.real.runtimes.host import Host, Ran, wait_for
from tests.real.runtimes.images import layer
from tests.real.runtimes.kubelet import App, Kubelet, Pod, Wanted
from tests.sandbox.docker.real import Dockerd, dockerd

_IMAGE = "node:1"
_SPACES = ("mount", "net", "pid", "uts", "ipc", "cgroup")
_FOLDERS = ("usr", "etc", "run", "var/lib", "var/log", "tmp", "root", "opt", "sys", "proc", "dev")
_ROOT_LINKS = ("bin", "sbin", "lib", "lib64")
_START = """set -e
exec 2>&1
cat /proc/self/mounts | while read -r _ path _; do
  case $path in /sys | /sys/fs/cgroup*) mount -o remount,rw,bind "$path" ;; esac
done
mount --make-rshared /
if cd /sys/fs/cgroup/ && [ -e cgroup.controllers ]; then
  mkdir init
  echo $$ > init/cgroup.procs
  sed 's/[^ ]*/+&/g' cgroup.controllers > cgroup.subtree_control
fi
containerd & while :; do sleep 1000000 & wait; done
"""
"""Of what kind's entrypoint does, what is needed. A shell is PID 1, as it buries whoever ends."""
_JOIN = """
for one in /sys/fs/cgroup/*/cgroup.procs; do echo $$ > "$one" || :; done 2>/dev/null
exec "$@"
"""
"""What docker exec does."""
_PRIVILEGED = (
    "--cap-add=ALL",
    "--cap-drop=SYS_RESOURCE",
    "--device-cgroup-rule=a *:* rwm",
    *(f"--security-opt={one}=unconfined" for one in ("seccomp", "apparmor", "systempaths")),
)
"""As --privileged, but root in a container has not CAP_SYS_RESOURCE to give on."""


@dataclass(frozen=True, slots=True)
class Node(Host):
    """A host that is a container; PIDs are those of its own PID namespace.

    `folder` has the same in it, `pid` is of its first process, as seen out here. `cgroup` is the
    kubelet's cgroupRoot in there, `id` the container's.
    """

    id: str
    spaces: tuple[str, ...] = _SPACES

    def in_outer_cgroups(self) -> "Node":
        """What runs there sees the cgroups as those of the host around: `--cgroupns=host`."""
        return replace(self, spaces=tuple(one for one in _SPACES if one != "cgroup"))

    def command(self, *command: str, uid: int = 0) -> tuple[str, ...]:
        enter = (program("nsenter", "util-linux"), "--target", str(self.pid))
        spaces = (*(f"--{space}" for space in self.spaces), f"--wd=/proc/{self.pid}/root")
        same = (f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
        user = (program("setpriv", "util-linux"), *same) if uid else ()
        join = () if "cgroup" in self.spaces else ("sh", "-c", _JOIN, "sh")
        return (*enter, *spaces, *join, *user, *command)

    def inside(self, pid: int, *command: str, given: str = "") -> Ran:
        return Host.inside(self, self.seen_outside(pid), *command, given=given)

    def kubehop(self, *words: str, uid: int | None = None) -> Ran:
        """The command line, run in there as a program of its own."""
        return self.run(sys.executable, "-m", "kubehop", *words, uid=uid or 0)

    def seen_outside(self, pid: int) -> int:
        """The PID out here of a process in there: NSpid of proc_pid_status(5)."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.id in (folder / "cgroup").read_text() and _second_pid(folder) == pid:
                    return int(folder.name)
            except OSError:
                continue
        raise ProcessLookupError(pid)


@dataclass(frozen=True, slots=True)
class Nested:
    """A host with docker, and the node that is a container of it; `pods` are by our own names."""

    outer: Dockerd
    node: Node
    kubelet: Kubelet
    pods: Mapping[str, Pod]


@contextmanager
def nested(folder: Path) -> Iterator[Nested]:
    """A node in a container, with pods."""
    found = needed()
    with ThreadPoolExecutor(8) as side_by_side:
        images = side_by_side.submit(images_of, folder)
        with dockerd() as daemon:
            node = _node(daemon, found)
            runtime = Runtime(str(node.folder / SOCKET))
            wait_for(lambda: answers(runtime), lambda: daemon.docker("logs", node.id))
            import_images(node, images.result())
            kubelet = Kubelet(node, runtime)
            those = wanted(daemon.host.token)
            pods = dict(zip(those, side_by_side.map(kubelet.run, those.values()), strict=True))
            yield Nested(daemon, node, kubelet, pods)


def wanted(token: str) -> dict[str, Wanted]:
    """The pods of the node."""
    app = App("app", ("/listen", "tcp", "::", "8080", "udp", "0.0.0.0", "5353"))
    helper = App("helper", ("sleep", "1000000"))
    return {
        "web": Wanted(f"web-{token}", f"shop-{token}", (app, helper)),
        "proxy": Wanted(f"proxy-{token}", f"kube-{token}", (helper,), host_network=True),
    }


def _node(daemon: Dockerd, found: str) -> Node:
    daemon.docker("import", "-", _IMAGE, stdin=layer(_files()))
    # What the daemon sees at a path is what its host has there: /run/node is in the folder's run.
    folder = daemon.host.folder / "run/node"
    for name in ("run", "lib", "log", "etc"):
        (folder / name).mkdir(parents=True)
    for path, text in files(found, daemon.host.token).items():
        (folder / "etc" / path).parent.mkdir(parents=True)
        (folder / "etc" / path).write_text(text)
    words = [*_PRIVILEGED, "--cgroupns=private", "--tmpfs=/tmp", "--name=kind-control-plane"]
    words += [f"--sysctl=net.ipv6.conf.{one}.disable_ipv6=0" for one in ("all", "default")]
    words += ["--hostname=kind-control-plane", "--label=io.x-k8s.kind.role=control-plane"]
    words += [f"--cgroup-parent=/{daemon.host.cgroup}/docker"]
    words += [f"--volume={one}" for one in _volumes("/run/node")]
    id = daemon.docker("run", "-d", *words, _IMAGE, "/bin/sh", "-c", _START)
    pid = int(daemon.inspected(id, ".State.Pid"))
    return Node(folder, pid, "kubelet", daemon.host.token, id)


def _files() -> dict[str, bytes | str]:
    links = {f"/{name}": f"/{name}" for name in _ROOT_LINKS if os.path.islink(f"/{name}")}
    same: dict[str, bytes | str] = {path: os.readlink(path) for path in links}
    return same | {f"/{name}": "" for name in _FOLDERS} | {"/etc/passwd": b"root:x:0:0:root:/:\n"}


def _volumes(folder: str) -> Iterator[str]:
    for there, here in (("/run", "run"), ("/var/lib", "lib"), ("/var/log", "log")):
        yield f"{folder}/{here}:{there}"
    yield from (f"{folder}/etc/{name}:/etc/{name}:ro" for name in ("containerd", "cni"))
    ours = {sys.base_prefix, sys.prefix, str(Path(__file__).parents[3])}
    system = {"/usr", *(f"/{name}" for name in _ROOT_LINKS if os.path.isdir(f"/{name}"))}
    system = {path for path in system if not os.path.islink(path)}
    for path in sorted(system | {each for each in ours if not each.startswith("/usr/")}):
        yield f"{path}:{path}:ro"


def _second_pid(folder: Path) -> int:
    """In the outermost PID namespace below ours, 0 if it is in ours."""
    for line in (folder / "status").read_text(errors="replace").splitlines():
        if line.startswith("NSpid:"):
            return int([*line.split(), "0"][2])
    return 0
