"""resolv.conf, hosts and hostname as a pod's containers see them.

Read through a process of the pod, below its root directory and never out of that, whatever
links were planted there; else where the runtimes and the kubelet keep them on the host.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from kubehop.linux import libc
from kubehop.linux.below import open_below, read_regular
from kubehop.sandbox.process import Held, held
from kubehop.sandbox.values import Container, Files, Sandbox, Unknown

if TYPE_CHECKING:
    from kubehop.sandbox.proc.scan import Processes

LIMIT = 1 << 20
"""Octets of a file that are read: hosts files of that size are nobody's."""
_NEEDS = "root, or CAP_SYS_PTRACE"
_DENIED = (errno.EPERM, errno.EACCES)
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)

_CONTAINERD = "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes"
_RANCHER = "/var/lib/rancher/{0}/agent/containerd/io.containerd.grpc.v1.cri/sandboxes"
_SANDBOXES = (_CONTAINERD, *map(_RANCHER.format, ("k3s", "rke2")))
_DOCKER = "/var/lib/docker/containers"
_KUBELET = "/var/lib/kubelet/pods"

FIELDS = {"resolv_conf": "resolv.conf", "hosts": "hosts", "hostname": "hostname"}
"""Fields of Files, and names in /etc."""


class _Found(Struct):
    """What was read so far, and why something was not."""

    texts: dict[str, str]
    denied: bool = False
    ended: bool = False


def read_files(
    sandbox: Sandbox,
    processes: "Processes | None" = None,
    container: Container | None = None,
) -> Files:
    """The files of one container, or of the pod: of its first container that runs.

    `processes` are asked for those of which the sandbox knows no PID. Never raises; "" is a file
    that is not there.
    """
    found = _Found({})
    for pid, id in _processes(sandbox, container, processes):
        if len(found.texts) < len(FIELDS):
            _through(pid, id, found)
    for field, name in FIELDS.items():
        for path in _kept(sandbox, name):
            if field not in found.texts:
                _from_host(path, field, found)
    unknown = tuple(
        Unknown(f"the container's {name}", *_why(found))
        for field, name in FIELDS.items()
        if field not in found.texts
    )
    return Files(**found.texts, unknown=unknown)


def _why(found: _Found) -> tuple[str, str]:
    if found.denied:
        return "its files may not be read", _NEEDS
    return ("its processes have ended", "") if found.ended else ("no process of it is known", "")


def _processes(
    sandbox: Sandbox, container: Container | None, processes: "Processes | None"
) -> Iterator[tuple[int, str]]:
    """PIDs and whose they are, the best first: what pause sees is the runtime's alone."""
    for one in (container,) if container else sandbox.containers:
        if one.pid is not None:
            yield one.pid, one.id
        elif processes and one.id:
            yield from ((process.pid, one.id) for process in processes.of_container(one.id))
    if sandbox.pid is not None:
        yield sandbox.pid, sandbox.id


def _through(pid: int, id: str, found: _Found) -> None:
    """Read what a process sees, unless it is another's by now."""
    texts: dict[str, str] = {}
    try:
        with held(pid, id) as process, _root(pid) as root:
            if root is None:
                return
            if hostname := _hostname(pid):
                texts["hostname"] = hostname
            for field, name in FIELDS.items():
                if field not in found.texts | texts:
                    _add(root, f"etc/{name}", field, texts)
            _keep(process, texts, found)
    except OSError as error:
        found.denied |= error.errno in _DENIED
        found.ended |= error.errno not in _DENIED


def _keep(process: Held, texts: dict[str, str], found: _Found) -> None:
    if process.still():
        found.texts |= texts
    else:
        found.ended = True


@contextmanager
def _root(pid: int) -> Iterator[int | None]:
    """The root directory of a process; None if it sees what we see, so no container's files."""
    if os.stat(f"/proc/{pid}/ns/mnt").st_ino == os.stat("/proc/self/ns/mnt").st_ino:
        yield None
        return
    root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield root
    finally:
        os.close(root)


def _add(root: int, path: str, field: str, texts: dict[str, str]) -> None:
    try:
        if field == "hostname" and _same_as_ours(root, path):
            return  # no runtime has put one there
        octets = read_regular(root, path, LIMIT)
    except OSError as error:
        if error.errno in _NOT_THERE:
            texts[field] = ""
        return
    if octets is not None:
        texts[field] = _text(field, octets)


def _same_as_ours(root: int, path: str) -> bool:
    there = open_below(root, path)
    try:
        with suppress(OSError):
            return os.path.samestat(os.fstat(there), os.stat(f"/{path}"))
        return False
    finally:
        os.close(there)


def _hostname(pid: int) -> str:
    """What its UTS namespace says; "" if we may not ask: uts_namespaces(7)."""
    there = home = -1
    try:
        home = os.open("/proc/thread-self/ns/uts", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(f"/proc/{pid}/ns/uts", os.O_RDONLY | os.O_CLOEXEC)
        libc.setns(there, libc.NEWUTS)
        try:
            return os.uname().nodename
        finally:
            libc.setns(home, libc.NEWUTS)
    except OSError:
        return ""
    finally:
        for fd in (there, home):
            if fd >= 0:
                os.close(fd)


def _kept(sandbox: Sandbox, name: str) -> Iterator[str]:
    """Where a file of a pod is kept on the host, if anybody has it."""
    if sandbox.uid and name == "hosts":
        yield f"{_KUBELET}/{sandbox.uid}/etc-hosts"
    if sandbox.id:
        yield from (f"{folder}/{sandbox.id}/{name}" for folder in _SANDBOXES)
        yield f"{_DOCKER}/{sandbox.id}/{name}"


def _from_host(path: str, field: str, found: _Found) -> None:
    """Names come from runtimes that anybody may have written: still regular files alone."""
    if ".." in path:
        return
    root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        octets = read_regular(root, path, LIMIT)
    except (OSError, ValueError) as error:
        found.denied |= isinstance(error, OSError) and error.errno in _DENIED
        return
    finally:
        os.close(root)
    if octets is not None:
        found.texts[field] = _text(field, octets)


def _text(field: str, octets: bytes) -> str:
    text = octets.decode("utf-8", "replace")
    return text.strip() if field == "hostname" else text
