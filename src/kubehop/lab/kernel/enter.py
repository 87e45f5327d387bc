"""How a process gets into namespaces of the lab's own, as root or anyone else.

Two forks: the first child leaves the machine's namespaces (a multi-threaded caller could not),
the second one is PID 1 of the new PID namespace. When that ends, by whatever cause, the kernel
kills all that live in it: see pid_namespaces(7), user_namespaces(7).
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from kubehop.lab.kernel.base import Base, base
from kubehop.lab.kernel.forbidden import forbidden
from kubehop.linux import libc
from kubehop.model.errors import KubehopError, UsageError

_NAMESPACES = libc.NEWNS | libc.NEWNET | libc.NEWPID | libc.NEWIPC | libc.NEWUTS
_CAP_SYS_ADMIN = 1 << 21
_STANDARD_ERROR = 2


@dataclass(frozen=True, slots=True)
class Child:
    """PID 1 of a lab, a child of ours; `pid` is as we see it."""

    pid: int
    _lifeline: int

    def wait(self) -> int:
        """Its exit code once it has ended, 128 + the signal that killed it."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self._lifeline)
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


def entered(main: Callable[[Base], int], orphaned: int = signal.SIGKILL) -> Child:
    """Run `main` as PID 1 of new namespaces; its result is the exit code.

    When the calling thread dies, PID 1 is sent `orphaned`. SIGTERM raises SystemExit in it,
    unless `main` handles it. Returns once its namespaces and mounts stand; raises UsageError,
    with the way to allow it, where the machine forbids them.
    """
    adopted = libc.adopt_orphans(True)  # so that PID 1, an orphan by intent, is our child
    try:
        said, saying = os.pipe2(os.O_CLOEXEC)
        lifeline, ours = os.pipe2(os.O_CLOEXEC)
        opener = os.fork()
        if not opener:
            os.close(said)
            os.close(ours)
            _open(partial(_first, main, orphaned, lifeline), saying)
        os.close(saying)
        os.close(lifeline)
        return _born(opener, said, ours)
    finally:
        libc.adopt_orphans(adopted)


def _born(opener: int, said: int, ours: int) -> Child:
    """The first child's word, and then PID 1's."""
    with open(said, encoding="utf-8") as lines:
        pid = lines.readline().strip()
        os.waitpid(opener, 0)
        if pid.isdigit():
            os.write(ours, b"+")
        trouble = lines.read().strip() if pid.isdigit() else pid
    if pid.isdigit() and trouble == "ready":
        return Child(int(pid), ours)
    os.close(ours)
    if pid.isdigit():
        os.waitpid(int(pid), 0)
    raise UsageError(trouble or "the lab's first process ended before it was ready")


def _open(first: Callable[[int], int], saying: int) -> NoReturn:
    """The first child: leave the machine's namespaces, fork PID 1, end."""
    try:
        _leave()
        pid = os.fork()
        if not pid:
            _end(partial(first, saying))
        os.write(saying, f"{pid}\n".encode())
    except OSError as error:
        os.write(saying, str(forbidden(error)).encode())
    except BaseException:  # it must not run on in the caller's code
        traceback.print_exc()
    os._exit(0)


def _leave() -> None:
    """New namespaces; root without a user namespace, if it has the capability."""
    if privileged():
        libc.unshare(_NAMESPACES)
        return
    user, group = os.geteuid(), os.getegid()
    libc.unshare(libc.NEWUSER | _NAMESPACES)
    # One ID is all that anyone may map by themselves, and the group only without setgroups(2).
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def privileged() -> bool:
    """Whether we may make namespaces without a user namespace: CAP_SYS_ADMIN."""
    with open("/proc/self/status", encoding="utf-8") as lines:
        held = next(line for line in lines if line.startswith("CapEff:"))
    return os.geteuid() == 0 and bool(int(held.split()[1], 16) & _CAP_SYS_ADMIN)


def _first(main: Callable[[Base], int], orphaned: int, lifeline: int, saying: int) -> int:
    """PID 1: waits until it is its new parent's child, mounts, and runs `main`."""
    if not os.read(lifeline, 1):
        return 1
    libc.die_with_parent(orphaned)
    os.set_blocking(lifeline, False)
    with suppress(BlockingIOError):
        os.read(lifeline, 1)  # the parent died before we could be told so
        return 1
    signal.signal(signal.SIGTERM, _terminated)
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > _STANDARD_ERROR:  # some shell's: not for the programs that start here
            with suppress(OSError):
                os.set_inheritable(fd, False)
    try:
        found = base()
    except (OSError, KubehopError) as error:
        said = forbidden(error) if isinstance(error, OSError) else error
        os.write(saying, str(said).encode())
        return 1
    os.write(saying, b"ready")
    os.close(saying)
    return main(found)


def _terminated(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


def _end(body: Callable[[], int]) -> NoReturn:
    """Run it, and end this process: the code above belongs to the parent."""
    code: object = 1
    try:
        code = body()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)
