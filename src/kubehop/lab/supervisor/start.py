"""Starting what holds a lab: a janitor outside, and the supervisor inside as PID 1.

The caller has read the cluster already, so it forks instead of starting Python again. Janitor
and supervisor both hold the lab's directory. When the supervisor ends, by whatever cause, the
kernel ends all that lives in the lab, and the janitor removes the directory. When the janitor
is killed the supervisor is told (PR_SET_PDEATHSIG), takes the lab down and removes it itself.
"""

import gc
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

from kubehop.files import collector_paused
from kubehop.lab.kernel import Base, Kernel, entered
from kubehop.lab.kernel.reap import reap_orphans
from kubehop.lab.lab import Lab
from kubehop.lab.supervisor.place import Place, control_path
from kubehop.lab.supervisor.service import Service
from kubehop.linux import libc
from kubehop.linux.libc import die_with_parent
from kubehop.model.errors import ClusterError, KubehopError, UsageError
from kubehop.workload.following import Following

Progress = Callable[[str], None]
BACKLOG = 512
PATIENCE = 10
"""Seconds that the supervisor has to take its lab down before the janitor kills it."""
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_STANDARD_ERROR = 2
OOM_SCORE = 500
"""Of 1000."""


@dataclass(frozen=True, slots=True)
class Started:
    """A lab that is up: what `status` says of it, and the janitor, a child of ours."""

    status: dict[str, Any]
    janitor: int
    _pipe: int

    def wait(self) -> None:
        """Until the lab has ended."""
        with suppress(ChildProcessError):
            os.waitpid(self.janitor, 0)

    def end(self) -> None:
        """Take it down, and wait."""
        with suppress(ProcessLookupError):
            os.kill(self.janitor, signal.SIGTERM)  # a child of ours, not waited for before
        self.wait()

    def leave(self) -> None:
        """Let it live on by itself."""
        os.close(self._pipe)


def start(name: str, following: Following, progress: Progress, *, bound: bool = False) -> Started:
    """Have a lab of that name; returns when it answers. `bound`: it ends with this process.

    To be called in a process with one thread. Raises UsageError if there is one already or the
    machine forbids it, ClusterError where the kernel refuses something; then nothing is left.
    """
    # Ctrl-C comes when there is something to end: before there is nothing, not half of it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        started = _begun(name, following, bound)
    except BaseException:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        raise
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        return _ready(started, progress)
    except BaseException:
        started.end()
        raise


def _begun(name: str, following: Following, bound: bool) -> Started:
    """Fork the janitor."""
    _have_standard_files()
    place = Place.taken(name)
    said, saying = os.pipe2(os.O_CLOEXEC)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # once, not in the child again
    starter = os.getpid()
    try:
        janitor = os.fork()
    except OSError as error:
        place.removed()
        raise ClusterError(f"a lab needs processes of its own: {error.strerror}") from error
    if not janitor:
        _janitor(place, following, saying, starter if bound else 0)
    os.close(saying)
    place.closed()  # it stays locked as long as they hold it
    return Started({}, janitor, said)


def _have_standard_files() -> None:
    """Where the caller closed one (`>&-`) its number would become another file's."""
    while (fd := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) <= _STANDARD_ERROR:
        pass
    os.close(fd)


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
                kind = UsageError if message["usage"] else ClusterError
                raise kind(message["error"])
    raise ClusterError("the lab's processes ended before it was up")


# In the janitor


def _janitor(place: Place, following: Following, saying: int, starter: int) -> NoReturn:
    """Signals are blocked yet: a lab has begun, or it has not. It ends with `starter` if not 0."""
    try:
        if starter:
            die_with_parent(signal.SIGTERM)
            if os.getppid() != starter:
                raise SystemExit
        os.setsid()
        os.chdir("/")
        os.umask(0o022)  # what programs in the lab are to read
        _alone(place.fd, place.parent, saying)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.bind(control_path(place.fd))
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
    child = entered(
        lambda base: _supervisor(base, place, following, control, saying), signal.SIGTERM
    )
    control.close()

    def ending(number: int, _: object) -> None:
        """First ask; who does not listen is killed, and the kernel ends the rest."""
        with suppress(ProcessLookupError):
            child.send(signal.SIGKILL if number == signal.SIGALRM else signal.SIGTERM)
        signal.alarm(PATIENCE)

    for number in (*STOPS, signal.SIGALRM):
        signal.signal(number, ending)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    child.wait()


def _alone(*kept: int) -> None:
    """No terminal, pipe or file of the caller's is kept open."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > _STANDARD_ERROR and fd not in kept:
            with suppress(OSError):
                os.close(fd)


def _say(saying: int, **message: Any) -> bool:
    """A line for the caller; False if nobody listens any more."""
    rest = memoryview(json.dumps(message).encode() + b"\n")
    try:
        while rest:
            rest = rest[os.write(saying, rest) :]  # a signal may cut it short
    except OSError:
        return False
    return True


# In the supervisor


def _settle() -> None:
    """What building took and standing does not need is given back; what stands is looked
    through for garbage no more."""
    gc.collect()
    gc.freeze()
    libc.give_memory_back()


def _supervisor(
    base: Base, place: Place, following: Following, control: socket.socket, saying: int
) -> int:
    for number in STOPS:
        signal.signal(number, _stop)
    _give_way()
    kernel = Kernel(base)
    lab = Lab(kernel)
    reap_orphans(kernel.pids)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        with collector_paused():
            lab.up(following.cluster, tell=lambda line: _tell(saying, line))
        started = time.time()  # noqa: TID251 - for people to read
        service = Service(place.name, lab, following, started)
        for number in STOPS:  # an exception could get lost in what garbage collection calls
            signal.signal(number, lambda *_: service.end())
        if _say(saying, status=service.status()):
            _settle()
            service.run(control, place.is_there)
    except KubehopError as error:
        _say(saying, error=str(error), usage=isinstance(error, UsageError))
    except Exception as error:
        _say(saying, error=f"unexpected: {type(error).__name__}: {error}", usage=False)
    finally:
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
        try:
            lab.down(patience=0)  # nobody can get into its namespaces any more
        finally:
            place.removed()
    return 0


def _stop(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


def _tell(saying: int, line: str) -> None:
    """Nobody wants a lab that nobody waits for."""
    if not _say(saying, progress=line):
        raise SystemExit(0)


def _give_way() -> None:
    """Out of memory, a lab goes before what people work with; see proc_pid_oom_score_adj(5)."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "r+", encoding="ascii") as file:
        file.write(str(max(OOM_SCORE, int(file.read()))))
