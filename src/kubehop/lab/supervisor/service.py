"""The supervisor's orders: one thread for each user, one change at a time."""

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from kubehop.lab.lab import Lab
from kubehop.lab.supervisor import messages
from kubehop.lab.supervisor.messages import MalformedError, Message
from kubehop.lab.supervisor.state import State
from kubehop.lab.supervisor.status import status
from kubehop.model.errors import KubehopError, UsageError, printable
from kubehop.workload.following import Following

USERS = 128
"""So many may be connected at a time; one more is turned away."""
PAUSE = 0.1
PATIENCE = 10.0
"""Seconds that a user may take to say what it wants, and to take the answer."""
LOOK_SECONDS = 1.0
"""How often the lab looks whether its state is still there."""
Order = Callable[[State, Message, Callable[[str], None]], Any]
_CREDENTIALS = struct.Struct("iII")


class Service:
    """Answers orders until one of them is `down`."""

    def __init__(self, name: str, lab: Lab, following: Following, started: float) -> None:
        self._state = State(name, lab, following, started)
        self._places = threading.BoundedSemaphore(USERS)
        self._over, self._end_it = os.pipe2(os.O_CLOEXEC)

    def status(self) -> Message:
        """What `kubehop lab status` shows."""
        return status(self._state)

    def run(self, control: socket.socket, is_there: Callable[[], bool]) -> None:
        """Serve; returns when the lab is to end: after `down`, or if nobody can reach it more."""
        # What orders need takes a while to import, and who waits for the lab need not wait for it.
        threading.Thread(target=_orders, daemon=True).start()
        control.setblocking(False)
        waiting = select.poll()
        waiting.register(control, select.POLLIN)
        waiting.register(self._over, select.POLLIN)
        while True:
            ready = {fd for fd, _ in waiting.poll(LOOK_SECONDS * 1000)}
            if self._over in ready or (not ready and not is_there()):
                return
            if ready:
                self._accept(control)

    def _accept(self, control: socket.socket) -> None:
        """Welcome all who wait."""
        while True:
            try:
                user, _ = control.accept()
            except BlockingIOError:
                return
            except OSError:  # a user that went, or too many open files: no reason to end
                time.sleep(PAUSE)
                return
            self._welcome(user)

    def _welcome(self, user: socket.socket) -> None:
        if not _may(user):
            user.close()
            return
        user.settimeout(PATIENCE)
        if not self._places.acquire(blocking=False):
            _turn_away(user, f"the lab has {USERS} users already: try again")
            return
        try:
            threading.Thread(target=self._serve, args=(user,), daemon=True).start()
        except RuntimeError as error:
            self._places.release()
            _turn_away(user, f"the lab cannot serve more users: {error}")

    def _serve(self, user: socket.socket) -> None:
        try:
            with user, suppress(OSError):
                try:
                    order = messages.receive(user, PATIENCE)
                except (MalformedError, TimeoutError) as error:
                    messages.send(user, {"error": f"not understood: {error}"})
                    return
                user.settimeout(PATIENCE)
                if order is not None:
                    self._answer(order, user)
        finally:
            self._places.release()

    def _answer(self, order: Message, user: socket.socket) -> None:
        try:
            reply = self._reply(order, user)
            self._state.log.order(order, reply)
            try:
                messages.send(user, reply)
            except UsageError as error:  # more than a message can hold
                messages.send(user, {"error": str(error)})
        finally:
            if order.get("do") == "down":
                self.end()

    def _reply(self, order: Message, user: socket.socket) -> Message:
        def progress(line: str) -> None:
            with suppress(OSError):
                messages.send(user, {"progress": line})

        try:
            if order.get("do") == "down":
                return {"result": {}}
            do = _orders().get(str(order.get("do")))
            if do is None:
                raise UsageError(f"a lab does not know how to do {order.get('do')!r}")
            return {"result": do(self._state, order, progress)}
        except KubehopError as error:
            return {"error": str(error)}
        except Exception as error:  # the lab stands, whatever one order met
            self._state.log.failure(error)
            return {"error": printable(f"unexpected: {type(error).__name__}: {error}")}

    def end(self) -> None:
        """Have `run` return; from any thread or signal handler."""
        os.write(self._end_it, b"+")


def _turn_away(user: socket.socket, why: str) -> None:
    with user, suppress(OSError):
        messages.send(user, {"error": why})


@cache
def _orders() -> dict[str, Order]:
    from kubehop.lab.supervisor.orders import ORDERS

    return ORDERS


def _may(user: socket.socket) -> bool:
    """Only who runs as we do, and root; unix(7), SO_PEERCRED.

    In a user namespace of its own an ordinary user's lab sees that user as 0, and nobody else.
    """
    octets = user.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(octets)
    return uid in (0, os.geteuid())
