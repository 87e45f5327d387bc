"""Commands at a terminal: programs inside own it, progress is shown and leaves nothing behind."""

import fcntl
import os
import pty
import struct
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

from tests.lab.inside import as_everyone
from tests.lab.supervisor.scene import at_home, fine, up

KUBEHOP = (sys.executable, "-m", "kubehop")


class Terminal:
    """A command with a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self.shown = b""
        self._pid, self._fd = pty.fork()
        if not self._pid:
            os.execv(words[0], list(words))

    def until(self, text: bytes) -> None:
        while text not in self.shown:
            self.shown += os.read(self._fd, 4096)

    def resized(self) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("4H", 33, 77, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self._fd, keys)

    def code(self) -> int:
        """Its exit code, once it has ended; all that it showed is in `shown`."""
        with suppress(OSError):  # EIO: nobody has the terminal any more
            while more := os.read(self._fd, 4096):
                self.shown += more
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


@as_everyone
@at_home
def test_a_program_inside_has_the_terminal(uid: int | None, tmp_path: Path) -> None:
    up()
    inside = Terminal(*KUBEHOP, "lab", "exec", "--name", "a", "client", "--", "sh")
    inside.until(b"# ")
    inside.resized()
    inside.type(b"test -t 0 && echo is''a''tty; hostname; stty size\r")
    for text in (b"isatty", b"client", b"33 77"):
        inside.until(text)
    inside.type(b"echo a''wake; sleep 60; echo co''de=$?\r")
    inside.until(b"awake")
    time.sleep(0.2)
    inside.type(b"\x03")
    inside.until(b"^C")
    inside.type(b"exit 5\r")
    assert inside.code() == 5
    assert b"annot" not in inside.shown
    fine("lab", "down", "--name", "a")


@at_home
def test_stopped_and_continued_from_the_shell_outside(tmp_path: Path) -> None:
    up()
    outside = Terminal("/bin/bash", "--norc", "-i")
    command = " ".join((*KUBEHOP, "lab", "exec", "--name", "a", "client"))
    outside.type(f"{command} -- sh -c 'echo be''gun; read word; echo got $word'\r".encode())
    outside.until(b"begun\r\n")
    outside.type(b"\x1a")
    outside.until(b"Stopped")
    outside.type(b"echo he''re\r")
    outside.until(b"here")
    outside.type(b"fg\r")
    outside.until(b"-- sh -c 'echo be")
    time.sleep(0.2)
    outside.type(b"this\r")
    outside.until(b"got this")
    outside.type(b"exit\r")
    outside.code()
    fine("lab", "down", "--name", "a")


@at_home
def test_in_a_pipe_the_terminal_stays_with_all_of_it(tmp_path: Path) -> None:
    up()
    outside = Terminal("/bin/bash", "--norc", "-i")
    command = " ".join((*KUBEHOP, "lab", "exec", "--name", "a", "client"))
    outside.type(
        f"{command} -- echo inside | (cat; read word </dev/tty; echo got $word)\r".encode()
    )
    outside.until(b"inside\r\n")
    outside.type(b"this\r")
    outside.until(b"got this")
    outside.type(b"exit\r")
    outside.code()
    fine("lab", "down", "--name", "a")


@at_home
def test_interrupted_inside(tmp_path: Path) -> None:
    """As a shell has it, and nothing of ours is said."""
    up()
    inside = Terminal(
        *(*KUBEHOP, "lab", "exec", "--name", "a", "client"),
        *("--", "sh", "-c", "echo go; sleep 60; echo no"),
    )
    inside.until(b"go")
    inside.type(b"\x03")
    assert inside.code() == 130
    assert inside.shown.replace(b"\r\n", b"\n") in (b"go\n^C", b"go\n^C\n")
    fine("lab", "down", "--name", "a")


@at_home
def test_progress_is_shown_and_wiped_out(tmp_path: Path) -> None:
    building = Terminal(*KUBEHOP, "lab", "up", "--name", "a", "--nodes", "30")
    assert building.code() == 0
    progress, said = building.shown.rsplit(b"\r\x1b[K", 1)
    assert b"planning ..." in progress
    assert b"30 nodes, 7 pods ..." in progress
    assert b"\n" not in progress
    assert b"lab a is up" in said
    fine("lab", "down", "--name", "a")
