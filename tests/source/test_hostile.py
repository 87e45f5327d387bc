"""Large inputs of nothing much: one line or an empty inventory, in seconds and without a crash.

Each in a process of its own, because a parser that recurses too deeply takes its process along.
"""

import subprocess
import sys
from pathlib import Path

import pytest

SIZE = 30_000_000
SECONDS = 10
MEMORY = 12 * SIZE + 100_000_000

SCRIPT = """
import ast, sys, resource
from kubehop.model.errors import InputError
from kubehop.source.read import read
first, again = ast.literal_eval(sys.argv[1])
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[3]), int(sys.argv[3])))
data = first + again * (int(sys.argv[2]) // len(again))
try:
    print(read([("f", data)]).objects)
except InputError as error:
    print(error)
# Not ru_maxrss: that is at least what the process had that this one was started from.
(peak,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(int(peak.split()[1]) * 1024)
"""

INPUTS: list[tuple[bytes, bytes, str]] = [
    (b"", b" ", "{}"),
    (b"", b"\n", "{}"),
    (b"", b"\r\n", "{}"),
    (b"", b"#\n", "{}"),
    (b"", b"\0", "f: not YAML or JSON but binary: NUL at byte 0"),
    (b"{}" + b" " * 9000, b"\0", "f: document 1: has no kind: not a Kubernetes object"),
    (b"", b"---\n", "f: line 10001: more than 10000 empty documents in a row"),
    (b"", b"[]\n", "f: more than 10000 empty lists in a row"),
    (b"", b"[", "f: JSON nested too deeply"),
    (b"", b'{"a":', "f: JSON nested too deeply"),
    (b"", b"{", "f: line 1: nested more than 200 levels deep"),
    (b"", b"- ", "f: line 1: nested more than 200 levels deep"),
    (b"", b"? ", "f: line 1: nested more than 200 levels deep"),
    (b"a: ", b"[", "f: line 1: nested more than 200 levels deep"),
    (b"", b"a", 'f: expected object, got str "aaaa'),
    (b"", b"a\n", 'f: expected object, got str "a a'),
    (b"", b"1", 'f: expected object, got str "1111'),
    (b"", b'"', "f: document 1: expected object"),
    (b"", b"{}", "f: document 1: has no kind"),
    (b"", b"==== START ", 'f: expected object, got str "==== START'),
    (b"", b"==== START logs for container a ====\n", "f: cut off: no end of logs"),
    (b"", b"<", 'f: expected object, got str "<<<<'),
    (b"", b"&a ", "f: line 1: did not find"),
    (b"a: &a x\nb: [*a", b",*a", "f: line 2: aliases stand for too much"),
]


@pytest.mark.parametrize(("first", "again", "answer"), INPUTS, ids=lambda value: repr(value)[:20])
def test_hostile(first: bytes, again: bytes, answer: str) -> None:
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, repr((first, again)), str(SIZE), str(SECONDS)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(source)},
    )
    assert done.returncode == 0, done.stderr[-500:]
    line, memory = done.stdout.splitlines()
    assert line.startswith(answer)
    assert int(memory) < MEMORY
