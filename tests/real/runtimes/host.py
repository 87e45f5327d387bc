"""A host of pods: namespaces of its own in which a runtime runs, seen from inside and outside."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from kubehop.linux import libc
from tests.lab.inside import NOBODY as NOBODY
from tests.lab.inside import run_apart
from tests.real.needs import lacks, program

_Result = TypeVar("_Result")
Ran = subprocess.CompletedProcess[str]
_KEEP = Path(__file__).with_name("keep.py")
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Host:
    """`folder` holds `run`, `lib`, `log`, which are /run, /var/lib, /var/log there.

    `pid` is the runtime's. Process ids are the same in there and out here. `cgroup` is the root of
    all cgroups there, `token` is in no other host's names.
    """

    folder: Path
    pid: int
    cgroup: str
    token: str

    def run(
        self,
        *command: str,
        uid: int = 0,
        environ: Mapping[str, str] | None = None,
        given: str = "",
    ) -> Ran:
        """Run a program there: with that host's files and network, as root or as user `uid`."""
        return run_program(self.command(*command, uid=uid), given, environ)

    def inside(self, pid: int, *command: str, given: str = "") -> Ran:
        """Run a program of ours in the network namespace of `pid`, as nsenter does."""
        return run_program((*_enter(pid, "--net"), *command), given)

    def call(self, function: Callable[[], _Result], uid: int | None = None) -> _Result:
        """What `function` returns there: in a fork of this process, as root or as user `uid`."""
        return run_apart(function, uid, self._move)

    def kubehop(self, *words: str, uid: int | None = None) -> Ran:
        """The command line, run there in a fork of this process."""
        return self.call(partial(_kubehop, words), uid)

    def _move(self) -> None:
        """Into that host, with mounts that may be changed without being seen there."""
        for name, kind in (("net", libc.NEWNET), ("mnt", libc.NEWNS)):
            with open(f"/proc/{self.pid}/ns/{name}") as file:
                libc.setns(file.fileno(), kind)
        libc.unshare(libc.NEWNS)
        libc.mount("none", "/", flags=libc.MS_REC | libc.MS_PRIVATE)

    def command(self, *command: str, uid: int = 0) -> tuple[str, ...]:
        """What `run` runs, for a program that is to run on."""
        return (*self._enter("--mount", "--net"), *(_as_user(uid) if uid else ()), *command)

    def outside(self, path: str) -> Path:
        """The path out here of a path there, below /run, /var/lib or /var/log."""
        for there, here in (("/run/", "run"), ("/var/lib/", "lib"), ("/var/log/", "log")):
            if path.startswith(there):
                return self.folder / here / path.removeprefix(there)
        raise ValueError(path)

    def said(self) -> str:
        """The runtime's own log."""
        return (self.folder / "said").read_text(errors="replace")

    def _enter(self, *namespaces: str) -> tuple[str, ...]:
        return _enter(self.pid, *namespaces)


def _kubehop(words: tuple[str, ...]) -> Ran:
    """Output goes to files, as programs that are started write there too."""
    from kubehop.cli.main import run

    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        code = run(list(words))
        for file in (sys.stdout, sys.stderr):
            file.flush()
        for file in (out, err):
            file.seek(0)
        return Ran(words, code, out.read(), err.read())


def _enter(pid: int, *namespaces: str) -> tuple[str, ...]:
    wd = f"--wd={Path.cwd()}"  # else it is that process' folder
    return (program("nsenter", "util-linux"), "--target", str(pid), *namespaces, wd)


def _as_user(uid: int) -> tuple[str, ...]:
    same = (f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    return (program("setpriv", "util-linux"), *same)


def run_program(
    command: tuple[str, ...], given: str, environ: Mapping[str, str] | None = None
) -> Ran:
    """What a program said; it has half a minute."""
    return subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        env={**os.environ, "LC_ALL": "C", **(environ or {})},
    )


@contextmanager
def host(*command: str, files: Callable[[str], Mapping[str, str]] = lambda _: {}) -> Iterator[Host]:
    """A host that runs `command`, with `files` of its token in /etc before it starts.

    In the command `{folder}` is the host's folder, `{cgroup}` its cgroup.
    """
    if os.geteuid() != 0:
        lacks("root, as container runtimes do")
    for name, package in (("unshare", "util-linux"), ("mount", "mount"), ("ip", "iproute2")):
        program(name, package)
    folder = Path(tempfile.mkdtemp(prefix="kubehop-host-"))
    folder.chmod(0o755)
    token = folder.name.rpartition("-")[2].lower().replace("_", "x")
    cgroup = f"kubehop-{token}"
    for name, content in files(token).items():
        path = folder / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    words = [word.format(folder=folder, cgroup=cgroup) for word in command]
    keeper = subprocess.Popen(
        [sys.executable, _KEEP, folder, cgroup, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        yield Host(folder, int(keeper.stdout.readline()), cgroup, token)
    finally:
        keeper.stdin.close()
        keeper.wait(60)
        keeper.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(ready: Callable[[], object], what: Callable[[], str]) -> None:
    """Until `ready()` is true; `what()` says what went wrong if it never is."""
    end = time.monotonic() + _SECONDS
    while not ready():
        assert time.monotonic() < end, what()
        time.sleep(0.01)
