"""A program of the host's in a pod's network: the rest that it sees is the host's, or the pod's.

As `ip netns exec` does: network namespace, mounts of its own with a /sys that shows that network,
files bound over those in /etc.
"""

import os
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from kubehop.linux import libc
from kubehop.linux.cover import own_mounts, own_sys
from kubehop.linux.foreground import foreground
from kubehop.model.errors import UsageError
from kubehop.sandbox.namespace import Namespace, NotAllowedError, enter
from kubehop.sandbox.values import Files

_NSSWITCH = "/etc/nsswitch.conf"
_HOSTS_LINE = re.compile(r"^[ \t]*hosts[ \t]*:.*$", re.MULTILINE)
_BY_FILES = "hosts: files dns"
"""Otherwise a host with systemd-resolved would ask that, over a socket of the host's."""
_NSCD = "/run/nscd"
"""A daemon that answers glibc's lookups with what the host knows."""


def run_in_network(namespace: Namespace, command: Sequence[str], files: Files | None = None) -> int:
    """Run it to its end; its exit code, 128 + the signal that killed it, 127 or 126.

    With `files` it also sees these in place of the host's, and the pod's hostname. To be called
    once, in a process with one thread: it does not come back. Raises NotAllowedError if we may
    not go in, UsageError where a file cannot stand there.
    """
    uts = _uts(namespace) if files else None
    if is_ours(namespace) and files is None:
        return foreground(command)
    go_inside(namespace)
    try:
        if files:
            _hostname(uts, files.hostname)
        own_mounts(tuple(covers(files)) if files else ())
        _hide_nscd(files)
    except PermissionError as error:
        raise NotAllowedError("mounts of its own may not be made", "CAP_SYS_ADMIN") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"what the pod sees cannot be shown: {error}") from error
    own_sys()
    return foreground(command)


def is_ours(namespace: Namespace) -> bool:
    """Whether the calling thread is there already: a pod in the host's network."""
    return namespace.inode == os.stat("/proc/thread-self/ns/net").st_ino


def go_inside(namespace: Namespace) -> None:
    """Move the calling thread there, for good, if it is not there yet. Raises NotAllowedError."""
    if not is_ours(namespace):
        enter(namespace)


def covers(files: Files) -> Iterator[tuple[str, str]]:
    """Paths and what is to be seen there: what is known, and how names are to be looked up.

    Raises UsageError for a file that the host has no place for.
    """
    for path, text in (("/etc/resolv.conf", files.resolv_conf), ("/etc/hosts", files.hosts)):
        if text is None:
            continue
        if not os.path.isfile(path):  # a link to nowhere, too
            raise UsageError(f"{path} is no file on this host: the pod's cannot be shown there")
        yield path, text
    if os.path.isfile(_NSSWITCH):
        yield _NSSWITCH, by_files(Path(_NSSWITCH).read_text(encoding="utf-8", errors="replace"))


def by_files(nsswitch: str) -> str:
    """The same nsswitch.conf, with hosts looked up in the hosts file and by DNS alone."""
    if _HOSTS_LINE.search(nsswitch):
        return _HOSTS_LINE.sub(_BY_FILES, nsswitch)
    return f"{_BY_FILES}\n{nsswitch}"


def _uts(namespace: Namespace) -> int | None:
    if namespace.pid is None:
        return None
    try:
        fd = os.open(f"/proc/{namespace.pid}/ns/uts", os.O_RDONLY | os.O_CLOEXEC)
        if os.stat(f"/proc/{namespace.pid}/ns/net").st_ino == namespace.inode:
            return fd
        os.close(fd)  # the PID is another's by now
    except OSError:
        pass
    return None


def _hostname(uts: int | None, name: str | None) -> None:
    """The pod's own, in a copy of its UTS namespace: nobody can change it from here."""
    if uts is not None:
        libc.setns(uts, libc.NEWUTS)
        os.close(uts)
    libc.unshare(libc.NEWUTS)
    if uts is None and name:
        socket.sethostname(name)


def _hide_nscd(files: Files | None) -> None:
    if files and os.path.isdir(_NSCD):
        libc.mount("tmpfs", _NSCD, "tmpfs", options="mode=755")
