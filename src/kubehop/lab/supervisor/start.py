"""Starting what holds a lab: a janitor outside, and the supervisor inside as PID 1.

The caller has read the cluster already, so it forks instead of starting Python again. Janitor
and supervisor both hold the lab's directory. When the supervisor ends, by whatever cause, the
kernel ends all that lives in the lab, and the janitor removes the directory. When the janitor
is killed the supervisor is told (PR_SET_PDEATHSIG), takes the lab down and removes it itself.
"""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from kubehop.lab.kernel import Base, Kernel, entered
from kubehop.lab.kernel.reap import reap_orphans
from kubehop.lab.lab import Lab
from kubehop.lab.supervisor.place import Place, reachable
from kubehop.lab.supervisor.service import Service
from kubehop.model.errors import ClusterError, KubehopError, UsageError
from kubehop.workload.following import Following

Progress = Callable[[str], None]
BACKLOG = 64
PATIENCE = 10
"""Seconds that the supervisor has to take its lab down before the janitor kills it."""


@dataclass(frozen=True, slots=True)
class Started:
    """A lab that is up: what `status` says of it, and the janitor, a child of ours."""

    status: dict[str, Any]
    janitor: int
    _pipe: int

    def wait(self) -> None:
        """Until the lab has ended."""
        with open(self._pipe, encoding="utf-8") as lines:
            for _ in lines:
                pass
        os.waitpid(self.janitor, 0)

    def end(self) -> None:
        """Take it down, and wait."""
        with suppress(ProcessLookupError):
            os.kill(self.janitor, signal.SIGTERM)
        self.wait()

    def leave(self) -> None:
        """Let it live on by itself."""
        os.close(self._pipe)


def start(name: str, following: Following, progress: Progress) -> Started:
    """Have a lab of that name; returns when it answers.

    To be called in a process with one thread. Raises UsageError if there is one already or the
    machine forbids it, ClusterError where the kernel refuses something; then nothing is left.
    """
    place = Place.taken(name)
    said, saying = os.pipe2(os.O_CLOEXEC)
    sys.stdout.flush()
    sys.stderr.flush()
    janitor = os.fork()
    if not janitor:
        os.close(said)
        _janitor(place, following, saying)
    os.close(saying)
    os.close(place.fd)  # it stays locked as long as they hold it
    started = Started({}, janitor, said)
    try:
        return _ready(started, progress)
    except KeyboardInterrupt:
        started.end()
        raise


def _ready(started: Started, progress: Progress) -> Started:
    """Read what they say until it is up."""
    with open(started._pipe, encoding="utf-8", closefd=False) as lines:
        for line in lines:
            message = json.loads(line)
            if "progress" in message:
                progress(message["progress"])
            elif "status" in message:
                return Started(message["status"], started.janitor, started._pipe)
            else:
                started.wait()
                kind = UsageError if message["usage"] else ClusterError
                raise kind(message["error"])
    os.waitpid(started.janitor, 0)
    raise ClusterError("the lab's processes ended before it was up")


# In the janitor


def _janitor(place: Place, following: Following, saying: int) -> NoReturn:
    try:
        os.setsid()
        os.chdir("/")
        _quiet()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            with reachable(place.fd) as where:
                control.bind(where)
            control.listen(BACKLOG)
            _hold(place, following, control, saying)
    except KubehopError as error:
        _say(saying, error=str(error), usage=isinstance(error, UsageError))
    except BaseException as error:
        _say(saying, error=f"{type(error).__name__}: {error}", usage=False)
    finally:
        place.removed()
        os._exit(0)


def _hold(place: Place, following: Following, control: socket.socket, saying: int) -> None:
    """Have the supervisor run, and wait for its end."""
    stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: stop.append(number))
    child = entered(
        lambda base: _supervisor(base, place, following, control, saying), signal.SIGTERM
    )
    control.close()

    def ending(number: int, _: object) -> None:
        """First ask; who does not listen is killed, and the kernel ends the rest."""
        with suppress(ProcessLookupError):
            child.send(signal.SIGKILL if number == signal.SIGALRM else signal.SIGTERM)
        signal.alarm(PATIENCE)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, ending)
    if stop:
        ending(signal.SIGTERM, None)
    child.wait()


def _quiet() -> None:
    """A terminal or pipe of the caller's is not kept open."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def _say(saying: int, **message: Any) -> bool:
    """A line for the caller; False if nobody listens any more."""
    try:
        os.write(saying, json.dumps(message).encode() + b"\n")
    except OSError:
        return False
    return True


# In the supervisor


def _supervisor(
    base: Base, place: Place, following: Following, control: socket.socket, saying: int
) -> int:
    kernel = Kernel(base)
    lab = Lab(kernel)
    reap_orphans(kernel.pids)
    try:
        _say(saying, progress=f"building {len(following.cluster.nodes)} nodes")
        lab.up(following.cluster)
        started = time.time()  # noqa: TID251 - for people to read
        service = Service(place.name, lab, following, started)
        if _say(saying, status=service.status()):
            service.run(control)
    except KubehopError as error:
        _say(saying, error=str(error), usage=isinstance(error, UsageError))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        lab.down()
        place.removed()
    return 0
