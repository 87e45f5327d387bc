"""A program of the machine's inside of a sandbox, started from outside of the lab.

As nsenter(1) and `ip netns exec` do: setns(2) into all namespaces of the pause process, a /sys
that shows that network, and the program as a child in the foreground, so that terminal, signals
of the keyboard and open files are its own.
"""

import os
from collections.abc import Sequence
from contextlib import suppress

from kubehop.linux import libc
from kubehop.linux.cover import Texts, own_mounts, own_sys
from kubehop.linux.foreground import foreground
from kubehop.model.errors import UsageError

_NAMESPACES = libc.NEWNET | libc.NEWNS | libc.NEWUTS | libc.NEWIPC | libc.NEWPID


def run_inside(pid: int, command: Sequence[str], files: Texts = ()) -> int:
    """Run it to its end; its exit code, 128 + the signal that killed it, 127 or 126.

    `pid` is of the pause process, as this process sees it; `files` are what it sees besides the
    sandbox's. To be called once, in a process with one thread: it does not come back from there.
    Raises UsageError if we may not go in.
    """
    folder = os.getcwd()
    try:
        _go_inside(pid, files)
    except OSError as error:
        raise UsageError(f"the lab cannot be entered: {error}") from error
    with suppress(OSError):
        os.chdir(folder)
    return foreground(command)


def _go_inside(pid: int, files: Texts) -> None:
    there = os.pidfd_open(pid)
    own = os.stat("/proc/self/ns/user").st_ino == os.stat(f"/proc/{pid}/ns/user").st_ino
    libc.setns(there, _NAMESPACES | (0 if own else libc.NEWUSER))
    os.close(there)
    own_mounts(files)
    own_sys()
