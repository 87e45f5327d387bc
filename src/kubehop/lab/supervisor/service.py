"""The supervisor's orders: one thread for each user, one change at a time."""

import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kubehop.lab.lab import Lab
from kubehop.lab.supervisor import messages
from kubehop.lab.supervisor.messages import MalformedError, Message
from kubehop.lab.supervisor.orders import ORDERS
from kubehop.lab.supervisor.state import State
from kubehop.lab.supervisor.status import status
from kubehop.model.errors import KubehopError, UsageError, printable
from kubehop.workload.following import Following

USERS = 32
"""So many may be connected at a time; one more is turned away."""
PATIENCE = 30.0
"""Seconds that a user may take to say what it wants."""
_CREDENTIALS = struct.Struct("3i")


class Service:
    """Answers orders until one of them is `down`."""

    def __init__(self, name: str, lab: Lab, following: Following, started: float) -> None:
        self._state = State(name, lab, following, started)
        self._places = threading.BoundedSemaphore(USERS)
        self._control: socket.socket | None = None

    def status(self) -> Message:
        """What `kubehop lab status` shows."""
        return status(self._state)

    def run(self, control: socket.socket) -> None:
        """Serve; returns when the lab is to end."""
        self._control = control
        while True:
            try:
                user, _ = control.accept()
            except OSError:
                return  # closed by `down`
            if not _may(user) or not self._places.acquire(blocking=False):
                user.close()
                continue
            threading.Thread(target=self._serve, args=(user,), daemon=True).start()

    def _serve(self, user: socket.socket) -> None:
        try:
            with user, suppress(OSError):
                user.settimeout(PATIENCE)
                try:
                    order = messages.receive(user)
                except MalformedError as error:
                    messages.send(user, {"error": f"not understood: {error}"})
                    return
                if order is not None:
                    messages.send(user, self._reply(order, user))
                    if order.get("do") == "down":
                        self._end()
        finally:
            self._places.release()

    def _reply(self, order: Message, user: socket.socket) -> Message:
        def progress(line: str) -> None:
            with suppress(OSError):
                messages.send(user, {"progress": line})

        try:
            do = _ORDER_NAMES.get(str(order.get("do")))
            if do is None:
                raise UsageError(f"a lab does not know how to do {order.get('do')!r}")
            return {"result": do(self._state, order, progress)}
        except KubehopError as error:
            return {"error": str(error)}
        except Exception as error:  # the lab stands, whatever one order met
            return {"error": printable(f"unexpected: {type(error).__name__}: {error}")}

    def _end(self) -> None:
        assert self._control is not None
        self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()


Order = Callable[[State, Message, Callable[[str], None]], Any]
_ORDER_NAMES: dict[str, Order] = {**ORDERS, "down": lambda _state, _order, _progress: {}}


def _may(user: socket.socket) -> bool:
    """Only who runs as we do, and root; unix(7), SO_PEERCRED.

    In a user namespace of its own an ordinary user's lab sees that user as 0, and nobody else.
    """
    octets = user.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(octets)
    return uid in (0, os.geteuid())
