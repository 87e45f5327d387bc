"""What PID 1 owes a PID namespace: whoever loses its parent there becomes its child."""

import os
import signal
from collections.abc import Callable, Container, Iterator
from contextlib import suppress


def reap_orphans(spared: Callable[[], Container[int]]) -> None:
    """From now on wait for every child that ends, but for those that somebody else waits for.

    To be called in the main thread. `spared` is asked each time: Kernel.pids, as a rule. Nobody
    else in this process may then start processes and wait for them.
    """
    signal.signal(signal.SIGCHLD, lambda *_: reap(spared()))
    reap(spared())


def reap(spared: Container[int]) -> None:
    """Wait for those that have ended already."""
    for pid in _children():
        if pid not in spared:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _children() -> Iterator[int]:
    """Ours, of all threads; without CONFIG_PROC_CHILDREN only one that has ended."""
    for thread in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{thread}/children", encoding="ascii") as file:
                yield from map(int, file.read().split())
        except FileNotFoundError:
            break
    else:
        return
    with suppress(ChildProcessError):
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended:
            yield ended.si_pid
