"""Every fault with real packets: what one sees of it, where one does not, and that it heals."""

from collections.abc import Callable

import pytest

from kubehop.example import cluster as example
from kubehop.lab.faults import FAULTS, Injected, Place
from kubehop.lab.faults.names import ELSEWHERE
from kubehop.lab.kernel import Base
from kubehop.lab.plan.values import OUTSIDE, node_namespace, pod_namespace
from tests.lab.faults.asking import REFUSED, TIMED_OUT, UNREACHABLE
from tests.lab.faults.scene import Scene
from tests.lab.inside import in_lab

NOTES = example()
ADDRESS = {pod.name: pod.addresses[0] for pod in NOTES.pods}
SERVICE = {service.name: service.cluster_ips[0] for service in NOTES.services}
BUSYBOX, WHOAMI_1 = pod_namespace("default", "busybox"), pod_namespace("default", "whoami-1")
"""On node-0 and node-1."""
NODE = {name: node_namespace(name) for name in ("node-0", "node-1", "node-2")}
NODE_ADDRESS = {node.name: node.internal_ips[0] for node in NOTES.nodes}
NODE_PORT, HEALTH_PORT, PROXY_HEALTH = 32657, 30142, 10256
DNS = SERVICE["kube-dns"]
INSIDE, ELSE = "kubernetes.default.svc.cluster.local", "example.com"
BIG = 3000

Seen = Callable[[Scene], dict[str, object]]


def rules(scene: Scene) -> dict[str, object]:
    get = scene.client.get
    return {
        "cluster IP, from node-0": get(BUSYBOX, SERVICE["whoami"], 80).startswith("default/whoami"),
        "cluster IP, from node-1": get(WHOAMI_1, SERVICE["whoami"], 80).startswith("default/who"),
        "pod, from node-0": get(BUSYBOX, ADDRESS["whoami-1"], 80),
        "names, from node-0": scene.client.lookup(BUSYBOX, DNS, INSIDE) == "NOERROR",
        "names, from node-1": scene.client.lookup(WHOAMI_1, DNS, INSIDE),
    }


def overlay(scene: Scene) -> dict[str, object]:
    get = scene.client.get
    return {
        "0 to 1": get(BUSYBOX, ADDRESS["whoami-1"], 80),
        "1 to 0": get(WHOAMI_1, ADDRESS["whoami-3"], 80),
        "0 to 2": get(BUSYBOX, ADDRESS["whoami-2"], 80),
        "1 to 2": get(WHOAMI_1, ADDRESS["whoami-2"], 80),
        "nodes": get(NODE["node-0"], NODE_ADDRESS["node-1"], PROXY_HEALTH),
    }


def hole(scene: Scene) -> dict[str, object]:
    get = scene.client.get
    return {
        "small, to node-1": get(BUSYBOX, ADDRESS["whoami-1"], 80),
        "big, to node-1": get(BUSYBOX, ADDRESS["whoami-1"], 80, padding=BIG),
        "big, to node-2": get(BUSYBOX, ADDRESS["whoami-2"], 80, padding=BIG),
        "small, from outside": get(OUTSIDE, NODE_ADDRESS["node-1"], NODE_PORT),
        "big, from outside": get(OUTSIDE, NODE_ADDRESS["node-1"], NODE_PORT, padding=BIG),
        "big, from outside to node-2": get(OUTSIDE, NODE_ADDRESS["node-2"], NODE_PORT, padding=BIG),
        "big, to its own node": get(WHOAMI_1, ADDRESS["example-1"], 9376, padding=BIG),
    }


def dns(scene: Scene) -> dict[str, object]:
    lookup = scene.client.lookup
    return {
        "inside": lookup(BUSYBOX, DNS, INSIDE),
        "outside": lookup(BUSYBOX, DNS, ELSE),
        "over TCP": lookup(WHOAMI_1, DNS, INSIDE, tcp=True),
        "directly": lookup(WHOAMI_1, ADDRESS["coredns"], INSIDE),
    }


def nameserver(scene: Scene) -> dict[str, object]:
    def named(pod: str) -> str:
        words = scene.file(pod_namespace("default", pod), "/etc/resolv.conf").split()
        return words[words.index("nameserver") + 1]

    def resolves(pod: str) -> str:
        return scene.client.lookup(pod_namespace("default", pod), named(pod), INSIDE)

    return {
        "busybox": (named("busybox"), resolves("busybox")),
        "whoami-1": (named("whoami-1"), resolves("whoami-1")),
        "process": scene.kernel.inner_pid(BUSYBOX),
    }


def server(scene: Scene) -> dict[str, object]:
    get = scene.client.get
    return {name: get(BUSYBOX, ADDRESS[name], 80) for name in ("whoami-1", "whoami-2", "whoami-3")}


def health(scene: Scene) -> dict[str, object]:
    get = scene.client.get
    return {
        name: get(OUTSIDE, address, HEALTH_PORT, "/healthz")
        for name, address in NODE_ADDRESS.items()
    }


CASES: tuple[tuple[Injected, Seen, dict[str, object]], ...] = (
    (
        Injected("rules-gone", Place(node="node-0")),
        rules,
        {"cluster IP, from node-0": False, "names, from node-0": False},
    ),
    (
        Injected("overlay-dropped", Place(node="node-0", to="node-1")),
        overlay,
        {"0 to 1": TIMED_OUT, "1 to 0": TIMED_OUT},
    ),
    (
        Injected("mtu-hole", Place(node="node-1")),
        hole,
        {"big, to node-1": TIMED_OUT, "big, from outside": TIMED_OUT},
    ),
    (Injected("tcp-53-dropped"), dns, {"over TCP": TIMED_OUT}),
    (
        Injected("tcp-53-dropped", Place(node="node-1")),
        dns,
        {"over TCP": TIMED_OUT},
    ),
    (Injected("tcp-53-dropped", Place(node="node-2")), dns, {}),
    (
        Injected("dns-gone"),
        dns,
        {
            "inside": REFUSED,
            "outside": REFUSED,
            "over TCP": REFUSED,
            "directly": UNREACHABLE,
        },
    ),
    (
        Injected("dns-not-ready"),
        dns,
        {"inside": REFUSED, "outside": REFUSED, "over TCP": REFUSED},
    ),
    (Injected("dns-looping"), dns, {"outside": "SERVFAIL"}),
    (
        Injected("dns-refusing"),
        dns,
        dict.fromkeys(("inside", "outside", "over TCP", "directly"), "REFUSED"),
    ),
    (
        Injected("wrong-nameserver", Place(pod="default/busybox")),
        nameserver,
        {"busybox": (ELSEWHERE[4][0], REFUSED)},
    ),
    (Injected("upstream-silent"), dns, {"outside": TIMED_OUT}),
    (
        Injected("server-stopped", Place(pod="default/whoami-2")),
        server,
        {"whoami-2": REFUSED},
    ),
    (
        Injected("health-lies", Place(service="default/example-service")),
        health,
        {"node-0": "200"},
    ),
)


@pytest.mark.parametrize(("fault", "seen", "differs"), CASES, ids=[case[0].label for case in CASES])
@in_lab
def test_it_is_seen_and_heals(
    base: Base, fault: Injected, seen: Seen, differs: dict[str, object]
) -> None:
    scene = Scene(base, NOTES)
    before, dump = seen(scene), scene.dump()
    scene.with_faults(fault)
    assert seen(scene) == before | differs
    scene.with_faults()
    assert scene.dump() == dump
    assert seen(scene) == before
    scene.close()


def test_every_fault_has_a_case() -> None:
    assert {case[0].fault for case in CASES} == set(FAULTS)
