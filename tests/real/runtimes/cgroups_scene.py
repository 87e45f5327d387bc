"""Starts processes in cgroups and network namespaces as told, then waits: the program of a host.

Usage: cgroups_scene.py FOLDER ROOT. FOLDER/scene.json has the cgroup mounts to use, networks (name
-> lines for `ip -batch`) and a tree of processes; FOLDER/scene.started gets name -> PID once all
of them are what they should be. Cgroups are below ROOT in each mount.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from kubehop.linux import libc

_FAILED = "failed"


def main(folder: Path, root: str) -> None:
    scene = json.loads((folder / "scene.json").read_text())
    networks = {name: _network(lines) for name, lines in scene["networks"].items()}
    told, telling = os.pipe()
    made = _Making([Path(each, root) for each in scene["mounts"]], networks, telling)
    for each in scene["processes"]:
        made.start(each)
    os.close(telling)
    with open(told) as file:  # ends when all have become another program
        pids = dict(line.split("=") for line in file.read().splitlines())
    if _FAILED in pids:
        sys.exit("not all that was told could be started")
    new = folder / "scene.new"
    new.write_text(json.dumps({name: int(pid) for name, pid in pids.items()}))
    new.rename(folder / "scene.started")
    signal.pause()


def _network(lines: list[str]) -> int:
    """A new one, held open."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    libc.unshare(libc.NEWNET)
    made = os.open("/proc/self/ns/net", os.O_RDONLY)
    batch = "".join(f"{line}\n" for line in lines)
    subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)
    libc.setns(home, libc.NEWNET)
    os.close(home)
    return made


class _Making:
    def __init__(self, roots: list[Path], networks: dict[str, int], telling: int) -> None:
        self.roots, self.networks, self.telling = roots, networks, telling

    def start(self, process: dict[str, Any]) -> None:
        """It and, as its children, those that it keeps."""
        if os.fork():
            return
        try:
            os.write(self.telling, f"{process['name']}={os.getpid()}\n".encode())
            for each in process["keeps"]:
                self.start(each)
            for root in self.roots:
                path = root / process["cgroup"]
                path.mkdir(parents=True, exist_ok=True)
                (path / "cgroup.procs").write_text("0")
            if process["network"]:
                libc.setns(self.networks[process["network"]], libc.NEWNET)
            os.execv(process["program"], process["words"])
        except BaseException:
            traceback.print_exc()
            os.write(self.telling, f"{_FAILED}=0\n".encode())
        finally:
            os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
