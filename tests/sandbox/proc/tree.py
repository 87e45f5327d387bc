"""A /proc in a folder, reconstructed: of runtimes that cannot run where these tests do.

What is in it is written after the documentation and source of the runtimes and of the kernel, not
recorded on a machine.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kubehop.sandbox.proc.scan import Processes
from kubehop.sandbox.proc.source import Proc
from kubehop.sandbox.values import Sandbox

HOST = 4026531840
_FLAGS_OF_A_PROCESS, _FLAGS_OF_A_KERNEL_THREAD = 0x400000, 0x208040


@dataclass
class Tree:
    """`root` is as "/": it has `proc` and maybe `var`. `seen`: namespaces' inodes are shown."""

    root: Path
    seen: bool = True
    _nets: dict[int, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = self.root / "proc/self"
        own.mkdir(parents=True)
        (own / "ns").mkdir()
        (own / "ns/net").symlink_to(f"net:[{HOST}]")
        (own / "net").symlink_to(self.net(HOST))
        (own / "mounts").write_text("proc /proc proc rw,relatime 0 0\n")
        self.process(1, "systemd", "/init.scope", 0)

    def net(self, number: int, address: str = "") -> Path:
        """The /proc/PID/net of the processes in one network namespace."""
        path = self._nets.setdefault(number, self.root / f"nets/{number}")
        if not path.exists():
            path.mkdir(parents=True)
            (path / "dev").write_text("Inter-|\n face |\n    lo: 0\n  eth0: 0\n")
        if address:
            (path / "fib_trie").write_text(f"Main:\n  |-- {address}\n     /32 host LOCAL\n")
        return path

    def process(
        self,
        pid: int,
        comm: str,
        cgroup: str,
        parent: int = 1,
        net: int = HOST,
        command: Sequence[str] = (),
        flags: int = _FLAGS_OF_A_PROCESS,
        state: str = "S",
    ) -> None:
        """One, started the later the greater its PID. `cgroup` is a path of v2, or whole lines."""
        folder = self.root / f"proc/{pid}"
        (folder / "ns").mkdir(parents=True)
        rest = f"{state} {parent} {pid} {pid} 0 -1 {flags} {'0 ' * 12}{pid} 0 0\n"
        (folder / "stat").write_text(f"{pid} ({comm}) {rest}")
        (folder / "comm").write_text(f"{comm}\n")
        (folder / "cgroup").write_text(cgroup if "\n" in cgroup else f"0::{cgroup}\n")
        (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in command))
        (folder / "net").symlink_to(self.net(net))
        if self.seen:
            os.symlink(f"net:[{net}]", folder / "ns/net")

    def log(self, namespace: str, pod: str, uid: str, *containers: tuple[str, str, int]) -> None:
        """The kubelet's folder and links: name, id and attempt of each container."""
        (self.root / f"var/log/pods/{namespace}_{pod}_{uid}").mkdir(parents=True)
        links = self.root / "var/log/containers"
        links.mkdir(exist_ok=True)
        for name, id, attempt in containers:
            target = f"/var/log/pods/{namespace}_{pod}_{uid}/{name}/{attempt}.log"
            (links / f"{pod}_{namespace}_{name}-{id}.log").symlink_to(target)

    def processes(self) -> Processes:
        return Processes.scan(str(self.root / "proc"))

    def sandboxes(self) -> tuple[Sandbox, ...]:
        """With addresses."""
        proc = Proc(str(self.root))
        return proc.detailed(proc.sandboxes())


def shim(id: str, namespace: str = "k8s.io", kind: str = "runc-v2") -> tuple[str, ...]:
    """The arguments of containerd's."""
    address = "/run/containerd/containerd.sock"
    program = f"/usr/bin/containerd-shim-{kind}"
    return program, "-namespace", namespace, "-id", id, "-address", address


def conmon(id: str, name: str) -> tuple[str, ...]:
    """The arguments of CRI-O's conmon."""
    bundle = f"/run/containers/storage/overlay-containers/{id}/userdata"
    return "/usr/bin/conmon", "-b", bundle, "-c", id, "-l", "/x.log", "-n", name, "-u", id
