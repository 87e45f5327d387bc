"""A running CoreDNS: a Corefile in, a server that answers until the test lets go of it."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.coredns_build import coredns
from tests.real.namespace import Namespace

START_SECONDS = 30


@dataclass(frozen=True)
class CoreDns:
    """A process in a namespace; `log` is the file that has all it said on stderr and stdout."""

    process: "subprocess.Popen[bytes]"
    log: Path


@contextmanager
def running(corefile: str, inside: Namespace, folder: Path) -> Iterator[CoreDns]:
    """CoreDNS with this Corefile, listening when the body starts (it waits for the API's lists)."""
    program = str(coredns())
    (folder / "Corefile").write_text(corefile)
    log = folder / "coredns.log"
    command = inside.lasting(program, "-conf", str(folder / "Corefile"))
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        _wait_for_start(process, log)
        yield CoreDns(process, log)
    finally:
        process.kill()
        process.wait()


def _wait_for_start(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """It prints its version when every server listens."""
    end = time.monotonic() + START_SECONDS
    while "\nCoreDNS-" not in (said := log.read_text()):
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"CoreDNS did not start:\n{said}")
        time.sleep(0.01)
