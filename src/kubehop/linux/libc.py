"""The system calls that Python 3.11 does not have. Each raises OSError, with what it was about.

ctypes lets go of the interpreter's lock during a call, so threads do these side by side.
"""

import ctypes
import os
from contextlib import suppress

NEWTIME, NEWNS, NEWCGROUP, NEWUTS = 0x80, 0x00020000, 0x02000000, 0x04000000
NEWIPC, NEWUSER, NEWPID, NEWNET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
"""CLONE_NEW..., linux/sched.h."""

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MS_SLAVE = 4096, 8192, 16384, 1 << 18, 1 << 19
"""linux/mount.h."""

MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36
_PR_GET_CHILD_SUBREAPER = 37

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (*[ctypes.c_char_p] * 3, ctypes.c_ulong, ctypes.c_char_p)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


def give_memory_back() -> None:
    """Let the kernel have what the C library keeps for later: malloc_trim(3); musl keeps none."""
    with suppress(AttributeError):
        _libc.malloc_trim(0)


def unshare(flags: int) -> None:
    """New namespaces for the calling thread (a PID namespace: for its children)."""
    _checked(_libc.unshare(flags), f"unshare({flags:#x})")


def setns(fd: int, flags: int) -> None:
    """Move the calling thread into the namespaces of a /proc/PID/ns/NAME or a pidfd."""
    _checked(_libc.setns(fd, flags), f"setns({flags:#x})")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    parts = (os.fsencode(source), os.fsencode(target), kind.encode() or None)
    made = _libc.mount(*parts, flags, options.encode() or None)
    _checked(made, f"mount {kind or source} on {target}")


def unmount(target: str) -> None:
    """umount2(2), out of sight at once, whatever still uses it."""
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def die_with_parent(signal: int) -> None:
    """Be sent `signal` when the thread that made us ends; it must be alive now."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def adopt_orphans(wanted: bool) -> bool:
    """Become the parent of our descendants' orphans, or not any more; says what was before."""
    before = ctypes.c_int()
    there = ctypes.addressof(before)
    _checked(_libc.prctl(_PR_GET_CHILD_SUBREAPER, there, 0, 0, 0), "prctl(SUBREAPER)")
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0), "prctl(SUBREAPER)")
    return bool(before.value)


def own_our_files() -> None:
    """Let /proc/self belong to us again, after a change of user made it root's."""
    _checked(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl(PR_SET_DUMPABLE)")


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
