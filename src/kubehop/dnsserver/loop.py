"""One thread that waits for all sockets and all deadlines at once."""

import heapq
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, get_ident
from typing import TypeVar

from kubehop.dnsserver.faults import Faults

T = TypeVar("T")

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

Ready = Callable[[int], None]
"""Called with READ, WRITE or both when a socket is ready."""


class Timer:
    """Something to be done at a time; `cancel` makes it nothing."""

    __slots__ = ("call", "when")

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None

    def __lt__(self, other: "Timer") -> bool:
        return self.when < other.when


class Loop:
    """Calls back when sockets are ready and timers due; survives what is raised there.

    Only `soon`, `ask` and `stop` are for other threads.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._thread: int | None = None
        self._open = True
        self.running = Event()
        """Set once `run` has begun."""
        self.watch(self._woken, READ, lambda _: self._awake())

    now = staticmethod(time.monotonic)

    # Sockets

    def watch(self, sock: socket.socket, events: int, ready: Ready) -> None:
        """Call `ready` whenever one of `events` is possible; replaces what was watched for."""
        fd = sock.fileno()  # a KeyError would spell the socket out, with two system calls
        try:
            self._selector.modify(fd, events, ready)
        except KeyError:
            self._selector.register(fd, events, ready)

    def forget(self, sock: socket.socket) -> None:
        """Stop watching; nothing if it is not watched."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(sock.fileno())

    # Time

    def at(self, when: float, call: Callable[[], None]) -> Timer:
        """Call at a time of `now()`."""
        timer = Timer(when, call)
        heapq.heappush(self._timers, timer)
        return timer

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        return self.at(self.now() + seconds, call)

    # Other threads

    def soon(self, call: Callable[[], None]) -> None:
        """Have the loop's thread call; from any thread, and from signal handlers."""
        self._calls.put(call)
        with suppress(OSError):  # full: it will wake up anyway; closed: it never will
            self._waker.send(b"\0")

    def ask(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises in the loop's thread; runs at once while none runs."""
        if self._thread is None or self._thread == get_ident():
            return call()
        done, outcome = Event(), list[T | BaseException]()

        def run() -> None:
            try:
                outcome.append(call())
            except Exception as error:
                outcome.append(error)
            done.set()

        self.soon(run)
        done.wait()
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return outcome[0]

    # Running

    def run(self) -> None:
        """Run until `stop`."""
        self._thread = get_ident()
        self.running.set()
        try:
            while self._open:
                try:
                    self._turn()
                except Exception as error:
                    self._faults.note(error)
        finally:
            self._thread = None
            self._run_calls()  # of those who asked in the last moment

    def stop(self) -> None:
        """Have `run` return."""
        self._open = False
        self.soon(lambda: None)

    def close(self) -> None:
        self._selector.close()
        self._waker.close()
        self._woken.close()

    def _turn(self) -> None:
        """Wait, and call for what is ready or due; a fault leaves the rest for the next turn."""
        for key, events in self._selector.select(self._patience()):
            key.data(events)
        self._run_timers()

    def _patience(self) -> float | None:
        while self._timers and self._timers[0].call is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0].when - self.now()) if self._timers else None

    def _run_timers(self) -> None:
        now = self.now()
        while self._timers and self._timers[0].when <= now:
            call = heapq.heappop(self._timers).call
            if call:
                call()

    def _awake(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(4096)
        self._run_calls()

    def _run_calls(self) -> None:
        with suppress(Empty):
            while True:
                self._calls.get_nowait()()
