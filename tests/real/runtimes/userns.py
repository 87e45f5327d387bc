"""Pods with a user namespace of their own (`hostUsers: false`), which containerd 1.6 cannot make.

So `ctr` hands the OCI specifications that a newer one writes (internal/cri/server/podsandbox/
sandbox_run_linux.go, KEP-127) to containerd and its shim and runc: user ids 65536 at a time, the
network namespace made in and so owned by the pod's user namespace, containers that join all that.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.real.runtimes.containerd import Containerd, containerd, needed
from tests.real.runtimes.docker import connect
from tests.real.runtimes.host import Host
from tests.real.runtimes.images import busybox, compiled
from tests.real.runtimes.kubelet import (
    App,
    Pod,
    Started,
    Wanted,
    hosts_text,
    resolv_text,
)

FIRST_ID, IDS = 524288, 65536
"""User ids of a pod on the host: the kubelet gives them by blocks of this size."""

_ROOT = "/var/lib/rootfs"
_KEPT = "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes"
_BUNDLES = "run/containerd/io.containerd.runtime.v2.task/k8s.io"
_CAPABILITIES = ("CAP_NET_BIND_SERVICE", "CAP_KILL", "CAP_CHOWN", "CAP_SETUID", "CAP_SETGID")
_MOUNTS = (
    ("/proc", "proc", "proc", ("nosuid", "noexec", "nodev")),
    ("/dev", "tmpfs", "tmpfs", ("nosuid", "mode=755", "size=65536k")),
    ("/sys", "sysfs", "sysfs", ("nosuid", "noexec", "nodev", "ro")),
)
_SLICE = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{}.slice"


@contextmanager
def userns(folder: Path) -> Iterator[Containerd]:
    """A host with containerd and the pods of `wanted`."""
    with containerd(folder, lambda _: {}) as made:
        host = made.host
        _make_root(host, folder)
        makers = {
            name: _Maker(host, each, FIRST_ID + at * IDS, name == "slice")
            for at, (name, each) in enumerate(wanted(host.token).items())
        }
        with ThreadPoolExecutor() as side_by_side:
            those = side_by_side.map(lambda maker: maker.pod(needed()), makers.values())
            pods = dict(zip(makers, those, strict=True))
        yield Containerd(host, made.socket, made.kubelet, pods)


def wanted(token: str) -> dict[str, Wanted]:
    """`slice` has cgroups with the names of systemd's cgroup driver."""
    app = App("app", ("/listen", "tcp", "::", "8080", "udp", "0.0.0.0", "5353"))
    helper = App("helper", ("/bin/sleep", "1000000"))
    return {
        "plain": Wanted(f"apart-{token}", f"safe-{token}", (app, helper)),
        "slice": Wanted(f"slice-{token}", f"safe-{token}", (helper,)),
    }


class _Maker:
    """Makes one pod."""

    def __init__(self, host: Host, wanted: Wanted, first: int, slice: bool) -> None:
        self.host, self.wanted, self.first, self.slice = host, wanted, first, slice
        self.sandbox = _id()

    def pod(self, found: str) -> Pod:
        self._make_files()
        own = [{"type": kind} for kind in ("user", "network", "ipc", "uts", "pid", "mount")]
        pid = self._run(self.sandbox, ("/pause",), own, {"container-type": "sandbox"}, True)
        addresses = connect(self.host, self.sandbox, pid, found)
        shared = [
            {"type": kind, "path": f"/proc/{pid}/ns/{path}"}
            for kind, path in {"user": "user", "network": "net", "ipc": "ipc", "uts": "uts"}.items()
        ]
        shared += [{"type": kind} for kind in ("pid", "mount")]
        started = []
        for app in self.wanted.apps:
            id = _id()
            named = {"container-type": "container", "container-name": app.name}
            started.append(Started(app.name, id, self._run(id, app.command, shared, named)))
        return Pod(self.wanted, self.sandbox, 0, pid, addresses, tuple(started))

    def _run(
        self,
        id: str,
        command: tuple[str, ...],
        namespaces: list[dict[str, str]],
        named: Mapping[str, str],
        sandbox: bool = False,
    ) -> int:
        """The PID of the first process."""
        path = f"specs/{id}.json"
        spec = self._spec(id, command, namespaces, named, sandbox)
        (self.host.folder / "lib" / path).write_text(json.dumps(spec))
        words = ("run", "--detach", "--null-io", "--config", f"/var/lib/{path}", id)
        done = self.host.run("ctr", "-n", "k8s.io", *words)
        assert not done.returncode, (done.stderr, self.host.said())
        return int((self.host.folder / _BUNDLES / id / "init.pid").read_text())

    def _spec(
        self,
        id: str,
        command: tuple[str, ...],
        namespaces: list[dict[str, str]],
        named: Mapping[str, str],
        sandbox: bool,
    ) -> dict[str, Any]:
        pod = {"id": self.sandbox, "name": self.wanted.name}
        pod |= {"namespace": self.wanted.namespace, "uid": self.wanted.uid}
        told = {f"sandbox-{key}": value for key, value in pod.items()} | dict(named)
        ids = [{"containerID": 0, "hostID": self.first, "size": IDS}]
        spec: dict[str, Any] = {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": 0, "gid": 0}, "args": command, "cwd": "/", "env": ["PATH=/bin"],
                "noNewPrivileges": True, "capabilities": dict.fromkeys(_SETS, _CAPABILITIES),
            },
            "root": {"path": _ROOT},
            "mounts": [*_mounts(_MOUNTS), *self._binds(sandbox)],
            "annotations": {f"io.kubernetes.cri.{key}": value for key, value in told.items()},
            "linux": {
                "namespaces": namespaces, "uidMappings": ids, "gidMappings": ids,
                "cgroupsPath": self._cgroup(id),
            },
        }  # fmt: skip
        return spec | ({"hostname": self.wanted.name} if sandbox else {})

    def _cgroup(self, id: str) -> str:
        root, uid = self.host.cgroup, self.wanted.uid
        if self.slice:
            return f"/{root}/{_SLICE.format(uid.replace('-', '_'))}/cri-containerd-{id}.scope"
        return f"/{root}/kubepods/burstable/pod{uid}/{id}"

    def _make_files(self) -> None:
        servers, searches, options = resolv_text(self.wanted)
        lines = [*(f"nameserver {each}" for each in servers), f"search {' '.join(searches)}"]
        resolv = "\n".join([*lines, f"options {' '.join(options)}", ""])
        files = {
            f"{_KEPT}/{self.sandbox}/resolv.conf": resolv,
            f"{_KEPT}/{self.sandbox}/hostname": f"{self.wanted.name}\n",
            f"/var/lib/kubelet/pods/{self.wanted.uid}/etc-hosts": hosts_text(self.wanted),
        }
        for path, text in files.items():
            _write(self.host.outside(path), text.encode())
        pod = f"{self.wanted.namespace}_{self.wanted.name}_{self.wanted.uid}"
        self.host.outside(f"/var/log/pods/{pod}").mkdir(parents=True)

    def _binds(self, sandbox: bool) -> list[dict[str, Any]]:
        kept, hosts = (
            f"{_KEPT}/{self.sandbox}",
            f"/var/lib/kubelet/pods/{self.wanted.uid}/etc-hosts",
        )
        sources = {"resolv.conf": f"{kept}/resolv.conf"}
        if not sandbox:
            sources |= {"hostname": f"{kept}/hostname", "hosts": hosts}
        binds = ((f"/etc/{name}", "bind", path, ("rbind", "ro")) for name, path in sources.items())
        return list(_mounts(binds))


_SETS = ("bounding", "effective", "permitted")


def _mounts(those: Any) -> Iterator[dict[str, Any]]:
    for destination, kind, source, options in those:
        yield {"destination": destination, "type": kind, "source": source, "options": options}


def _make_root(host: Host, folder: Path) -> None:
    """The files of all containers; they may read and run them, as others."""
    files: dict[str, bytes | str] = busybox()
    files |= {f"/{name}": compiled(folder, name) for name in ("pause", "listen")}
    files |= {f"/etc/{name}": b"" for name in ("resolv.conf", "hosts", "hostname")}
    for path, content in files.items():
        there = Path(f"{host.outside(_ROOT)}{path}")
        if isinstance(content, bytes):
            _write(there, content, 0o755)
        elif content:
            there.symlink_to(content)
        else:
            there.mkdir(parents=True)
    for name in ("proc", "sys", "dev"):
        (host.outside(_ROOT) / name).mkdir()
    host.outside("/var/lib/specs").mkdir()


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def _id() -> str:
    return uuid4().hex + uuid4().hex
