"""`pod ip` and `pod list` on a host with a hundred pods: `python -m benchmarks.pod`.

The pods are real, made by containerd's CRI as a kubelet makes them; the commands run there as a
user types them, with Python's caches warm, as installed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from _pytest.outcomes import Skipped

from tests.real.needs import program
from tests.real.runtimes.containerd import Containerd, containerd
from tests.real.runtimes.host import Host
from tests.real.runtimes.kubelet import App, Pod, Wanted

Row = tuple[str, str, str, bool | None]

PODS = 100
TIMES = 15
IP, LIST = 150.0, 400.0
"""What is to be reached, in ms."""
_SLEEP = ("sleep", "1000000")


def rows() -> Iterator[Row]:
    """The rows of the benchmark table; what this machine lacks is named."""
    with tempfile.TemporaryDirectory(prefix="kubehop-bench-") as folder:
        try:
            with containerd(Path(folder), wanted) as host:
                yield from _measured(host, _environment(folder))
        except Skipped as lacking:
            yield ("pod", str(lacking)[:60], "", None)


def wanted(host: Host) -> dict[str, Wanted]:
    """Each with a pause process and one container."""
    return {
        str(at): Wanted(f"web-{at}-{host.token}", f"shop-{host.token}", (App("app", _SLEEP),))
        for at in range(PODS)
    }


def _environment(folder: str) -> dict[str, str]:
    """That of a command that is installed: with its modules compiled."""
    kept = {name: value for name, value in os.environ.items() if name != _NOT_COMPILED}
    return kept | {"PYTHONPYCACHEPREFIX": f"{folder}/cache", "LC_ALL": "C"}


_NOT_COMPILED = "PYTHONDONTWRITEBYTECODE"


def _measured(host: Containerd, environment: Mapping[str, str]) -> Iterator[Row]:
    pod = host.pods[str(PODS // 2)]
    python, kubehop = (sys.executable,), (str(Path(sys.executable).with_name("kubehop")), "pod")
    floor = _milliseconds(host, environment, [(*python, "-c", "pass")])
    with_click = _milliseconds(host, environment, [(*python, "-c", "import click")])
    yield ("pods of a host: python -c pass", f"{floor:.0f} ms", "", None)
    yield ("  with click, as every command has", f"{with_click:.0f} ms", "", None)
    for title, words, target in (
        (f"  pod ip NAME, {PODS} pods, all sources", ("ip", pod.name), IP),
        ("    by CRI alone", ("ip", pod.name, "--source", "cri"), IP),
        ("    by /proc alone", ("ip", pod.name, "--source", "proc"), IP),
        ("    by an address", ("ip", pod.addresses[0]), IP),
        (f"  pod list, {PODS} pods, all sources", ("list",), LIST),
        ("    by CRI alone", ("list", "--source", "cri"), LIST),
        ("    by /proc alone", ("list", "--source", "proc"), LIST),
    ):
        took = _milliseconds(host, environment, [(*kubehop, *words)])
        yield (title, f"{took:.0f} ms", f"<= {target:.0f} ms", took <= target)
    by_hand = _milliseconds(host, environment, _by_hand(pod))
    yield ("  by hand: ctr, nsenter and ip in four commands", f"{by_hand:.0f} ms", "", None)


def _by_hand(pod: Pod) -> Sequence[tuple[str, ...]]:
    """Of one who knows the sandbox's id already, as `crictl pods` would tell it."""
    enter = (program("nsenter", "util-linux"), "--target", str(pod.pid), "--net", "ip")
    return (
        (program("ctr", "containerd"), "-n", "k8s.io", "tasks", "list"),
        (*enter, "addr"),
        (*enter, "route"),
        (program("ip", "iproute2"), "link"),
    )


def _milliseconds(
    host: Containerd, environment: Mapping[str, str], commands: Sequence[tuple[str, ...]]
) -> float:
    """The median of some runs, all commands one after the other, within the host."""
    return statistics.median(
        sum(_once(host, environment, command) for command in commands) for _ in range(TIMES)
    )


def _once(host: Containerd, environment: Mapping[str, str], command: tuple[str, ...]) -> float:
    """Without what entering the host takes: a shell there is started before the clock is."""
    clock = (sys.executable, "-S", "-c", _CLOCK, *command)
    done = subprocess.run(
        host.host.command(*clock), env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr}")
    return float(done.stderr.split()[-1])


_CLOCK = """
import subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(1000 * (time.perf_counter() - start), file=sys.stderr)
sys.exit(done.returncode)
"""


def main() -> None:
    """Print the rows as they come."""
    start = time.perf_counter()
    for what, figure, target, reached in rows():
        said = {True: "reached", False: "NOT REACHED", None: ""}[reached]
        print(f"{what:<55} {figure:>9}  {target:<10} {said}", flush=True)
    print(f"({time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
