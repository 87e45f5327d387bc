"""How many files PID 1 may have open: a lab needs some for each namespace and each listener."""

import os
import resource

from kubehop.model.errors import UsageError


def enough_files(more: int) -> None:
    """Raise the soft limit to the hard one. Raises UsageError if `more` files are too many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needed = len(os.listdir("/proc/self/fd")) + more
    if hard not in (resource.RLIM_INFINITY, -1) and needed > hard:
        raise UsageError(
            f"the lab needs {needed} open files and the limit is {hard}:"
            f" raise it (ulimit -Hn {needed}, as root), or build fewer pods"
        )
