"""Programs of the machine's inside of a sandbox, started from outside."""

import os
import pty
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from kubehop.lab.kernel import Base, entered
from kubehop.lab.kernel.run import run_inside
from kubehop.model.errors import UsageError
from tests.lab.inside import as_everyone, run_apart
from tests.lab.kernel.world import POD, node, pod, standing

_Result = TypeVar("_Result")


@contextmanager
def lab() -> Iterator[int]:
    """A lab with a pod; the PID of what holds the pod, as we see it."""
    got, giving = os.pipe()

    def main(base: Base) -> int:
        with standing(base, *node(), *pod(POD, 2)) as kernel:
            os.write(giving, str(kernel.pid(POD)).encode())
            time.sleep(60)
        return 0

    child = entered(main)
    try:
        yield int(os.read(got, 20))
    finally:
        child.send(signal.SIGTERM)
        child.wait()


def ran(
    pid: int, *command: str, given: bytes = b"", before: Callable[[], object] = lambda: None
) -> tuple[int, bytes, bytes]:
    """Exit code, standard output, standard error of `run_inside`, in a process of its own."""
    pipes = [os.pipe() for _ in range(3)]
    os.write(pipes[0][1], given)
    process = os.fork()
    if not process:
        for number, (reading, writing) in enumerate(pipes):
            os.dup2(writing if number else reading, number)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        before()
        os.closerange(3, 100)
        os._exit(run_inside(pid, command))
    for number, (reading, writing) in enumerate(pipes):
        os.close(writing if number else reading)
    os.close(pipes[0][1])
    out, err = (Path(f"/proc/self/fd/{reading}").read_bytes() for reading, _ in pipes[1:])
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), out, err


def apart(uid: int | None, body: Callable[[int], _Result]) -> _Result:
    def outside() -> _Result:
        with lab() as pid:
            return body(pid)

    return run_apart(outside, uid)


@as_everyone
def test_it_is_in_all_namespaces_of_the_sandbox(uid: int | None) -> None:
    script = (
        "hostname; ls /sys/class/net; cat /proc/sys/net/ipv4/ip_forward;"
        "for kind in net uts ipc pid mnt; do readlink /proc/self/ns/$kind; done; id -u; pwd"
    )

    def body(pid: int) -> tuple[list[str], list[str]]:
        os.chdir("/usr")
        kinds = ("net", "uts", "ipc", "pid", "mnt")
        there = [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in kinds]
        code, out, err = ran(pid, "sh", "-c", script)
        assert (code, err) == (0, b"")
        return out.decode().split(), there

    said, there = apart(uid, body)
    assert said[:4] == ["web", "eth0", "lo", "0"]
    assert said[4:8] == there[:4]
    assert said[8] != there[4]  # its own, for a /sys that shows this network
    assert said[9:] == ["0", "/usr"]


@as_everyone
def test_input_output_and_exit_codes_are_those_of_the_program(uid: int | None) -> None:
    def body(pid: int) -> list[tuple[int, bytes, bytes]]:
        return [
            ran(pid, "cat", given=b"hello"),
            ran(pid, "sh", "-c", "exit 42"),
            ran(pid, "sh", "-c", "kill -9 $$"),
            ran(pid, "sh", "-c", "kill -PIPE $$"),
            ran(pid, "no-such-program"),
            ran(pid, "/etc/passwd"),
            ran(pid, "/etc"),
            ran(pid, "sh", "-c", "command -v ip", before=_no_sbin),
        ]

    found = apart(uid, body)
    assert found[0] == (0, b"hello", b"")
    assert [code for code, _, _ in found[1:4]] == [42, 128 + 9, 128 + 13]
    assert found[4] == (127, b"", b"kubehop: no-such-program: command not found\n")
    assert found[5] == (126, b"", b"kubehop: /etc/passwd: Permission denied\n")
    assert found[6] == (126, b"", b"kubehop: /etc: Permission denied\n")
    assert found[7][0] == 0


def _no_sbin() -> None:
    os.environ["PATH"] = "/usr/bin:/bin"


@as_everyone
def test_a_terminal_s_interrupt_reaches_the_program_alone(uid: int | None) -> None:
    """It traps it, ends by itself, and its exit code is what we get."""
    script = 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.05; done'

    def body(pid: int) -> tuple[int, bytes]:
        process, terminal = pty.fork()
        if not process:
            os._exit(run_inside(pid, ("sh", "-c", script)))
        said = b""
        while b"ready" not in said:
            said += os.read(terminal, 1000)
        os.write(terminal, b"\x03")
        _, status = os.waitpid(process, 0)
        said += os.read(terminal, 1000)
        return os.waitstatus_to_exitcode(status), said

    code, said = apart(uid, body)
    assert code == 7
    assert b"caught" in said


@as_everyone
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_when_we_are_ended(uid: int | None, number: int) -> None:
    def body(pid: int) -> int:
        got, giving = os.pipe()
        process = os.fork()
        if not process:
            os.dup2(giving, 1)
            os._exit(run_inside(pid, ("sh", "-c", "echo x; exec sleep 60")))
        os.close(giving)
        assert os.read(got, 10) == b"x\n"
        time.sleep(0.05)  # until sh is sleep
        os.kill(process, number)
        _, status = os.waitpid(process, 0)
        assert os.read(got, 10) == b""  # the program has ended too
        return os.waitstatus_to_exitcode(status)

    code = apart(uid, body)
    assert code == (-9 if number == signal.SIGKILL else 128 + number)


def test_a_lab_that_is_gone_cannot_be_entered() -> None:
    def body() -> str:
        with lab() as pid:
            pass
        with pytest.raises(UsageError) as found:
            run_inside(pid, ("true",))
        return str(found.value)

    assert run_apart(body).startswith("the lab cannot be entered: ")


def test_the_caller_s_mounts_stay() -> None:
    def body(pid: int) -> bool:
        before = Path("/proc/self/mountinfo").read_text()
        ran(pid, "true")
        return Path("/proc/self/mountinfo").read_text() == before

    assert apart(None, body)
