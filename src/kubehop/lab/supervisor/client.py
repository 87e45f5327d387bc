"""Giving orders to a lab."""

import os
import socket
import time
from collections.abc import Callable
from typing import Any

from kubehop.lab.supervisor import messages
from kubehop.lab.supervisor.place import CONTROL, checked, is_up, names, reachable, root
from kubehop.model.errors import ClusterError, UsageError

Progress = Callable[[str], None]
DOWN_SECONDS = 30.0


def ask(name: str, do: str, progress: Progress | None = None, /, **arguments: Any) -> Any:
    """What the lab says to an order. Raises UsageError with its words if it refuses.

    `progress` is called with lines that tell how far it is.
    """
    with _connected(name) as sock:
        messages.send(sock, {"do": do, **arguments})
        try:
            while (reply := messages.receive(sock)) is not None:
                if "progress" in reply and progress:
                    progress(str(reply["progress"]))
                if "error" in reply:
                    raise UsageError(str(reply["error"]))
                if "result" in reply:
                    return reply["result"]
        except (OSError, messages.MalformedError) as error:
            raise ClusterError(f"the lab {name} ended in the middle: {error}") from error
    raise ClusterError(f"the lab {name} ended in the middle of it")


def down(name: str) -> None:
    """End a lab; when it returns nothing is left. Raises UsageError if there is none."""
    ask(name, "down")
    deadline = time.monotonic() + DOWN_SECONDS
    while is_up(name):
        if time.monotonic() > deadline:
            raise ClusterError(f"the lab {name} is still there after {DOWN_SECONDS:.0f} s")
        time.sleep(0.005)


def _connected(name: str) -> socket.socket:
    path = root() / checked(name)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with reachable(fd) as where:
                sock.connect(where)
        finally:
            os.close(fd)
    except OSError as error:
        sock.close()
        raise _not_there(name, os.path.exists(path / CONTROL)) from error
    return sock


def _not_there(name: str, found: bool) -> UsageError:
    if is_up(name):
        why = "does not answer" if found else "is not ready yet"
        return UsageError(f"the lab {name} {why}: try again, or `kubehop lab down --name {name}`")
    others = [f"--name {other}" for other in names()]
    hint = f"; there is {', '.join(others)}" if others else ": `kubehop lab up` makes one"
    return UsageError(f"no lab {name}{hint}")
