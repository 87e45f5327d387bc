"""Tests that run inside of a lab's namespaces, as PID 1 there: see `in_lab`.

What a test needs is forked with it; what it returns or raises comes back by pickle.
"""

import inspect
import os
import pickle
import select
import signal
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kubehop.lab.kernel import Base, entered, libc
from kubehop.model.errors import UsageError
from tests.real.needs import lacks

NOBODY = 65534
"""An ordinary user, for tests that root runs."""
_SECONDS = 120.0

_Result = TypeVar("_Result")


class FailedInsideError(AssertionError):
    """A test failed inside, with something that cannot be pickled: its traceback."""


def run_in_lab(
    function: Callable[[Base], _Result], uid: int | None = None, seconds: float = _SECONDS
) -> _Result:
    """What `function` returns, run as PID 1 of new namespaces; what it raises is raised here.

    With `uid` (only root can) as that user, rootless. After `seconds` it is killed.
    """
    got, giving = os.pipe()
    child = os.fork()
    if not child:
        os.close(got)
        _outside(function, uid, giving)
    os.close(giving)
    try:
        answer = _all_of(got, seconds)
    finally:
        os.close(got)
        os.kill(child, signal.SIGKILL)  # PID 1 goes with it
        os.waitpid(child, 0)
    if not answer:
        raise FailedInsideError("the process inside ended without a word, or took too long")
    kind, result = pickle.loads(answer)
    if kind == "lacks":
        lacks(result)
    if kind == "raised":
        raise result
    returned: _Result = result
    return returned


def in_lab(test: Callable[..., Any]) -> Callable[..., Any]:
    """A test, or anything, whose first parameter is the Base that PID 1 stands on.

    pytest fills the others. A parameter `uid` is also whom to run as: see `as_everyone`.
    """

    @wraps(test)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        uid = named.get("uid")
        return run_in_lab(lambda base: test(base, *arguments, **named), uid)

    signature = inspect.signature(test)
    others = list(signature.parameters.values())[1:]
    wrapped.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
    return wrapped


as_everyone = pytest.mark.parametrize(
    "uid", [None, NOBODY] if os.geteuid() == 0 else [None], ids=lambda uid: f"uid={uid or 'ours'}"
)
"""Runs a test of `in_lab` with a parameter `uid` as we are and, if that is root, rootless."""


def become(uid: int) -> None:
    """An ordinary user from now on, who can read Python wherever root keeps it."""
    libc.unshare(libc.NEWNS)
    libc.mount("none", "/", flags=libc.MS_REC | libc.MS_PRIVATE)
    for path in {sys.base_prefix, sys.prefix, str(Path(__file__).parents[2])}:
        _show(Path(path).resolve())
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    libc.own_our_files()


def _show(path: Path) -> None:
    """Give others a way to `path`: closed directories above hide it and nothing else."""
    for closed in reversed(path.parents):
        if not closed.stat().st_mode & 0o001:
            kept = os.open(path, os.O_PATH | os.O_DIRECTORY)
            libc.mount("tmpfs", str(closed), "tmpfs", options="mode=755")
            path.mkdir(parents=True)
            libc.mount(f"/proc/self/fd/{kept}", str(path), flags=libc.MS_BIND | libc.MS_REC)
            os.close(kept)
            return


def _outside(function: Callable[[Base], object], uid: int | None, giving: int) -> None:
    """The first process: becomes the user, enters, waits."""
    try:
        libc.die_with_parent(signal.SIGKILL)
        if uid is not None:
            become(uid)
        entered(lambda base: _inside(function, base, giving)).wait()
    except UsageError as error:
        os.write(giving, pickle.dumps(("lacks", str(error))))
    except BaseException as error:
        os.write(giving, pickle.dumps(("raised", _portable(error))))
    finally:
        os._exit(0)


def _inside(function: Callable[[Base], object], base: Base, giving: int) -> int:
    try:
        answer = pickle.dumps(("returned", function(base)))
    except BaseException as error:
        answer = pickle.dumps(("raised", _portable(error)))
    with open(giving, "wb") as file:
        file.write(answer)
    return 0


def _portable(error: BaseException) -> BaseException:
    """The error itself if it survives the way, with its traceback as a note."""
    said = "".join(traceback.format_exception(error))
    try:
        error.add_note(f"inside of the lab:\n{said}")
        pickle.loads(pickle.dumps(error))
    except Exception:
        return FailedInsideError(said)
    return error


def _all_of(fd: int, seconds: float) -> bytes:
    """All that is written until everyone hung up, or nothing more came in time."""
    found = b""
    while select.select([fd], [], [], seconds)[0]:
        if not (more := os.read(fd, 1 << 16)):
            return found
        found += more
    return b""
