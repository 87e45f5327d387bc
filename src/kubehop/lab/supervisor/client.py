"""Giving orders to a lab."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kubehop.lab.supervisor import messages
from kubehop.lab.supervisor.holders import end, holders
from kubehop.lab.supervisor.place import (
    CONTROL,
    checked,
    control_path,
    is_held,
    is_up,
    names,
    opened,
)
from kubehop.model.errors import ClusterError, KubehopError, UsageError

Progress = Callable[[str], None]
QUICK, QUICK_SECONDS = ("status", "enter", "snapshot"), 20.0
"""Orders that never wait for another; a lab that leaves them so long without a word hangs."""
DOWN_SECONDS = 30.0
"""For a lab to go, once it has heard that it is to."""
LISTEN_SECONDS, ENOUGH_SECONDS = 3.0, 2.0
"""For a lab to hear it, and to go after a signal, before it is killed."""
MOMENT_SECONDS = 0.1
"""Who only looks at a lab that has gone holds it for less."""


def ask(name: str, do: str, progress: Progress | None = None, /, **arguments: Any) -> Any:
    """What the lab says to an order. Raises UsageError with its words if it refuses.

    `progress` is called with lines that tell how far it is.
    """
    return _asked(name, {"do": do, **arguments}, progress, QUICK_SECONDS if do in QUICK else None)


def ask_within(seconds: float, name: str, do: str, /, **arguments: Any) -> Any:
    """The same from one who does not wait for a lab that is silent for so long."""
    return _asked(name, {"do": do, **arguments}, None, seconds)


def _asked(
    name: str, order: messages.Message, progress: Progress | None, seconds: float | None
) -> Any:
    with _connected(name, seconds) as sock:
        try:
            with suppress(BrokenPipeError):  # it may have said why before it hung up
                messages.send(sock, order)
            while (reply := messages.receive(sock)) is not None:
                if "progress" in reply and progress:
                    progress(str(reply["progress"]))
                if "error" in reply:
                    raise UsageError(str(reply["error"]))
                if "result" in reply:
                    return reply["result"]
        except TimeoutError as error:
            raise ClusterError(
                f"the lab {name} does not answer: `kubehop lab down{_option(name)}` ends it"
            ) from error
        except (OSError, messages.MalformedError) as error:
            raise ClusterError(f"the lab {name} ended in the middle of it: {error}") from error
    raise ClusterError(f"the lab {name} ended in the middle of it")


def down(name: str) -> None:
    """End a lab; when it returns nothing is left. Raises UsageError if there is none.

    One that does not listen is told by a signal, and then killed.
    """
    try:
        directory = opened(checked(name))
    except OSError as error:
        raise _not_there(name, found=False) from error
    try:
        _ended(name, directory)
    finally:
        os.close(directory)


def _ended(name: str, directory: int) -> None:
    """`directory` tells who holds the lab, even once it has been removed."""
    try:
        _asked(name, {"do": "down"}, None, LISTEN_SECONDS)
        seconds = DOWN_SECONDS
    except KubehopError:
        if not _is_held(directory, MOMENT_SECONDS):
            raise
        seconds = 0.0
    if _is_held(directory, seconds):
        with holders(directory) as pidfds:
            end(pidfds, ENOUGH_SECONDS)
        if _is_held(directory, ENOUGH_SECONDS):
            raise ClusterError(f"the lab {name} is still there, and nothing of it can be killed")
    is_up(name)  # removes what is left


def _is_held(directory: int, seconds: float) -> bool:
    """Whether janitor or supervisor are there, still after so long.

    Who has removed the directory has nothing left to do.
    """
    begun = time.monotonic()
    while is_held(directory):
        waited = time.monotonic() - begun
        if waited >= (seconds if os.fstat(directory).st_nlink else min(seconds, ENOUGH_SECONDS)):
            return True
        time.sleep(0.005)
    return False


def _connected(name: str, seconds: float | None) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(seconds)
    found = False
    try:
        fd = opened(checked(name))
        try:
            found = os.access(CONTROL, os.F_OK, dir_fd=fd)
            sock.connect(control_path(fd))
        finally:
            os.close(fd)
    except OSError as error:
        sock.close()
        raise _not_there(name, found) from error
    return sock


def _not_there(name: str, found: bool) -> UsageError:
    if is_up(name):
        why = "does not answer" if found else "is not ready yet"
        return UsageError(f"the lab {name} {why}: try again, or `kubehop lab down{_option(name)}`")
    others = [f"--name {other}" for other in names()]
    hint = f"; there is {', '.join(others)}" if others else ": `kubehop lab up` makes one"
    return UsageError(f"no lab {name}{hint}")


def _option(name: str) -> str:
    return f" --name {name}"
