"""Room for open files."""

import fcntl
import os
import resource

TABLE = 16384
"""Files that a lab of some thousand sockets may have open."""


def make_room(wanted: int = TABLE) -> None:
    """Let the process open as many files as it may, and grow its table for `wanted` at once.

    The kernel doubles the table whenever it is full, and in a process with threads each time
    waits for all of RCU: some 15 ms with every thread standing still (fs/file.c,
    `expand_fdtable`).
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    last = wanted - 1 if hard == resource.RLIM_INFINITY else min(wanted, hard) - 1
    with open(os.devnull, "rb") as some:
        os.close(fcntl.fcntl(some, fcntl.F_DUPFD_CLOEXEC, last))
