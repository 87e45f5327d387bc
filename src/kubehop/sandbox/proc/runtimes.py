"""What the arguments of a runtime's own processes tell; no I/O.

containerd starts one shim for each sandbox and names it by `-id` (docker: one for each container);
CRI-O and podman start one conmon for each container.
"""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from kubehop.sandbox.proc.scan import Process

_ID = re.compile(r"[0-9a-f]{64}")
_SHIM = re.compile(r"(?:docker-)?containerd-shim(?:-([a-z]+))?(?:-[a-z0-9-]+)?")
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_KUBE_NAME = re.compile(
    rf"k8s_({_LABEL}|POD)_({_DNS_NAME})_({_LABEL})_([0-9a-f-]{{32,36}})_([0-9]{{1,9}})"
)
"""CRI-O's names of containers: container, pod, namespace, uid, attempt."""
_POD = "POD"
_KUBERNETES, _DOCKER = "k8s.io", "moby"
"""containerd's namespaces."""

_GUESTS = ("qemu", "cloud-hyperviso", "firecracker", "virtiofsd")
_NAMES_OF_GVISOR = ("runsc", "runsc-sandbox")
GVISOR, KATA = "runsc", "kata"
"""Runtime handlers by their usual names: a RuntimeClass may call them anything."""


class Kept(Struct, frozen=True):
    """What the name of a container of CRI-O's tells; `container` is "" for the sandbox's own."""

    namespace: str
    pod: str
    uid: str
    container: str
    attempt: int


class Keeper(Struct, frozen=True):
    """A shim or conmon: of the container `id` if it keeps one alone, else of the sandbox `id`.

    `around` are the containers that it runs in, as a `Process.outer`: it keeps those that have
    just these around them.
    """

    pid: int
    id: str
    of_sandbox: bool
    around: tuple[str, ...]
    runtime: str = ""
    handler: str = ""
    kept: Kept | None = None


def keeper(process: Process) -> Keeper | None:
    """None for a process that keeps no container."""
    program = process.command[0].rpartition("/")[2] if process.command else ""
    options = _options(process.command)
    if shim := _SHIM.fullmatch(program):
        id = options.get("id", "") or options.get("workdir", "").rstrip("/").rpartition("/")[2]
        if not _ID.fullmatch(id):
            return None
        space = options.get("namespace", "")
        runtime = {_KUBERNETES: "containerd", _DOCKER: "docker"}.get(space, "containerd")
        handler = shim[1] if shim[1] in (GVISOR, KATA) else ""
        # Version 1 has one for each container, and says so by its work folder.
        of_sandbox = space == _KUBERNETES and "id" in options
        return Keeper(process.pid, id, of_sandbox, _around(process), runtime, handler)
    if program == "conmon" and _ID.fullmatch(id := options.get("c") or options.get("cid", "")):
        kept = _kept(options.get("n") or options.get("name", ""))
        runtime = "cri-o" if kept else ""
        return Keeper(process.pid, id, False, _around(process), runtime, "", kept)
    return None


def handler_of(firsts: Iterable[Process], others: Iterable[Process]) -> str:
    """What runs a pod apart from the host's kernel, by its processes; "" if nothing does.

    `firsts` are those that the runtime started in its containers, `others` those beside them: a
    virtual machine in a container is only a program of the pod's (KubeVirt).
    """
    for process in firsts:
        program = process.command[0].rpartition("/")[2] if process.command else ""
        if program in _NAMES_OF_GVISOR or process.comm in _NAMES_OF_GVISOR:
            return GVISOR
    return KATA if any(each.comm.startswith(_GUESTS) for each in others) else ""


def _around(process: Process) -> tuple[str, ...]:
    """A runtime in a container keeps what is below that. A shim that is put into the group of
    its pod is in no container of it.
    """
    if process.container_id:
        return (*process.outer, process.container_id)
    return process.outer


def _options(command: Sequence[str]) -> dict[str, str]:
    """Of `-name value`, `--name value` and `--name=value`; the first of each counts."""
    found: dict[str, str] = {}
    for word, following in zip(command[1:], (*command[2:], ""), strict=False):
        if word.startswith("-"):
            name, equals, value = word.lstrip("-").partition("=")
            found.setdefault(name, value if equals else following)
    return found


def _kept(name: str) -> Kept | None:
    named = _KUBE_NAME.fullmatch(name)
    if not named:
        return None
    container = "" if named[1] == _POD else named[1]
    return Kept(named[3], named[2], named[4], container, int(named[5]))
