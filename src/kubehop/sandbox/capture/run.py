"""The loop of a capture: until so many packets, so many seconds, a signal, or the pod's end."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from msgspec import Struct

from kubehop.sandbox.capture import pcap
from kubehop.sandbox.capture.packets import InterfaceGoneError, Taps

_AT_ONCE = 512
"""Packets that are read before anything else is looked at."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Captured(Struct, frozen=True):
    """`packets` were handed on; the kernel saw `received` that fit, and dropped `dropped`.

    `why` is what ended it, "" for what was asked for.
    """

    packets: int
    received: int
    dropped: int
    why: str = ""


def capture(
    taps: Taps,
    take: Callable[[pcap.Packet], object],
    flush: Callable[[], None],
    count: int | None = None,
    seconds: float | None = None,
    stop: int | None = None,
    ended: int | None = None,
) -> Captured:
    """Hand packets to `take`, and call `flush` whenever there are no more for the moment.

    `stop` is what `signalled` gives, `ended` a pidfd of a process of the pod.
    """
    until = time.monotonic() + seconds if seconds is not None else None
    taken, why = 0, ""
    while not why and (count is None or taken < count):
        ready = _ready((taps.sock.fileno(), stop, ended), until)
        try:
            for packet in taps.read(_AT_ONCE if count is None else min(_AT_ONCE, count - taken)):
                take(packet)
                taken += 1
        except InterfaceGoneError as error:
            why = str(error)
        flush()
        if stop in ready or (until is not None and time.monotonic() >= until):
            break
        if ended in ready:
            why = "the pod has ended"
    return Captured(taken, *taps.counts(), why)


def _ready(fds: tuple[int | None, ...], until: float | None) -> set[int]:
    poll = select.poll()
    for fd in fds:
        if fd is not None:
            poll.register(fd, select.POLLIN)
    left = None if until is None else max(0.0, until - time.monotonic()) * 1000
    return {fd for fd, _ in poll.poll(left)}


@contextmanager
def signalled() -> Iterator[int]:
    """What becomes readable when we are told to end: nothing is cut off in the middle."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def told(*_: object) -> None:
        with suppress(BlockingIOError):
            os.write(writing, b"!")

    before = {number: signal.signal(number, told) for number in _SIGNALS}
    try:
        yield reading
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
