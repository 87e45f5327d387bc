"""A whole lab: a large one up and down, its memory, first packets, throughput between nodes.

`python -m benchmarks.lab --here` measures in a user namespace of its own, as an ordinary user's
lab is; all is done by the commands that a user types.
"""

import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.lab_cluster import manifest
from kubehop.linux import libc

Row = tuple[str, str, str, bool | None]
Figures = dict[str, float]

NODES, PODS, SERVICES = 100, 1000, 1000
FEW, MANY = 100, 10_000
CONNECTIONS = 2000
TIMES = 5
ROUNDS, SECONDS = 3, 2
FIRST, UP, MEGABYTES, DOWN, FLAT, SHARE = 1.0, 4.0, 600.0, 1.0, 1.25, 0.8
"""What is to be reached."""
PEERS = (
    ("  published of kind 0.12 to 0.14: one node (kind#2893)", "12.5-17.1 s"),
    ("  published of containerlab: 306 containers (blog.ipspace.net)", "39 s"),
)


def rows() -> Iterator[Row]:
    """The rows of the benchmark table; what this machine lacks is named."""
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-m", "benchmarks.lab"]
    done = subprocess.run([*command, "--here"], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it did not say why"]
        yield ("lab", said[-1][:60], "", None)
        return
    found: Figures = json.loads(done.stdout)
    first = found["notes"]
    yield (
        "lab: the notes' cluster, command to first answer",
        f"{first:.2f} s",
        f"<= {FIRST:g} s",
        first <= FIRST,
    )
    yield ("  a command in a pod (lab exec)", f"{1000 * found['exec']:.0f} ms", "", None)
    yield ("  down", f"{1000 * found['notes_down']:.0f} ms", "", None)
    size = f"lab: {NODES} nodes, {PODS} pods, {SERVICES} Services: up"
    yield (size, f"{found['up']:.2f} s", f"<= {UP:g} s", found["up"] <= UP)
    yield from ((what, figure, "", None) for what, figure in PEERS)
    taken = found["megabytes"]
    yield ("  memory, kernel and processes", f"{taken:.0f} MB", "<= 600 MB", taken <= MEGABYTES)
    yield ("  down", f"{found['down']:.2f} s", f"<= {DOWN:g} s", found["down"] <= DOWN)
    few, many = found[f"first_{FEW}"], found[f"first_{MANY}"]
    yield (f"first packet (TCP connect by cluster IP), {FEW} Services", f"{few:.0f} us", "", None)
    what = f"  the same, {MANY:,} Services"
    yield (what, f"{many:.0f} us", f"<= {FLAT:g} x", many <= FLAT * few)
    if "pods" in found:
        share = found["pods"] / found["veth"]
        yield ("throughput: bare veth", f"{found['veth']:.1f} Gbit/s", "", None)
        what = "  pod to pod, across nodes (VXLAN)"
        yield (what, f"{found['pods']:.1f} Gbit/s", f">= {SHARE:.0%} of it", share >= SHARE)


def here() -> Figures:
    """Measure in the user namespace that we are in."""
    with tempfile.TemporaryDirectory(prefix="kubehop-bench-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        found = {**small(), **large(Path(folder)), **first_packets(Path(folder))}
        if shutil.which("iperf3"):
            found |= throughput()
        return found


def small() -> Figures:
    """The notes' cluster: from the command to the first answer of a pod, by a Service."""
    ups, execs, downs = [], [], []
    for _ in range(TIMES):
        begun = time.monotonic()
        kubehop("lab", "up")
        up = time.monotonic() - begun
        status = json.loads(kubehop("lab", "status", "-o", "json"))
        pids = {pod["name"]: pod["pid"] for pod in status["pods"]}
        address = next(s for s in status["services"] if s["name"] == "whoami")["clusterIPs"][0]
        ups.append(up + inside(pids["busybox"], partial(answered, address)))
        begun = time.monotonic()
        kubehop("lab", "exec", "busybox", "--", "true")
        execs.append(time.monotonic() - begun)
        begun = time.monotonic()
        kubehop("lab", "down")
        downs.append(time.monotonic() - begun)
    return {
        "notes": statistics.median(ups),
        "exec": statistics.median(execs),
        "notes_down": statistics.median(downs),
    }


def large(folder: Path) -> Figures:
    """Up, memory and down of a large lab."""
    file = folder / "large.json"
    file.write_bytes(manifest(PODS, SERVICES))
    before = taken()
    begun = time.monotonic()
    kubehop("lab", "up", "-f", str(file), "--nodes", str(NODES), "--pod-network", "canal")
    up = time.monotonic() - begun
    time.sleep(1)
    megabytes = taken() - before
    begun = time.monotonic()
    kubehop("lab", "down")
    return {"up": up, "megabytes": megabytes, "down": time.monotonic() - begun}


def answered(address: str) -> float:
    """Seconds until a pod behind an address has said who it is; raises OSError if none does."""
    begun = time.perf_counter()
    with socket.create_connection((address, 80), timeout=5) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"pod: default/whoami" in sock.recv(4096)
    return time.perf_counter() - begun


def taken() -> float:
    """Megabytes that processes and kernel have, without caches."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    sizes = {name: int(rest.split()[0]) for name, _, rest in (ln.partition(":") for ln in lines)}
    kinds = ("AnonPages", "Slab", "PageTables", "KernelStack", "Percpu", "Shmem")
    return sum(sizes[kind] for kind in kinds) / 1024


def first_packets(folder: Path) -> Figures:
    """Microseconds of a connect() to a Service, the median, with few and with many of them."""
    found = {}
    for services in (FEW, MANY):
        file = folder / "services.json"
        file.write_bytes(manifest(FEW, services))
        kubehop("lab", "up", "-f", str(file), "--nodes", "2", "--pod-network", "canal")
        try:
            status = json.loads(kubehop("lab", "status", "-o", "json"))
            found[f"first_{services}"] = 1e6 * connects(status)
        finally:
            kubehop("lab", "down")
    return found


def connects(status: dict[str, Any]) -> float:
    """Seconds of a connect() from a pod, the median."""
    pod = next(pod for pod in status["pods"] if pod["name"] == "app-0-1")
    chosen = random.Random(1)
    addresses = [s["clusterIPs"][0] for s in status["services"] if s["name"].startswith("service")]

    def measure() -> float:
        seconds = []
        for _ in range(CONNECTIONS):
            with socket.socket() as sock:
                address = chosen.choice(addresses)
                begun = time.perf_counter()
                sock.connect((address, 80))
                seconds.append(time.perf_counter() - begun)
        return statistics.median(seconds)

    return inside(pod["pid"], measure)


def throughput() -> Figures:
    """Gbit/s between two pods of different nodes, and over a bare pair of interfaces."""
    kubehop("lab", "up")
    try:
        status = json.loads(kubehop("lab", "status", "-o", "json"))
        pods = {pod["name"]: pod for pod in status["pods"]}
        server, client = pods["whoami-2"], pods["busybox"]
        over = iperf(server["pid"], client["pid"], server["addresses"][0])
    finally:
        kubehop("lab", "down")
    return {"pods": over, "veth": bare()}


def bare() -> float:
    """Two namespaces and a veth, nothing else."""
    holders = [
        subprocess.Popen(["unshare", "--net", "sleep", "600"], stdin=subprocess.DEVNULL)
        for _ in range(2)
    ]
    try:
        time.sleep(0.2)
        left, right = (str(holder.pid) for holder in holders)
        made = f"ip link add v0 mtu 1450 type veth peer name v0 mtu 1450 netns {right}"
        subprocess.run(["nsenter", "--net", "--target", left, *made.split()], check=True)
        for pid, address in ((left, "192.0.2.1/30"), (right, "192.0.2.2/30")):
            script = f"ip addr add {address} dev v0; ip link set v0 up"
            subprocess.run(["nsenter", "--net", "--target", pid, "sh", "-ec", script], check=True)
        return iperf(int(right), int(left), "192.0.2.2")
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()


def iperf(server: int, client: int, address: str) -> float:
    """The median of some rounds of iperf3, in Gbit/s; PIDs tell the network namespaces."""
    into = ["nsenter", "--net", "--target"]
    listening = subprocess.Popen([*into, str(server), "iperf3", "-s"], stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        found = []
        for _ in range(ROUNDS):
            command = [*into, str(client), "iperf3", "-c", address, "-t", str(SECONDS), "-J"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            bits: float = json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]
            found.append(bits / 1e9)
        return statistics.median(found)
    finally:
        listening.kill()
        listening.wait()


def inside(pid: int, measure: Callable[[], float]) -> float:
    """What `measure` gives in the network namespace of a process: a child goes in, for one who
    is not root of the machine does not get out again."""
    got, giving = os.pipe()
    child = os.fork()
    if not child:
        there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        libc.setns(there, libc.NEWNET)
        os.write(giving, repr(measure()).encode())
        os._exit(0)
    os.close(giving)
    with open(got) as said:
        answer = said.read()
    os.waitpid(child, 0)
    return float(answer)


def kubehop(*words: str) -> str:
    """What the command prints; raises if it fails."""
    command = [sys.executable, "-m", "kubehop", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


if __name__ == "__main__":
    if sys.argv[1:] == ["--here"]:
        print(json.dumps(here()))
    else:
        for name, figure, target, reached in rows():
            print(f"{name:70} {figure:>14} {target:14} {reached}")
