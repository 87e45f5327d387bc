"""Reading below a folder's descriptor, in few system calls: there are thousands of these reads."""

import os

_FLAGS = os.O_RDONLY | os.O_CLOEXEC
_PIECE, _SHORT = 1 << 16, 1 << 12
LARGEST = 8 << 20
"""Octets of one file: a host with a hundred thousand sockets. Anything after is not looked at."""


def read(path: str, folder: int | None = None, largest: int = LARGEST) -> bytes:
    """The file's content, its first `largest` octets or so. Raises OSError.

    A FIFO or a device, which could be waited for, gives nothing at once.
    """
    fd = os.open(path, _FLAGS | os.O_NONBLOCK, dir_fd=folder)
    try:
        found = os.read(fd, _PIECE)
        if not found:
            return found
        parts, length = [found], len(found)
        # The kernel's answers come in pieces of any size: only nothing is the end.
        while length < largest and (found := os.read(fd, _PIECE)):
            parts.append(found)
            length += len(found)
        return b"".join(parts)
    finally:
        os.close(fd)


def read_made(path: str, folder: int, largest: int = 1 << 16) -> bytes:
    """The content of a file that the kernel makes up in one go: a short read is the end.

    Raises OSError.
    """
    fd = os.open(path, _FLAGS, dir_fd=folder)
    try:
        found = os.read(fd, _SHORT)
        if len(found) < _SHORT:
            return found
        return found + os.read(fd, largest)
    finally:
        os.close(fd)


def text(path: str, folder: int | None = None) -> str | None:
    """The file's text, None if it is not there or not for us."""
    try:
        return read(path, folder).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
