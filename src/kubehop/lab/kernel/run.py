"""A program of the machine's inside of a sandbox, started from outside of the lab.

As nsenter(1) and `ip netns exec` do: setns(2) into all namespaces of the pause process, a /sys
that shows that network, and the program as a child in the foreground, so that terminal, signals
of the keyboard and open files are its own.
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from kubehop.lab.kernel import libc
from kubehop.lab.kernel.cover import Texts, own_mounts, own_sys
from kubehop.model.errors import UsageError

_NAMESPACES = libc.NEWNET | libc.NEWNS | libc.NEWUTS | libc.NEWIPC | libc.NEWPID
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
"""As shells have it: POSIX, Shell Command Language, 2.8.2."""

_SYSTEM_PATH = ":/usr/sbin:/sbin"
"""Inside everyone is root, and `ip` and `tcpdump` are for root."""


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
    jobs = _owns_terminal()
    if jobs:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # who is in the background sets it, too
    child = os.fork()
    if not child:
        if jobs:
            _to_foreground()
        _become(command)
    return _waited(child, jobs)


def _owns_terminal() -> bool:
    """Whether a shell at a terminal started us alone, not in a pipe with others.

    Then the program gets a process group of its own. Ours is none in its PID namespace, and a
    shell inside could not give the terminal back to it (tcsetpgrp(3): ESRCH).
    """
    try:
        return all(map(os.isatty, (0, 1, 2))) and os.tcgetpgrp(0) == os.getpgrp() == os.getpid()
    except OSError:
        return False


def _to_foreground() -> None:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)


def _go_inside(pid: int, files: Texts) -> None:
    there = os.pidfd_open(pid)
    own = os.stat("/proc/self/ns/user").st_ino == os.stat(f"/proc/{pid}/ns/user").st_ino
    libc.setns(there, _NAMESPACES | (0 if own else libc.NEWUSER))
    os.close(there)
    own_mounts(files)
    own_sys()


def _become(command: Sequence[str]) -> NoReturn:
    try:
        libc.die_with_parent(signal.SIGKILL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
            signal.signal(number, signal.SIG_DFL)
        os.environ["PATH"] = os.environ.get("PATH", os.defpath) + _SYSTEM_PATH
        os.execvp(command[0], list(command))  # noqa: S606  that is what was asked for
    except FileNotFoundError:
        _fail(f"{command[0]}: command not found", _NOT_FOUND)
    except OSError as error:
        if _exists(command[0]):
            _fail(f"{command[0]}: {error.strerror}", _NOT_EXECUTABLE)
        _fail(f"{command[0]}: command not found", _NOT_FOUND)


def _exists(program: str) -> bool:
    """Whether there is one; execvp(3) also fails for directories of PATH that are closed to us."""
    folders = os.environ["PATH"].split(":") if "/" not in program else [""]
    return any(os.path.exists(os.path.join(folder, program)) for folder in folders)


def _fail(said: str, code: int) -> NoReturn:
    os.write(sys.stderr.fileno(), f"kubehop: {said}\n".encode())
    os._exit(code)


def _waited(child: int, jobs: bool) -> int:
    """The keyboard's signals reach the child by themselves; another's are passed on."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, number))
    _, status = os.waitpid(child, os.WUNTRACED if jobs else 0)
    while os.WIFSTOPPED(status):
        _stopped_with(child)
        _, status = os.waitpid(child, os.WUNTRACED)
    if jobs:
        with suppress(OSError):
            os.tcsetpgrp(0, os.getpgrp())
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _stopped_with(child: int) -> None:
    """Ctrl-Z: the shell outside has the terminal until it wants us to go on."""
    os.tcsetpgrp(0, os.getpgrp())
    os.kill(os.getpid(), signal.SIGSTOP)
    if os.tcgetpgrp(0) == os.getpgrp():  # `fg`, not `bg`
        os.tcsetpgrp(0, os.getpgid(child))
    os.killpg(os.getpgid(child), signal.SIGCONT)
