"""Who holds a lab: the processes that may be killed when it does not listen any more.

Not a number in a file, which may mean somebody else by now: a process holds a lab if it has the
lab's directory open and locked, which the kernel tells (proc_pid_fdinfo(5), `lock:`). A pidfd,
opened before that is looked at, means no other process later on.
"""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def holders(directory: int) -> Iterator[list[int]]:
    """pidfds while they are needed: first the supervisor's, then the janitor's.

    The janitor waits for the supervisor and clears up, if it is left to.
    """
    found: list[int] = []
    try:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                pidfd = os.pidfd_open(int(pid))
                if int(pid) == os.getpid() or not _holds(pid, os.fstat(directory)):
                    os.close(pidfd)
                elif _is_inside(pid):
                    found.insert(0, pidfd)
                else:
                    found.append(pidfd)
        yield found
    finally:
        for pidfd in found:
            os.close(pidfd)


def end(pidfds: list[int], seconds: float) -> None:
    """Ask all of them to end, then kill one after the other; each has so long for it."""
    for pidfd in pidfds:
        _send(pidfd, signal.SIGTERM)
    for pidfd in pidfds:
        if not _ended(pidfd, seconds):
            _send(pidfd, signal.SIGKILL)
            _ended(pidfd, seconds)


def _send(pidfd: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, number)


def _ended(pidfd: int, seconds: float) -> bool:
    return bool(select.select([pidfd], [], [], seconds)[0])


def _is_inside(pid: str) -> bool:
    """In a PID namespace other than ours: the lab's."""
    own, its = os.stat("/proc/self/ns/pid"), os.stat(f"/proc/{pid}/ns/pid")
    return not os.path.samestat(own, its)


def _holds(pid: str, directory: os.stat_result) -> bool:
    """Somebody else's processes cannot be looked into: PermissionError."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(f"/proc/{pid}/fd/{fd}"), directory):
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as lines:
                    if any(line.startswith("lock:") and " FLOCK " in line for line in lines):
                        return True
    return False
