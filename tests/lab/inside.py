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

from kubehop.lab.kernel import Base, entered
from kubehop.linux import libc
from kubehop.model.errors import UsageError
from tests.real.needs import lacks

NOBODY = 65534
"""An ordinary user, for tests that root runs."""
_SECONDS = 120.0

_Result = TypeVar("_Result")


class FailedInsideError(AssertionError):
    """A test failed inside, with something that cannot be pickled: its traceback."""


class ForbiddenError(Exception):
    """This machine lets nobody make namespaces."""


def run_in_lab(
    function: Callable[[Base], _Result],
    uid: int | None = None,
    before: Callable[[], object] | None = None,
    seconds: float = _SECONDS,
) -> _Result:
    """What `function` returns, run as PID 1 of new namespaces; what it raises is raised here.

    With `uid` (only root can) as that user, rootless. See `run_apart`.
    """
    try:
        return run_apart(lambda: _entered(function), uid, before, seconds)
    except ForbiddenError as error:
        lacks(str(error))


def run_apart(
    function: Callable[[], _Result],
    uid: int | None = None,
    before: Callable[[], object] | None = None,
    seconds: float = _SECONDS,
) -> _Result:
    """What `function` returns, run in a process of its own; what it raises is raised here.

    `before` is called there first, still as we are; then it becomes `uid`. It may mount and
    unmount as it likes. After `seconds` it is killed.
    """
    got, giving = os.pipe()
    child = os.fork()
    if not child:
        libc.die_with_parent(signal.SIGKILL)
        os.close(got)
        with open(giving, "wb") as file:
            file.write(_answer(lambda: _as_told(function, uid, before)))
        os._exit(0)
    os.close(giving)
    try:
        answer = _all_of(got, seconds)
    finally:
        os.close(got)
        os.kill(child, signal.SIGKILL)  # PID 1 goes with it
        os.waitpid(child, 0)
    result: _Result = _result(answer)
    return result


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


def _as_told(
    function: Callable[[], _Result], uid: int | None, before: Callable[[], object] | None
) -> _Result:
    if os.geteuid() == 0:
        libc.unshare(libc.NEWNS)
        libc.mount("none", "/", flags=libc.MS_REC | libc.MS_PRIVATE)
    if before:
        before()
    if uid is not None:
        become(uid)
    return function()


def _entered(function: Callable[[Base], _Result]) -> _Result:
    got, giving = os.pipe()

    def main(base: Base) -> int:
        with open(giving, "wb") as file:
            file.write(_answer(lambda: function(base)))
        return 0

    try:
        child = entered(main)
    except UsageError as error:
        raise ForbiddenError(str(error)) from error
    os.close(giving)
    with open(got, "rb") as file:
        answer = file.read()
    child.wait()
    result: _Result = _result(answer)
    return result


def _answer(function: Callable[[], object]) -> bytes:
    try:
        return pickle.dumps(("returned", function()))
    except BaseException as error:
        return pickle.dumps(("raised", _portable(error)))


def _result(answer: bytes) -> Any:
    if not answer:
        raise FailedInsideError("the process inside ended without a word, or took too long")
    kind, result = pickle.loads(answer)
    if kind == "raised":
        raise result
    return result


def _portable(error: BaseException) -> BaseException:
    """The error itself if it survives the way, with its traceback as a note."""
    said = "".join(traceback.format_exception(error))
    try:
        if not hasattr(error, "__notes__"):
            error.add_note(f"inside:\n{said}")
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
