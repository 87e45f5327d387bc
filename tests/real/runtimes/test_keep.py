"""Nothing of a host stays, even if the tests that made it are killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.real.runtimes.host import wait_for

_TESTS = """
import json, pathlib, signal, sys, tempfile
from tests.real.runtimes.containerd import containerd
from tests.real.runtimes.kubelet import App, Wanted

def wanted(host):
    return {"one": Wanted("one", host.token, (App("app", ("sleep", "1000000")),))}

with containerd(pathlib.Path(sys.argv[1]), wanted) as made:
    pod = made.pods["one"]
    pids = (made.host.pid, pod.pid, pod.containers[0].pid)
    print(json.dumps([str(made.host.folder), made.host.cgroup, pids]), flush=True)
    signal.pause()
"""


def test_nothing_stays(tmp_path: Path) -> None:
    tests = subprocess.Popen([sys.executable, "-c", _TESTS, tmp_path], stdout=subprocess.PIPE)
    assert tests.stdout
    with tests, tests.stdout as said:
        folder, cgroup, pids = json.loads(said.readline())
        shims = _seeing(folder)
        tests.send_signal(signal.SIGKILL)
    assert len(shims) > 1, "containerd and a shim were to be there"

    def left() -> list[object]:
        there = [path for path in (Path(folder), *_cgroups(cgroup)) if path.exists()]
        running = [pid for pid in {*pids, *shims} if os.path.exists(f"/proc/{pid}")]
        return [*there, *running]

    wait_for(lambda: not left(), lambda: f"still there: {left()}")


def _cgroups(name: str) -> list[Path]:
    root = Path("/sys/fs/cgroup")
    return [root / name, *(each / name for each in root.iterdir())]


def _seeing(folder: str) -> set[int]:
    """Processes that have its mounts: containerd and shims."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}/root/run").st_ino == os.stat(f"{folder}/run").st_ino:
                found.add(int(pid))
        except OSError:
            continue
    return found
