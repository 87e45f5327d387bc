"""However a lab ends, nothing of it stays: `at_home` looks for processes, mounts and files."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from kubehop.lab.supervisor import client
from tests.lab.inside import as_everyone
from tests.lab.supervisor.scene import (
    Command,
    at_home,
    connected,
    fine,
    kill,
    kubehop,
    nobody_left,
    processes,
    refused,
    runtime,
    status,
    until,
    up,
)

NOT_YET = 99
"""Exit code where Ctrl-C came before the command began."""


def is_gone(name: str = "a") -> bool:
    return not (runtime() / name).exists()


def patience(seconds: float) -> None:
    """Of commands of this test with a lab that does not listen."""
    client.LISTEN_SECONDS = client.ENOUGH_SECONDS = seconds


@as_everyone
@at_home
def test_the_supervisor_is_killed(uid: int | None, tmp_path: Path) -> None:
    up()
    pauses = [pod["pid"] for pod in status()["pods"]]
    kill(processes()[1])
    assert until(is_gone)
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in pauses)
    assert nobody_left()
    assert refused("lab", "down", "--name", "a").startswith("no lab a")


@as_everyone
@at_home
def test_the_janitor_is_killed(uid: int | None, tmp_path: Path) -> None:
    up()
    kill(processes()[0])
    assert until(is_gone)
    assert nobody_left()


@as_everyone
@at_home
def test_both_are_killed_and_the_next_command_clears_up(uid: int | None, tmp_path: Path) -> None:
    up()
    janitor, supervisor = processes()
    kill(supervisor, janitor)
    assert nobody_left()
    assert refused("lab", "status", "--name", "a").startswith("no lab a")
    assert is_gone()
    up()
    fine("lab", "down", "--name", "a")


@at_home
def test_signals_to_either_end_it(tmp_path: Path) -> None:
    for which in (0, 1):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            up()
            os.kill(processes()[which], number)
            assert until(is_gone), (which, number)
            assert nobody_left(), (which, number)


@at_home
def test_its_state_is_removed_behind_its_back(tmp_path: Path) -> None:
    """As logind does with $XDG_RUNTIME_DIR when its user leaves: nobody can reach the lab more."""
    for remove in (shutil.rmtree, lambda path: (path / "control").unlink()):
        up()
        remove(runtime() / "a")
        assert until(nobody_left)
        assert is_gone()


@as_everyone
@at_home
def test_down_ends_what_hangs(uid: int | None, tmp_path: Path) -> None:
    patience(0.5)
    for which in ((1,), (0, 1), (0,)):
        up()
        pids = processes()
        for index in which:
            os.kill(pids[index], signal.SIGSTOP)
        started = time.monotonic()
        assert fine("lab", "down", "--name", "a") == "lab a is down\n"
        assert time.monotonic() - started < 8
        assert is_gone()
        assert nobody_left()


@at_home
def test_down_kills_nobody_else(tmp_path: Path) -> None:
    """A process that is in the lab's directory, and has it open, does not hold the lab."""
    patience(0.5)
    up()
    bystander = os.fork()
    if not bystander:
        os.chdir(runtime() / "a")
        os.open(".", os.O_RDONLY)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(60)
        os._exit(0)
    os.kill(processes()[1], signal.SIGSTOP)
    fine("lab", "down", "--name", "a")
    assert os.waitpid(bystander, os.WNOHANG) == (0, 0)
    kill(bystander)


@at_home
def test_up_is_killed_at_any_time(tmp_path: Path) -> None:
    """Nobody waits for such a lab, so that it ends; or it was up already, and is whole."""
    for step in range(10):
        running = Command("lab", "up", "--name", "a", "--nodes", "20")
        time.sleep(0.1 * step)
        running.signal(signal.SIGKILL)
        running.said()

        def settled() -> bool:
            return is_gone() or kubehop("lab", "status", "--name", "a").code == 0

        assert until(settled, 20), step
        kubehop("lab", "down", "--name", "a")
        assert until(is_gone), step
        assert nobody_left(20), step


@at_home
def test_up_is_interrupted_at_any_time(tmp_path: Path) -> None:
    """Ctrl-C: when the command is back nothing stands, or all."""
    codes = set()
    for step in range(10):
        running = Command("lab", "up", "--name", "a", "--nodes", "20")
        time.sleep(0.1 * step)
        with suppress(ProcessLookupError):
            running.signal(signal.SIGINT)
        said = running.said()
        codes.add(said.code)
        assert said.code in (0, 130, NOT_YET), said
        assert "Traceback" not in said.err or said.code != 130
        if said.code == 0:
            fine("lab", "down", "--name", "a")
        assert is_gone(), said
        assert nobody_left(), step
    assert 130 in codes


@at_home
def test_interrupted_at_the_terminal(tmp_path: Path) -> None:
    words = ("lab", "up", "--name", "a", "--nodes", "100")
    pid, terminal = pty.fork()
    if not pid:
        os.execv(sys.executable, [sys.executable, "-m", "kubehop", *words])
    shown = b""
    while b"100 nodes, " not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    with suppress(OSError):
        while more := os.read(terminal, 4096):
            shown += more
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert b"interrupted" in shown
    assert b"Traceback" not in shown
    assert is_gone()


@at_home
def test_down_while_it_is_built_and_up_while_it_ends(tmp_path: Path) -> None:
    building = Command("lab", "up", "--name", "a", "--nodes", "60")
    assert until((runtime() / "a" / "control").exists)
    ending = [Command("lab", "down", "--name", "a") for _ in range(2)]
    codes = sorted(command.said().code for command in ending)
    building.said()
    assert until(is_gone), codes
    assert codes[0] == 0
    up()
    ending = [Command("lab", "down", "--name", "a")]
    while (said := kubehop("lab", "up", "--name", "a")).code:
        assert "is up already" in said.err
    assert ending[0].said().code == 0
    fine("lab", "down", "--name", "a")


@at_home
def test_down_while_it_changes(tmp_path: Path) -> None:
    up()
    scaling = [
        Command("lab", "scale", "deploy/web", "--replicas", str(number), "--name", "a")
        for number in (60, 30, 90)
    ]
    assert until(lambda: len(status()["pods"]) > 10)
    fine("lab", "down", "--name", "a")
    assert is_gone()
    for command in scaling:
        said = command.said()
        assert said.code in (0, 2), said
        assert "Traceback" not in said.err


@pytest.mark.parametrize("ours", [True, False])
@at_home
def test_what_is_planted_at_its_place(ours: bool, tmp_path: Path) -> None:
    runtime().mkdir(mode=0o700)
    there = runtime() / "a"
    planted: tuple[Callable[[], object], ...] = (
        lambda: there.symlink_to("/etc"),
        lambda: there.write_text("something"),
        lambda: there.symlink_to("/nonexistent"),
    )
    for plant in planted:
        plant()
        said = refused("lab", "up", "--name", "a")
        assert f"{there}: " in said
        assert "remove it" in said
        assert "no lab a" in refused("lab", "down", "--name", "a")
        there.unlink()
    precious = there / "precious"
    there.mkdir()
    precious.write_text("something")
    up()
    fine("lab", "down", "--name", "a")
    assert fine("lab", "list", "-o", "name") == ""
    assert precious.read_text() == "something"
    shutil.rmtree(there)


@at_home
def test_where_state_is_when_the_environment_does_not_say_or_is_wrong(tmp_path: Path) -> None:
    long = runtime().parent / ("x" * 200) / "y"
    long.mkdir(parents=True)
    given = os.environ["XDG_RUNTIME_DIR"]
    os.environ["XDG_RUNTIME_DIR"] = str(long)
    up()
    assert (long / "kubehop" / "a" / "control").is_socket()
    fine("lab", "down", "--name", "a")
    for wrong in ("relative", "/nonexistent", ""):
        os.environ["XDG_RUNTIME_DIR"] = wrong
        up()
        fine("lab", "down", "--name", "a")
    os.environ["XDG_RUNTIME_DIR"] = "/proc"
    assert "/proc/kubehop: " in refused("lab", "up", "--name", "a")
    os.environ["XDG_RUNTIME_DIR"] = given
    runtime().symlink_to("/etc")
    assert "not a directory of ours alone" in refused("lab", "up", "--name", "a")
    runtime().unlink()
    runtime().mkdir()
    runtime().chmod(0o777)
    assert "not a directory of ours alone" in refused("lab", "up", "--name", "a")


@at_home
def test_names_are_labels(tmp_path: Path) -> None:
    for name in ("../x", "-", "", "UP", "a/b", "a" * 64, ".", "a\n", "\x1b[31m", "ä", "a-"):
        said = refused("lab", "down", f"--name={name}")
        assert "a lab's name is lower case" in said
        assert "\x1b" not in said
    for words in (("up",), ("status",), ("exec", "client", "true"), ("apply", "-f", "/dev/null")):
        assert "a lab's name is" in refused("lab", words[0], "--name=../x", *words[1:])
    up("a" * 63)
    fine("lab", "down", "--name", "a" * 63)


@at_home
def test_programs_inside_end_with_it(tmp_path: Path) -> None:
    up()
    running = Command("lab", "exec", "--name", "a", "client", "--", "sleep", "61.5")
    assert until(lambda: b"\nsleep 61.5\n" in subprocess.check_output(["ps", "-e", "-o", "args"]))
    fine("lab", "down", "--name", "a")
    assert running.said().code == 128 + signal.SIGKILL


@at_home
def test_a_connection_that_stays_open_keeps_nothing(tmp_path: Path) -> None:
    up()
    with connected(), connected():
        fine("lab", "down", "--name", "a")
        assert is_gone()


@at_home
def test_it_keeps_nothing_of_the_shell_that_began_it(tmp_path: Path) -> None:
    """No open file but its own, not its umask; out of memory it goes before the shell does."""
    reading, writing = os.pipe()
    os.umask(0o077)
    up()
    os.close(writing)
    assert os.read(reading, 1) == b""
    supervisor = processes()[1]
    assert Path(f"/proc/{supervisor}/oom_score_adj").read_text() == "500\n"
    lines = Path(f"/proc/{supervisor}/status").read_text().splitlines()
    assert "Umask:\t0022" in lines
    fine("lab", "down", "--name", "a")
