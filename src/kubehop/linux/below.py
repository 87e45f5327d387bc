"""Paths looked up below another root, as a process that lives there would: never out of it.

openat2(2) does it where the kernel has it (5.6); else each step is taken by hand.
"""

import ctypes
import errno
import os
import stat
from collections import deque
from contextlib import suppress

_OPENAT2 = 437
"""The same number on every architecture: asm-generic/unistd.h."""
_NO_MAGIC_LINKS, _IN_ROOT = 0x02, 0x10
"""RESOLVE_..., linux/openat2.h."""
_FLAGS = os.O_PATH | os.O_CLOEXEC
_LINKS = 40
"""Symbolic links that the kernel follows on one path: path_resolution(7)."""
_NOT_OFFERED = (errno.ENOSYS, errno.EPERM, errno.EAGAIN)
"""No such call; forbidden by seccomp; something was renamed meanwhile."""

_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    """struct open_how."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("flags", "mode", "resolve"))


def open_below(root: int, path: str) -> int:
    """A path inside of the directory `root`, opened with O_PATH: nothing is done to what is there.

    Links are followed as if `root` were the root directory. Raises OSError.
    """
    try:
        return _openat2(root, path)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    return walked_below(root, path)


def read_regular(root: int, path: str, limit: int) -> bytes | None:
    """The first `limit` octets of a file below `root`; None if it is no regular file.

    A FIFO or a device is not even opened. Raises OSError.
    """
    there = open_below(root, path)
    try:
        if not stat.S_ISREG(os.fstat(there).st_mode):
            return None
        # Through /proc it is the very same file, whatever the path leads to by now.
        fd = os.open(f"/proc/self/fd/{there}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    finally:
        os.close(there)
    with open(fd, "rb") as file:
        return file.read(limit)


def walked_below(root: int, path: str) -> int:
    """`open_below` by hand; `..` goes to where we came from, so that no rename leads out."""
    left, links = deque(path.split("/")), 0
    way = [os.dup(root)]
    try:
        while left:
            step = left.popleft()
            if step in ("", ".", ".."):
                _checked_folder(way[-1])
                if step == ".." and len(way) > 1:
                    os.close(way.pop())
                continue
            way.append(os.open(step, _FLAGS | os.O_NOFOLLOW, dir_fd=way[-1]))
            if stat.S_ISLNK(os.fstat(way[-1]).st_mode):
                links += 1
                left.extendleft(reversed(_target(way, links)))
        return os.dup(way[-1])
    finally:
        for fd in way:
            with suppress(OSError):
                os.close(fd)


def _checked_folder(fd: int) -> None:
    if not stat.S_ISDIR(os.fstat(fd).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def _target(way: list[int], links: int) -> list[str]:
    """Where the link at the end of the way points to; the way is as far back as it goes on from."""
    if links > _LINKS:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    link = way.pop()
    try:
        target = os.readlink("", dir_fd=link)
    finally:
        os.close(link)
    while target.startswith("/") and len(way) > 1:
        os.close(way.pop())
    return target.split("/")


def _openat2(root: int, path: str) -> int:
    how = _How(_FLAGS, 0, _IN_ROOT | _NO_MAGIC_LINKS)
    arguments = (ctypes.c_long(root), os.fsencode(path), ctypes.byref(how))
    size = ctypes.c_long(ctypes.sizeof(how))
    fd: int = _libc.syscall(ctypes.c_long(_OPENAT2), *arguments, size)
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return fd
