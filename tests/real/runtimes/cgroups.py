"""Real processes in real cgroups, with the names that every runtime and cgroup driver gives them.

For runtimes that are not on this machine, and systemd's driver, which needs systemd. What is in
the cgroups are programs of ours with the names and arguments of the runtimes' own. Sources of the
names: see `kubehop.sandbox.proc.cgroup`.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zlib import crc32

from tests.real.needs import lacks
from tests.real.runtimes.host import Host, host, wait_for
from tests.real.runtimes.images import compiled

SYSTEMD = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid_}.slice"
CGROUPFS = "kubepods/burstable/pod{uid}"
KIND = "system.slice/docker-{node}.scope"
_KUBELET = f"{KIND}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{{uid_}}.slice"
_HOST = "system.slice/containerd.service"
_SCENE = Path(__file__).with_name("cgroups_scene.py")
_START = 'while [ ! -e "$3/scene.json" ]; do sleep 0.05; done; exec "$@"'
_IDS = UUID("5c1cba3e-9ad5-4ad6-8d86-1b7dc0d1e9a5")
_SHIM = "containerd-shim-runc-v2"
_PROGRAMS = (_SHIM, "pause", "conmon", "app", "systemd")
_WORDS = {"pause": (), "app": ("tcp", "::", "8080", "udp", "0.0.0.0", "5353")}

_Made = dict[str, Any]
"""A process for cgroups_scene.py."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a runtime calls things: `group` is of a container, `keeper` of what keeps it.

    `runtime` is what /proc alone should make of it, `keeps` is `shim` (one for all containers),
    `moby` or `conmon` (one for each). Without `pause` the sandbox has no container; without `pod`
    it is a container of nobody's pod. `network` is that of a node around it.
    """

    runtime: str
    group: str
    keeper: str = _HOST
    keeps: str = "shim"
    pause: bool = True
    pod: bool = True
    static: bool = False
    network: str = ""


FORMS = {
    "containerd": Form("containerd", f"{SYSTEMD}/cri-containerd-{{id}}.scope"),
    "static": Form(
        "containerd", "kubepods.slice/kubepods-pod{uid_}.slice/cri-containerd-{id}.scope",
        static=True,
    ),
    "colons": Form("containerd", "kubepods-besteffort-pod{uid_}.slice:cri-containerd:{id}"),
    "docker": Form("docker", f"{SYSTEMD}/docker-{{id}}.scope", keeps="moby"),
    "cri-o": Form(
        "cri-o", f"{SYSTEMD}/crio-{{id}}.scope", f"{SYSTEMD}/crio-conmon-{{id}}.scope", "conmon",
        pause=False,
    ),
    "cri-o, crun, pause": Form(
        "cri-o", f"{SYSTEMD}/crio-{{id}}.scope/container", f"{SYSTEMD}/crio-conmon-{{id}}.scope",
        "conmon",
    ),
    "cri-o, cgroupfs": Form(
        "cri-o", f"{CGROUPFS}/crio-{{id}}", f"{CGROUPFS}/crio-conmon-{{id}}", "conmon", pause=False
    ),
    "podman": Form(
        "podman", "machine.slice/libpod-{id}.scope/container",
        "machine.slice/libpod-conmon-{id}.scope", "conmon", pause=False, pod=False,
    ),
    "podman, cgroupfs": Form(
        "podman", "libpod_parent/libpod-{id}", "libpod_parent/conmon", "conmon", pause=False,
        pod=False,
    ),
    "kind": Form(
        "containerd", f"{_KUBELET}/cri-containerd-{{id}}.scope",
        f"{KIND}/system.slice/containerd.service", network="node",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placed:
    """A pod in the form of this name: ids ("" for what it has not), and PIDs once it is there."""

    form: Form
    name: str
    namespace: str
    uid: str
    pause: str
    app: str
    node: str
    addresses: tuple[str, str]
    pids: dict[str, int]

    def group(self, template: str, id: str = "") -> str:
        """The cgroup of this container, or of what keeps it."""
        uid_ = self.uid.replace("-", "_")
        return template.format(uid=self.uid, uid_=uid_, id=id, node=self.node)


@dataclass(frozen=True, slots=True)
class Cgroups:
    """`pods` are by the names of FORMS, their cgroups below the host's in each of `mounts`."""

    host: Host
    pods: dict[str, Placed]
    mounts: list[str]


def mounts(version: int) -> list[str]:
    """Where cgroups of a version are: cgroups(7). systemd gives none of its own in cpuset."""
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, path, kind, options, *_ = line.split()
        if kind == {1: "cgroup", 2: "cgroup2"}[version] and "cpuset" not in options.split(","):
            found.append(path)
    return found


@contextmanager
def cgroups(folder: Path, version: int) -> Iterator[Cgroups]:
    """A host with a pod of every form, in cgroups of version 1 or 2."""
    found = mounts(version) or lacks(f"cgroup v{version}, mounted", in_ci=False)
    programs = {name: compiled(folder, name) for name in ("pause", "listen")}
    words = ("sh", sys.executable, str(_SCENE), "{folder}", "{cgroup}")
    with host("sh", "-c", _START, *words) as made:
        for name in _PROGRAMS:
            path = made.folder / "lib" / name
            path.write_bytes(programs["listen" if name == "app" else "pause"])
            path.chmod(0o755)
        pods = {
            name: _placed(form, name, made.token, at)
            for at, (name, form) in enumerate(FORMS.items(), 1)
        }
        _tell(made, _scene(pods, found))
        wait_for((made.folder / "scene.started").exists, made.said)
        for name, pid in json.loads((made.folder / "scene.started").read_text()).items():
            form, _, what = name.partition("/")
            pods[form].pids[what] = pid
        yield Cgroups(made, pods, found)


def _tell(made: Host, scene: dict[str, Any]) -> None:
    new = made.folder / "scene.new"
    new.write_text(json.dumps(scene))
    new.rename(made.folder / "scene.json")


def _scene(pods: dict[str, Placed], mounts: list[str]) -> dict[str, Any]:
    networks = {name: _lines(pod) for name, pod in pods.items()} | {"node": []}
    processes = [one for name, pod in pods.items() for one in _processes(name, pod)]
    return {"mounts": mounts, "networks": networks, "processes": processes}


def _placed(form: Form, name: str, token: str, at: int) -> Placed:
    uid = str(uuid5(_IDS, f"{token} {name}"))
    uid = uid.replace("-", "") if form.static else uid
    high, low = crc32(token.encode()) % 100 + 100, crc32(token.encode()) // 100 % 256
    return Placed(
        form,
        f"pod-{at}",
        f"ns-{token}",
        uid if form.pod else "",
        _id(token, f"{name} pause") if form.pause else "",
        _id(token, name),
        _id(token, "node"),
        (f"10.{high}.{low}.{at}", f"fd00:10:{high}:{low}::{at}"),
        {},
    )


def _id(token: str, of: str) -> str:
    return uuid5(_IDS, f"{token} {of}").hex * 2


def _lines(pod: Placed) -> list[str]:
    """Without link-local addresses, which would be tentative for a while."""
    return [
        "link set lo up",
        "link add eth0 type veth peer name other0",
        "link set eth0 addrgenmode none",
        "link set other0 addrgenmode none",
        f"addr add {pod.addresses[0]}/24 dev eth0",
        f"addr add {pod.addresses[1]}/64 dev eth0 nodad",
        "link set other0 up",
        "link set eth0 up",
    ]


def _processes(name: str, pod: Placed) -> Iterator[_Made]:
    """What the runtime started: what keeps containers, with these as its children."""
    form = pod.form
    ids = {"pause": pod.pause, "app": pod.app}
    kept = {
        id: _process(f"{name}/{what}", what, _WORDS[what], pod.group(form.group, id), name)
        for what, id in ids.items()
        if id
    }
    if form.keeps == "shim":
        shim = ("-namespace", "k8s.io", "-id", pod.pause, "-address", "/run/containerd.sock")
        group = pod.group(form.keeper)
        yield _process(f"{name}/shim", _SHIM, shim, group, form.network, list(kept.values()))
    for id, one in kept.items() if form.keeps != "shim" else ():
        shim = ("-namespace", "moby", "-id", id, "-address", "/run/docker.sock")
        conmon = ("--syslog", "-c", id, "-n", _called(pod, id), "-u", id)
        program, words = (_SHIM, shim) if form.keeps == "moby" else ("conmon", conmon)
        yield _process(
            f"{name}/keeper of {id}", program, words, pod.group(form.keeper, id), "", [one]
        )
    if form.network:
        yield _process(f"{name}/node", "systemd", (), pod.group(f"{KIND}/init.scope"), form.network)


def _called(pod: Placed, id: str) -> str:
    """CRI-O's name of a container; podman's has no form."""
    what = "POD" if id == pod.pause else "app"
    return f"k8s_{what}_{pod.name}_{pod.namespace}_{pod.uid}_0" if pod.uid else pod.name


def _process(
    name: str,
    program: str,
    words: tuple[str, ...],
    cgroup: str,
    network: str,
    keeps: list[_Made] | None = None,
) -> _Made:
    return {
        "name": name,
        "program": f"/var/lib/{program}",
        "words": [f"/usr/bin/{program}", *words],
        "cgroup": cgroup,
        "network": network,
        "keeps": keeps or [],
    }
