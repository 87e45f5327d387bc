"""A sandbox's network namespace: opened, known to be the right one, and entered.

namespaces(7), ioctl_ns(2), setns(2). A PID may be another's by the time it is used: a pidfd is
opened first, and what was opened through the PID counts only if the process has not ended since
and is one of the sandbox's.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from kubehop.linux import libc
from kubehop.model.errors import KubehopError, printable
from kubehop.sandbox.process import held
from kubehop.sandbox.values import SHORT, Sandbox

_GET_OWNER, _GET_KIND = 0xB701, 0xB703
"""NS_GET_USERNS, NS_GET_NSTYPE: linux/nsfs.h."""
_NEEDS = "root, or CAP_SYS_ADMIN and CAP_SYS_PTRACE"
_DENIED = (errno.EPERM, errno.EACCES)
_SAME = (("/var/run/", "/run/"),)
"""Absolute links that every system has; followed by hand below another root."""


class NotAllowedError(KubehopError):
    """Something there that may not be looked at; `needs` is the privilege that is missing."""

    def __init__(self, why: str, needs: str = _NEEDS) -> None:
        super().__init__(why)
        self.why, self.needs = why, needs

    def __str__(self) -> str:
        return printable(f"{self.why}: needs {self.needs}")


class GoneError(KubehopError):
    """A sandbox that has ended meanwhile, or that nothing leads to any more."""

    def __str__(self) -> str:
        return printable(super().__str__())


class Namespace(Struct, frozen=True):
    """An open network namespace, alive until it is closed.

    `fd` is of the namespace, `user_fd` of the user namespace that owns it if that is another than
    ours (None if it is ours, or above ours). `pid` is the process through which it was opened.
    """

    fd: int
    inode: int
    pid: int | None = None
    user_fd: int | None = None

    def close(self) -> None:
        """Let go of it: once."""
        os.close(self.fd)
        if self.user_fd is not None:
            os.close(self.user_fd)


def open_namespace(sandbox: Sandbox, runtime_pid: int | None = None) -> Namespace:
    """The network namespace of a sandbox, through its processes or the path that it has.

    `runtime_pid` is of the runtime, whose mounts may be others than ours. Raises NotAllowedError
    where it is there and may not be opened, GoneError where nothing leads to it.
    """
    denied: OSError | None = None
    for pid, id in _processes(sandbox):
        try:
            if found := _of_process(pid, id, sandbox.inode):
                return found
        except OSError as error:
            denied = error if error.errno in _DENIED else denied
    for path in _paths(sandbox.netns_path, runtime_pid):
        try:
            if found := _at(path, sandbox.inode):
                return found
        except OSError as error:
            denied = error if error.errno in _DENIED else denied
    if denied:
        raise NotAllowedError(f"the network namespace of {_name(sandbox)} may not be opened")
    raise GoneError(f"{_name(sandbox)} has ended: nothing leads to its network namespace")


def own_namespace() -> Namespace:
    """The calling thread's own. Raises OSError where there is no /proc."""
    fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    return Namespace(fd, os.fstat(fd).st_ino, None, _owner(fd))


def namespace_of(pid: int) -> Namespace:
    """That of any process. Raises NotAllowedError, GoneError."""
    return open_namespace(Sandbox(pid=pid))


def enter(namespace: Namespace) -> None:
    """Move the calling thread into it, for good.

    Whoever lacks the privilege goes through the owning user namespace, which only a process with
    a single thread can: a forked child. Raises NotAllowedError.
    """
    try:
        if not _entered_directly(namespace):
            assert namespace.user_fd is not None
            libc.setns(namespace.user_fd, libc.NEWUSER)
            libc.setns(namespace.fd, libc.NEWNET)
    except OSError as error:
        raise NotAllowedError(f"the network namespace may not be entered ({error})") from error


@contextmanager
def inside(namespace: Namespace) -> Iterator[None]:
    """Have the calling thread in it, and back after. What it opens there stays there.

    Raises NotAllowedError for a user who could get in through the owning user namespace only:
    there is no way back out of that. See `enter`, and `sandbox.inside`.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            direct = _entered_directly(namespace)
        except OSError as error:
            raise NotAllowedError(f"the network namespace may not be entered ({error})") from error
        if not direct:
            raise NotAllowedError("the network namespace can be entered by root alone", "root")
        try:
            yield
        finally:
            libc.setns(home, libc.NEWNET)
    finally:
        os.close(home)


def _entered_directly(namespace: Namespace) -> bool:
    """False if there is a way through the owning user namespace only."""
    try:
        libc.setns(namespace.fd, libc.NEWNET)
    except OSError as error:
        if error.errno != errno.EPERM or namespace.user_fd is None:
            raise
        return False
    return True


def _processes(sandbox: Sandbox) -> Iterator[tuple[int, str]]:
    if sandbox.pid is not None:
        yield sandbox.pid, sandbox.id
    for container in sandbox.containers:
        if container.pid is not None:
            yield container.pid, container.id


def _of_process(pid: int, id: str, inode: int | None) -> Namespace | None:
    """None if it is not that of the container `id` (any more). Raises OSError."""
    if pid <= 0:
        return None
    with held(pid, id) as process:
        fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if process.still():
            return _verified(fd, inode, pid)
        os.close(fd)
        return None


def _paths(path: str, runtime_pid: int | None) -> Iterator[str]:
    if not path.startswith("/"):
        return
    yield path
    if runtime_pid is not None:
        below = f"/proc/{runtime_pid}/root"
        for prefix, target in _SAME:
            if path.startswith(prefix):
                yield below + target + path.removeprefix(prefix)
        yield below + path


def _at(path: str, inode: int | None) -> Namespace | None:
    """What is mounted at a path. Raises OSError. Nothing but a namespace is ever opened."""
    if "\0" in path or os.stat(path).st_dev != os.stat("/proc/self/ns/net").st_dev:
        return None
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    return _verified(fd, inode)


def _verified(fd: int, inode: int | None, pid: int | None = None) -> Namespace | None:
    """None if it is no network namespace or another than the one with this inode."""
    try:
        found = os.fstat(fd).st_ino
        if inode in (None, found) and fcntl.ioctl(fd, _GET_KIND) == libc.NEWNET:
            return Namespace(fd, found, pid, _owner(fd))
    except OSError:
        pass
    os.close(fd)
    return None


def _owner(fd: int) -> int | None:
    try:
        owner = fcntl.ioctl(fd, _GET_OWNER)
    except OSError:
        return None  # not below ours: none of our business
    if os.fstat(owner).st_ino != os.stat("/proc/self/ns/user").st_ino:
        return owner
    os.close(owner)
    return None


def _name(sandbox: Sandbox) -> str:
    if sandbox.name:
        return f"pod {sandbox.namespace}/{sandbox.name}"
    return f"sandbox {sandbox.id[:SHORT]}" if sandbox.id else f"process {sandbox.pid}"
