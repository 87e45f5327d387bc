"""Keeps a program in namespaces of its own until standard input ends, then removes all of it.

Usage: keep.py FOLDER CGROUP PROGRAM [ARGUMENT]...

FOLDER/{run,lib,log} are the program's /run, /var/lib and /var/log; FOLDER/{etc,opt} are laid over
/etc and /opt. Whatever it starts becomes a child of this process when its parent ends (containerd's
shims leave containerd), so that in the end every process is found and killed; then the cgroups
CGROUP of every hierarchy go, and FOLDER. It has a session of its own: Ctrl-C does not reach it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kubehop.linux import libc

_SECONDS = 20.0
_SET_UP = """set -e
folder=$1; shift
ip link set lo up
for one in run:/run lib:/var/lib log:/var/log; do
  mount --bind "$folder/${one%%:*}" "${one#*:}"
done
for one in etc opt; do
  options="lowerdir=/$one,upperdir=$folder/$one,workdir=$folder/$one.work"
  mount -t overlay -o "$options" overlay "/$one"
done
exec "$@"
"""


def main(folder: Path, cgroup: str, *command: str) -> None:
    """Run `command` until we are told to end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    libc.adopt_orphans(True)
    for name in ("run", "lib", "log", "etc", "etc.work", "opt", "opt.work"):
        (folder / name).mkdir(exist_ok=True)
    unshare = ["unshare", "--net", "--mount", "--propagation", "private"]
    try:
        with (folder / "said").open("wb") as said:
            started = subprocess.Popen(
                [*unshare, "sh", "-c", _SET_UP, "sh", folder, *command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        print(started.pid, flush=True)
        sys.stdin.read()
    finally:
        _end_all()
        _remove_cgroups(cgroup)
        shutil.rmtree(folder, ignore_errors=True)


def _end_all() -> None:
    """Kill what descends from us, until nothing does."""
    end = time.monotonic() + _SECONDS
    while (those := tuple(_descendants())) and time.monotonic() < end:
        for pid in those:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def _descendants() -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        with suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(pid)
    waiting = children.get(os.getpid(), [])
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children.get(pid, [])


def _remove_cgroups(name: str) -> None:
    """Those of every hierarchy, the innermost first; a killed process may still be leaving."""
    root = Path("/sys/fs/cgroup")
    for top in (root / name, *root.glob(f"*/{name}")):
        end = time.monotonic() + _SECONDS
        while top.exists() and time.monotonic() < end:
            for folder, _, _ in os.walk(top, topdown=False):
                with suppress(OSError):
                    os.rmdir(folder)
            time.sleep(0.01)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
