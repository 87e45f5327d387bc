"""A program in the foreground, as a child: terminal, signals of the keyboard and files are its own.

For programs that run in other namespaces, after nsenter(1) and `ip netns exec`.
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from kubehop.linux import libc

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
"""As shells have it: POSIX, Shell Command Language, 2.8.2."""

_SYSTEM_PATH = ":/usr/sbin:/sbin"
"""Where `ip` and `tcpdump` are; not in everyone's PATH."""


def foreground(command: Sequence[str]) -> int:
    """Run it to its end, where the calling thread is now: in its namespaces.

    Its exit code, 128 + the signal that killed it, 127 or 126. To be called once, in a process
    with one thread.
    """
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
