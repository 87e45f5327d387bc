"""A process that is held on to, so that its PID cannot be another's unnoticed: pidfd_open(2)."""

import os
import re
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from msgspec import Struct

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")


class Held(Struct, frozen=True):
    """`fd` is a pidfd; `id` the container that the process is to be of, "" for any."""

    pid: int
    id: str
    fd: int

    def ended(self) -> bool:
        """Whether it has ended: a pidfd is readable then."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(0))

    def still(self) -> bool:
        """Whether all that was read through its PID up to now is of the container's process."""
        return is_of(self.pid, self.id) and not self.ended()


@contextmanager
def held(pid: int, id: str = "") -> Iterator[Held]:
    """Raises OSError: ESRCH if there is no such process."""
    fd = os.pidfd_open(pid)
    try:
        yield Held(pid, id, fd)
    finally:
        os.close(fd)


def is_of(pid: int, id: str) -> bool:
    """Whether its cgroup is the container's, or no container's: nothing speaks against it."""
    if not _CONTAINER_ID.fullmatch(id):
        return True
    with suppress(OSError), open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
        named = _CONTAINER_ID.findall(file.read())
        return not named or id in named
    return False
