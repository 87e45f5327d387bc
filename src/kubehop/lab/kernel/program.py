"""A program of the machine's inside of a sandbox, started from inside of the lab.

A thread goes into the namespaces and is not used again; what it starts is where it is. So nothing
of ours runs between fork(2) and execve(2), where other threads' locks would be in the way.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kubehop.linux import libc
from kubehop.linux.cover import Texts, own_mounts
from kubehop.model.errors import ClusterError

_NAMESPACES = libc.NEWNET | libc.NEWNS | libc.NEWUTS | libc.NEWIPC


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program came to; `code` is None for one that was killed when its time was up."""

    code: int | None
    out: str
    err: str


class Programs:
    """`pids` are those that run: children that are waited for here."""

    def __init__(self) -> None:
        self.pids: set[int] = set()

    def run(self, holder: int, command: Sequence[str], seconds: float, files: Texts) -> Ran:
        """Run it to its end in the namespaces of the process `holder`, without input.

        `files` are what it sees besides those of the sandbox.
        From any thread. Raises ClusterError if it cannot be started.
        """
        with ThreadPoolExecutor(1) as apart:
            try:
                return apart.submit(self._run, holder, command, seconds, files).result()
            except OSError as error:
                raise ClusterError(f"{command[0]}: {error}") from error

    def _run(self, holder: int, command: Sequence[str], seconds: float, files: Texts) -> Ran:
        import subprocess

        there = os.pidfd_open(holder)
        try:
            libc.unshare(libc.NEWNS)  # else other threads would share what is mounted, and "/"
            libc.setns(there, _NAMESPACES)
        finally:
            os.close(there)
        if files:
            own_mounts(files)
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        with subprocess.Popen(  # noqa: S603  that is what was asked for
            command, stdin=null, stdout=pipe, stderr=pipe, cwd="/"
        ) as child:
            self.pids.add(child.pid)
            try:
                out, err = child.communicate(timeout=seconds)
                code: int | None = child.returncode
            except subprocess.TimeoutExpired:
                child.kill()
                (out, err), code = child.communicate(), None
            finally:
                self.pids.discard(child.pid)
        return Ran(code, out.decode(errors="replace"), err.decode(errors="replace"))
