"""A network namespace beside the test's own, as a pod's is beside its host's."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kubehop.sandbox.namespace import Namespace, inside, open_namespace
from kubehop.sandbox.values import Sandbox
from tests.real.needs import program

_TRIES = 60
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Pod:
    """A process in a network namespace of its own, and that namespace."""

    pid: int
    namespace: Namespace

    def ip(self, *words: str) -> str:
        """What ip(8) prints inside. Raises CalledProcessError."""
        with inside(self.namespace):
            return ip(*words)

    def json(self, *words: str) -> Any:
        """The same, with -j."""
        return json.loads(self.ip("-j", *words) or "[]")


def ip(*words: str) -> str:
    """What ip(8) prints here."""
    command = [program("ip", "iproute2"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def can(*words: str) -> bool:
    """Whether ip(8) does it here: a kernel may lack a kind of interface."""
    return not subprocess.run([program("ip", "iproute2"), *words], capture_output=True).returncode


@contextmanager
def process(*flags: str) -> Iterator[int]:
    """A process in new namespaces, by unshare(1), that waits."""
    command = [program("unshare", "util-linux"), *flags, "sh", "-c", "echo; exec sleep 1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as started:
        try:
            assert started.stdout
            assert started.stdout.read(1)
            yield started.pid
        finally:
            os.kill(started.pid, signal.SIGKILL)


@contextmanager
def pod(*flags: str) -> Iterator[Pod]:
    """One, with `lo` up."""
    with process("--net", *flags) as pid:
        namespace = open_namespace(Sandbox(pid=pid))
        try:
            made = Pod(pid, namespace)
            made.ip("link", "set", "lo", "up")
            yield made
        finally:
            namespace.close()


def wire(made: Pod, here: str, there: str = "eth0") -> None:
    """A pair of interfaces between the test's own namespace and a pod, both up."""
    ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", str(made.pid))
    ip("link", "set", here, "up")
    made.ip("link", "set", there, "up")


def same(ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """Both say the same at a moment when nothing changes: lifetimes run, addresses settle."""
    for _ in range(_TRIES):
        before, said, after = theirs(), ours(), theirs()
        if before == said == after:
            return
        time.sleep(_PAUSE)
    assert said == after


def text(lines: Sequence[str]) -> str:
    """Lines as a program prints them."""
    return "".join(f"{line}\n" for line in lines)
