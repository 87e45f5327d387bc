"""Ctrl-C at any moment of a command's start ends it quietly."""

import re
import signal
import subprocess
import sys
import time

import pytest

SECONDS = 60
SHOTS = 60
GUARDED = re.compile(r'/kubehop/cli/(?!__init__|main)|/click/|\.py", line \d+, in (main|run)\n')
"""Frames of a traceback that show that the guard stood; before it, Python prints what it likes."""
_LIGHT = """
import sys
before = set(sys.modules)
import kubehop.cli.main
print(*sorted(set(sys.modules) - before))
"""

_LOST = """
import time, weakref
from kubehop.cli import main

class Thing:
    pass

def lost(_):
    raise KeyboardInterrupt

main._interrupts_end_us()
main._interrupts_are_raised()
thing = Thing()
watched = weakref.ref(thing, lost)
try:
    del thing
    time.sleep(50)
except KeyboardInterrupt:
    print("raised")
"""


def _as_from_a_terminal() -> None:
    """Whoever runs the tests may have them ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "kubehop", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_as_from_a_terminal,
    )


@pytest.mark.parametrize("words", [["--help"], ["pod", "list"], ["resolve", "--help"]], ids=str)
def test_at_any_moment(words: list[str]) -> None:
    start = time.monotonic()
    with _start(words) as started:
        started.communicate(timeout=SECONDS)
    assert started.returncode == 0
    whole = time.monotonic() - start
    ends: dict[int, int] = {}
    for shot in range(SHOTS):
        with _start(words) as started:
            time.sleep(whole * 1.2 * shot / SHOTS)
            started.send_signal(signal.SIGINT)
            _, said = started.communicate(timeout=SECONDS)
        text = said.decode(errors="replace")
        assert not GUARDED.search(text), text
        assert "Exception ignored" not in text, text
        ends[started.returncode] = ends.get(started.returncode, 0) + 1
        if started.returncode == 130:
            assert text.strip() in ("", "interrupted")
    assert ends.get(130), ends
    assert set(ends) <= {0, 1, 130, -signal.SIGINT}, ends


def test_the_way_in_imports_next_to_nothing() -> None:
    """What is imported before the guard is the time in which nothing guards."""
    command = [sys.executable, "-c", _LIGHT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
    assert all(name.split(".")[0] == "kubehop" for name in done.stdout.split()), done.stdout


def test_one_that_comes_where_python_forgets_it() -> None:
    command = [sys.executable, "-c", _LOST]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        preexec_fn=_as_from_a_terminal,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "raised\n", "")


def test_an_ignored_interrupt_stays_ignored() -> None:
    """As of a job in the background of a shell script."""
    words = ["--help"]
    ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "kubehop", *words]
    for shot in range(10):
        with subprocess.Popen(ignoring, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
            time.sleep(0.02 + shot / 300)
            started.send_signal(signal.SIGINT)
            out, said = started.communicate(timeout=SECONDS)
        assert (started.returncode, said) == (0, b"")
        assert b"Usage: kubehop" in out
