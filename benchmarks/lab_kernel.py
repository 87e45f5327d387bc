"""A lab's namespaces and links: what a pod costs the kernel, against the least that it could.

`python -m benchmarks.lab_kernel [NODES PODS]` measures in a user namespace of its own.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

from kubehop.lab.kernel import Base, Kernel, entered, rtnetlink
from kubehop.lab.kernel.gone import wait_until_gone
from kubehop.lab.plan.values import (
    Address,
    Make,
    Neighbour,
    Remove,
    Route,
    Sandbox,
    Sysctl,
    Thing,
    Veth,
)
from kubehop.linux import libc
from kubehop.linux.netlink import Netlink

Row = tuple[str, str, str, bool | None]
Figures = dict[str, float]

NODES, PODS = 100, 1000
POD_MS, CLOSE_SECONDS = 1.3, 1.0
"""What the lab is to reach: milliseconds a pod, its share of the nodes included; down."""
ROUNDS = 3
PEERS = "  published elsewhere, ms a pod: ip 34.7, ip -batch 14.4, pyroute2 10.6"
GATEWAY = "169.254.1.1"


def rows(nodes: int = NODES, pods: int = PODS) -> list[Row]:
    """The rows of the benchmark table: medians of ROUNDS."""
    found = measured(nodes, pods)
    pod, floor, close = found["pod_ms"], found["floor_ms"], found["close_seconds"]
    return [
        (
            f"kernel: {pods:,} pods on {nodes} nodes, a pod",
            f"{pod:.2f} ms",
            f"<= {POD_MS:g} ms",
            pod <= POD_MS,
        ),
        ("  bare unshare of a network and bare veth", f"{floor:.2f} ms", "", None),
        ("  as many times that", f"{pod / floor:.1f} x", "", None),
        (PEERS, "", "", None),
        ("  one pod more", f"{found['more_ms']:.1f} ms", "", None),
        ("  one pod less", f"{found['less_ms']:.1f} ms", "", None),
        (
            "  all of it taken down",
            f"{close:.2f} s",
            f"<= {CLOSE_SECONDS:g} s",
            close <= CLOSE_SECONDS,
        ),
    ]


def measured(nodes: int, pods: int) -> Figures:
    """Measure in a user namespace, as anyone may; each round in a process of its own."""
    unshare = [
        "unshare",
        "--user",
        "--map-root-user",
        sys.executable,
        "-m",
        "benchmarks.lab_kernel",
    ]
    rounds: list[Figures] = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [*unshare, "--here", str(nodes), str(pods)], capture_output=True, check=True
        )
        rounds.append(json.loads(done.stdout))
    return {name: sorted(one[name] for one in rounds)[ROUNDS // 2] for name in rounds[0]}


def here(base: Base, nodes: int, pods: int) -> Figures:
    """One round, as PID 1 of a lab."""
    floor = apart(lambda: bare(nodes + pods))
    kernel = Kernel(base)
    steps = [Make(thing) for thing in network(nodes, pods)]
    begun = time.perf_counter()
    kernel.apply(steps)
    made = time.perf_counter()
    one = tuple(pod(0, pods))
    kernel.apply([Make(thing) for thing in one])
    more = time.perf_counter()
    kernel.apply([Remove(thing) for thing in reversed(one)])
    less = time.perf_counter()
    kernel.close()
    return {
        "pod_ms": 1000 * (made - begun) / pods,
        "floor_ms": 1000 * floor / (nodes + pods),
        "more_ms": 1000 * (more - made),
        "less_ms": 1000 * (less - more),
        "close_seconds": time.perf_counter() - less,
    }


def apart(body: Callable[[], float]) -> float:
    """In a thread: it may leave its namespaces."""
    found: list[float] = []
    thread = threading.Thread(target=lambda: found.append(body()))
    thread.start()
    thread.join()
    return found[0]


def bare(count: int) -> float:
    """Seconds for as many bare network namespaces and pairs of links; all gone afterwards."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    netlink, namespaces = Netlink(), []
    begun = time.perf_counter()
    for _ in range(count):
        libc.unshare(libc.NEWNET)
        namespaces.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        libc.setns(home, libc.NEWNET)
    veths = (Veth("", f"v{n}", mac(1, n), "", "eth0", mac(2, n)) for n in range(count))
    netlink.run(
        rtnetlink.veth(veth, 10_000 + number, 100, namespaces[number])
        for number, veth in enumerate(veths)
    )
    seconds = time.perf_counter() - begun
    for fd in (*namespaces, home):
        os.close(fd)
    netlink.close()
    for _ in range(2):  # the first time, links are gone but namespaces are still worked on
        wait_until_gone(30)
    return seconds


def network(nodes: int, pods: int) -> Iterator[Thing]:
    """Nodes on a fabric, pods on nodes, routed."""
    yield Sandbox("fabric", "fabric")
    for number in range(nodes):
        yield from node(number)
    for number in range(pods):
        yield from pod(number % nodes, number)


def node(number: int) -> Iterator[Thing]:
    """A node, and its way from the fabric and to it."""
    name, address = f"node/n{number}", f"192.168.{number >> 8}.{number & 255}"
    outer, inner = mac(1, number), mac(2, number)
    yield Sandbox(name, f"n{number}", (("/etc/resolv.conf", "nameserver 10.96.0.10\n"),))
    yield Veth("fabric", f"n{number}", outer, name, "eth0", inner)
    yield Sysctl(name, "net.ipv4.ip_forward", "1")
    yield Address(name, "eth0", f"{address}/32")
    yield from ways(name, address, "fabric", f"n{number}", outer, inner)


def pod(place: int, number: int) -> Iterator[Thing]:
    """A pod on the node of number `place`."""
    name, address = (
        f"pod/x/p{number}",
        f"10.{42 + (number >> 16)}.{number >> 8 & 255}.{number & 255}",
    )
    outer, inner = mac(3, number), mac(4, number)
    files = (
        ("/etc/resolv.conf", "nameserver 10.96.0.10\n"),
        ("/etc/hosts", f"127.0.0.1 localhost\n{address} p{number}\n"),
        ("/etc/nsswitch.conf", "hosts: files dns\n"),
    )
    yield Sandbox(name, f"p{number}", files)
    yield Veth(f"node/n{place}", f"cali{number}", outer, name, "eth0", inner, 1450)
    yield Address(name, "eth0", f"{address}/32")
    yield from ways(name, address, f"node/n{place}", f"cali{number}", outer, inner)


def ways(
    name: str, address: str, outside: str, device: str, outer: str, inner: str
) -> Iterator[Thing]:
    """From a namespace by its eth0, and to its address from outside."""
    yield Neighbour(name, "eth0", GATEWAY, outer)
    yield Neighbour(outside, device, address, inner)
    yield Route(name, "0.0.0.0/0", "eth0", via=GATEWAY)
    yield Route(outside, f"{address}/32", device)


def mac(kind: int, number: int) -> str:
    return f"02:{kind:02x}:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--here"]:
        nodes, pods = map(int, arguments[1:])

        def first(base: Base) -> int:
            print(json.dumps(here(base, nodes, pods)))
            return 0

        return entered(first).wait()
    for what, value, target, reached in rows(*map(int, arguments)):
        print(f"{what:58} {value:>12}  {target:14} {'' if reached is None else reached}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
