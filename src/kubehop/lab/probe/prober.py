"""All probes at once: connections from many namespaces in one poll loop."""

import resource
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from kubehop.lab.plan.values import FABRIC
from kubehop.lab.probe.attempt import Attempt
from kubehop.lab.probe.frames import Sighting, paths, sighting
from kubehop.lab.probe.values import Fabric, Link, Observed, Probe
from kubehop.lab.probe.wire import Wire
from kubehop.trace.values import Verdict

BURST = 32
"""Connections begun at a time; so many more are held back until these got on or got old."""
YOUNG = 0.05
"""Seconds after which a silent connection holds no other back."""
_YOUNG_AT_MOST = 128
"""More datagrams than these, and a server's buffer may be full."""


class Namespaces(Protocol):
    """What a Prober needs of a Kernel: this thread in a namespace, for a while."""

    def inside(self, namespace: str) -> AbstractContextManager[None]: ...


class Prober:
    """Sends probes from inside of a lab's namespaces.

    With the `fabric` (`fabric_links` of the lab's plan) it is watched, and every Observed has
    a path.
    """

    def __init__(self, kernel: Namespaces, fabric: Fabric | None = None) -> None:
        self._kernel = kernel
        self._fabric = fabric
        self._number = 1 << 28

    def run(self, probes: Sequence[Probe], timeout: float) -> list[Observed]:
        """What became of every connection, in the order of `probes`, `count` for each.

        All are under way at once; `timeout` are the seconds after which one without an answer
        counts as dropped. Raises OSError for what is no result, ValueError for answers that
        no ECHO server gives.
        """
        attempts = self._attempts(probes)
        _allow_files()
        with self._watching() as watch:
            _Loop(self._kernel, attempts, timeout, watch.look).run()
            ways = watch.ways()
        return [_observed(attempt, ways) for attempt in attempts]

    def _attempts(self, probes: Sequence[Probe]) -> list[Attempt]:
        made = [
            Attempt(probe, index, self._number + index)
            for index, probe in enumerate(p for p in probes for _ in range(p.count))
        ]
        self._number += len(made)
        return made

    @contextmanager
    def _watching(self) -> Iterator["_Watch"]:
        if self._fabric is None:
            yield _Watch()
            return
        with self._kernel.inside(FABRIC):
            wire = Wire()
            devices = dict(socket.if_nameindex())
        with wire:
            yield _Watch(self._fabric, wire, devices)


def _allow_files() -> None:
    """Raise the soft limit of open files, which machines set low, to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@dataclass(slots=True)
class _Watch:
    """What the fabric saw so far; nothing without one."""

    fabric: Fabric | None = None
    wire: Wire | None = None
    devices: Mapping[int, str] = field(default_factory=dict)
    seen: list[Sighting] = field(default_factory=list)

    def look(self) -> None:
        """Empty the ring before it is full."""
        for frame in self.wire.frames() if self.wire else ():
            device = self.devices.get(frame.device, "")
            if self.fabric and device in self.fabric.links:
                found = sighting(frame.octets, device, frame.outgoing)
                if found is not None:
                    self.seen.append(found)

    def ways(self) -> dict[int, tuple[Link, ...]] | None:
        """By number; raises OSError if not all was seen."""
        if self.fabric is None or self.wire is None:
            return None
        self.look()
        self.wire.complain_of_losses()
        return paths(self.seen, self.fabric)


def _observed(attempt: Attempt, ways: dict[int, tuple[Link, ...]] | None) -> Observed:
    verdict, answer = attempt.verdict or Verdict.DROPPED, attempt.answer
    path = None if ways is None else ways.get(attempt.number, ())
    if answer is None:
        return Observed(attempt.probe, verdict, path=path)
    return Observed(
        attempt.probe,
        verdict,
        answer.pod,
        answer.node,
        answer.address,
        answer.port,
        answer.source_seen,
        path,
    )


class _Loop:
    """Begins connections as fast as they get answers, and waits for all of them."""

    def __init__(
        self,
        kernel: Namespaces,
        attempts: list[Attempt],
        timeout: float,
        look: Callable[[], None],
    ) -> None:
        self._kernel = kernel
        self._timeout = timeout
        self._look = look
        self._waiting = deque(attempts)
        self._open: dict[int, Attempt] = {}
        self._begun: deque[Attempt] = deque()
        self._poll = select.epoll()

    def run(self) -> None:
        try:
            while self._waiting or self._open:
                self._begin()
                self._turn()
                self._look()
        finally:
            for attempt in self._open.values():
                attempt.close()
            self._poll.close()

    def _young(self, now: float) -> int:
        """Connections that may still get an answer soon."""
        begun, old = self._begun, now + self._timeout - YOUNG
        while begun and (begun[0].verdict is not None or begun[0].deadline < old):
            begun.popleft()
        return sum(attempt.verdict is None for attempt in begun)

    def _begin(self) -> None:
        now = time.monotonic()
        if not self._waiting or self._young(now) > _YOUNG_AT_MOST:
            return
        burst = [self._waiting.popleft() for _ in range(min(BURST, len(self._waiting)))]
        for namespace, group in groupby(burst, key=lambda attempt: attempt.probe.namespace):
            with self._kernel.inside(namespace):
                for attempt in group:
                    attempt.deadline = now + self._timeout
                    attempt.start()
                    self._follow(attempt)

    def _follow(self, attempt: Attempt) -> None:
        if attempt.sock is not None:
            fd = attempt.sock.fileno()
            self._open[fd] = attempt
            self._begun.append(attempt)
            self._poll.register(fd, attempt.waits_for)

    def _turn(self) -> None:
        """Let those go on that can; give up those that waited long enough."""
        now = time.monotonic()
        for fd, events in self._poll.poll(self._pause(now)):
            attempt = self._open[fd]
            before = attempt.waits_for
            attempt.go_on(events)
            if attempt.verdict is not None:
                del self._open[fd]  # closing it took it out of the poll
            elif attempt.waits_for != before:
                self._poll.modify(fd, attempt.waits_for)
        now = time.monotonic()
        for fd, attempt in list(self._open.items()):
            if attempt.deadline > now:
                break
            attempt.close()
            del self._open[fd]

    def _pause(self, now: float) -> float:
        """Seconds until there is something to do without being told."""
        oldest = next(iter(self._open.values()), None)
        if oldest is None:
            return 0
        left = max(0.0, oldest.deadline - now)
        return min(left, 0.001) if self._waiting else left + 0.001
