"""Files that a process sees in place of the machine's, in a mount namespace of its own."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kubehop.linux import libc

Texts = Sequence[tuple[str, str]]
"""Paths, and what is to stand there."""
_SYS = "/sys"


def own_mounts(files: Texts = ()) -> None:
    """Give the calling thread mounts of its own, with `files` over what is there.

    To be called in a thread that shares no file system state with others. Raises OSError.
    """
    libc.unshare(libc.NEWNS)
    libc.mount("none", "/", flags=libc.MS_REC | libc.MS_PRIVATE)
    if not files:
        return
    # A place that is of use for a moment only: a bind mount keeps what it shows.
    libc.mount("tmpfs", _SYS, "tmpfs", options="mode=755")
    for number, (path, text) in enumerate(files):
        there = Path(_SYS, str(number))
        there.write_text(text, encoding="utf-8")
        libc.mount(str(there), path, flags=libc.MS_BIND)
    libc.unmount(_SYS)


def own_sys() -> None:
    """Have /sys show the network namespace, where the kernel allows it."""
    with suppress(OSError):
        libc.mount("sysfs", _SYS, "sysfs", libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC)
