"""Labs as users have them: commands in processes of their own, in a place where nothing else is.

A test of `at_home` runs in a process that adopts every orphan, so that it sees at its end whether
a process, a mount or a file of a lab was left.
"""

import inspect
import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

# Some are here only so that not every command imports them again.
from kubehop.cli.lab import status_text  # noqa: F401
from kubehop.cli.main import run
from kubehop.lab import observe  # noqa: F401
from kubehop.lab.plan import inputs  # noqa: F401
from kubehop.lab.supervisor import start  # noqa: F401
from kubehop.linux import libc
from tests.lab.inside import run_apart
from tests.real.needs import lacks

SMALL = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, ports: [{containerPort: 8080}]}, {name: side}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: client}]}
"""
RUN = Path("/run/kubehop-test")
"""Of a file system of the test's own, where the tests are root's; else below /tmp."""
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


def runtime() -> Path:
    """Where the labs of this test keep their state."""
    return Path(os.environ["XDG_RUNTIME_DIR"], "kubehop")


def at_home(test: Callable[..., Any]) -> Callable[..., Any]:
    """A test in a process of its own, as `uid` if it has such a parameter, with no lab but its own.

    Fails if a process, mount or file of a lab is left when it is over.
    """

    @wraps(test)
    def wrapped(**named: Any) -> Any:
        uid, folder = named.get("uid"), named["tmp_path"]
        return run_apart(
            lambda: _nothing_left(lambda: test(**named)), uid, lambda: _home(uid, folder)
        )

    signature = inspect.signature(test)
    if "tmp_path" not in signature.parameters:
        raise TypeError(f"{test.__name__} needs tmp_path: where an ordinary user's labs are")
    return wrapped


def _home(uid: int | None, folder: Path) -> None:
    """A place for state and files that the user of the test may write to."""
    if os.geteuid() == 0:
        libc.mount("tmpfs", "/run", "tmpfs", options="mode=755")
        folder = RUN
        folder.mkdir(mode=0o700)
        os.chown(folder, uid or 0, uid or 0)
    os.environ["XDG_RUNTIME_DIR"] = str(folder)


def _nothing_left(test: Callable[[], Any]) -> Any:
    libc.adopt_orphans(True)
    mounts = Path("/proc/self/mounts").read_text()
    try:
        result = test()
        assert nobody_left(), "a process of a lab was left"
        assert Path("/proc/self/mounts").read_text() == mounts
        assert not runtime().exists() or not list(runtime().iterdir())
        return result
    finally:
        if not nobody_left(0.0):
            kubehop("lab", "down", "--all")


def nobody_left(seconds: float = 10.0) -> bool:
    """True if all our children have ended, and so all orphans of labs."""
    end = time.monotonic() + seconds
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)


def until(what: Callable[[], object], seconds: float = 10.0) -> bool:
    """Whether it comes to be true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Command:
    """`kubehop WORDS` in a process of its own that runs."""

    def __init__(self, *words: str, stdin: bytes = b"") -> None:
        self._files = [os.memfd_create(name) for name in ("in", "out", "err")]
        os.pwrite(self._files[0], stdin, 0)
        self.pid = os.fork()
        if not self.pid:
            _become(words, self._files)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def is_up(self) -> bool:
        """True once it has said what it built, to its last line."""
        return "kubehop lab down" in _text(self._files[1])

    def said(self) -> Said:
        """Wait for its end."""
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        said = Said(code, *(_text(fd) for fd in self._files[1:]))
        for fd in self._files:
            os.close(fd)
        return said


def _become(words: tuple[str, ...], files: list[int]) -> None:
    code = 99
    try:
        for number, fd in enumerate(files):
            os.dup2(fd, number)
        # Not pytest's, which keep what they are given.
        sys.stdin, sys.stdout, sys.stderr = (open(n, mode) for n, mode in enumerate("rww"))  # noqa: SIM115
        with suppress(SystemExit):
            code = run(list(words))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _text(fd: int) -> str:
    return os.pread(fd, os.fstat(fd).st_size, 0).decode()


def kubehop(*words: str, stdin: bytes = b"") -> Said:
    """What a command came to."""
    return Command(*words, stdin=stdin).said()


def fine(*words: str, stdin: bytes = b"") -> str:
    """What a command printed that has to succeed."""
    said = kubehop(*words, stdin=stdin)
    if "a lab needs namespaces" in said.err:
        lacks(said.err.strip())
    assert said.code == 0, said
    return said.out


def refused(*words: str, stdin: bytes = b"") -> str:
    """The one line of a command that has to be refused."""
    said = kubehop(*words, stdin=stdin)
    assert said.code == 2, said
    assert said.err.startswith("error: "), said
    assert said.err.count("\n") == 1, said
    assert not said.out, said
    return said.err.removeprefix("error: ").strip()


def up(name: str = "a", nodes: int = 1, manifest: str = SMALL) -> str:
    """A small lab; what `up` printed."""
    return fine(
        *("lab", "up", "--name", name, "--nodes", str(nodes), "-f", "-"), stdin=manifest.encode()
    )


def status(name: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fine("lab", "status", "--name", name, "-o", "json"))
    return found


def connected(name: str = "a") -> socket.socket:
    """A connection to a lab's control socket, for saying what no command says."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(str(runtime() / name / "control"))
    sock.settimeout(20)
    return sock


def processes(name: str = "a") -> tuple[int, int]:
    """PIDs of the janitor, who listens, and of the supervisor, its child."""
    with connected(name) as sock:
        octets = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    janitor = _CREDENTIALS.unpack(octets)[0]
    children = Path(f"/proc/{janitor}/task/{janitor}/children").read_text().split()
    assert len(children) == 1, children
    return janitor, int(children[0])


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
