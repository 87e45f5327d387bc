"""Every fault with real packets: what one sees of it, where one does not, and that it heals."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from kubehop.example import cluster as example
from kubehop.lab.faults import FAULTS, Injected, Place
from kubehop.lab.faults.names import ELSEWHERE
from kubehop.lab.kernel import Base
from kubehop.lab.plan.values import OUTSIDE, node_namespace, pod_namespace
from kubehop.model.pod_network import POD_NETWORKS, Overlay, PodNetwork
from tests import clusters
from tests.lab.faults.asking import REFUSED, TIMED_OUT
from tests.lab.faults.scene import Scene
from tests.lab.inside import as_everyone, in_lab

NOTES = example()
ADDRESS = {pod.name: pod.addresses[0] for pod in NOTES.pods}
SERVICE = {service.name: service.cluster_ips[0] for service in NOTES.services}
BUSYBOX, WHOAMI_1 = pod_namespace("default", "busybox"), pod_namespace("default", "whoami-1")
"""On node-0 and node-1."""
NODE = {name: node_namespace(name) for name in ("node-0", "node-1", "node-2")}
NODE_ADDRESS = {node.name: node.internal_ips[0] for node in NOTES.nodes}
WEB_SITE = "203.0.113.80"
NODE_PORT, HEALTH_PORT, PROXY_HEALTH = 32657, 30142, 10256
DNS = SERVICE["kube-dns"]
INSIDE = "kubernetes.default.svc.cluster.local"
FRESH = (f"no-{number}.example.com" for number in count())
"""Names outside that no cache has; they do not exist."""
BIG = 3000

Seen = Callable[[Scene], dict[str, object]]


def rules(scene: Scene) -> dict[str, object]:
    get = scene.client.get
    return {
        "cluster IP, from node-0": get(BUSYBOX, SERVICE["whoami"], 80).startswith("default/whoami"),
        "cluster IP, from node-1": get(WHOAMI_1, SERVICE["whoami"], 80).startswith("default/who"),
        "pod, from node-0": get(BUSYBOX, ADDRESS["whoami-1"], 80),
        "outside, from node-0": get(BUSYBOX, WEB_SITE, 80),
        "node port of node-0": get(WHOAMI_1, NODE_ADDRESS["node-0"], NODE_PORT)[:15],
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
        "outside": lookup(BUSYBOX, DNS, next(FRESH)),
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
        {
            "cluster IP, from node-0": False,
            "names, from node-0": False,
            "outside, from node-0": TIMED_OUT,
            "node port of node-0": REFUSED,
        },
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
            "directly": TIMED_OUT,
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


WEB = {"containerPort": 80}
DUAL = (
    *(clusters.node(at, v6=True) for at in range(3)),
    *(clusters.pod(f"p{at}", f"10.42.{at}.9,fd00:10:42:{at}::9", f"n{at}", WEB) for at in range(3)),
)


def both(scene: Scene) -> dict[str, object]:
    """Small and big, to two nodes, in both families."""
    client = pod_namespace("default", "p0")
    return {
        f"{name} {address} {padding}": scene.client.get(client, address, 80, padding=padding)
        for name in ("p1", "p2")
        for address in (f"10.42.{name[1]}.9", f"fd00:10:42:{name[1]}::9")
        for padding in (0, BIG)
    }


NETWORKS = tuple({network.overlay: network for network in reversed(POD_NETWORKS)}.values())
"""One for each way in which packets for another node's pods travel."""


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
@in_lab
def test_a_hole_is_one_in_both_families_and_on_any_network(base: Base, network: PodNetwork) -> None:
    """Outer packets that may be fragmented, those that may not (IPv6), and none at all."""
    scene = Scene(base, clusters.cluster(*DUAL, pod_network=network))
    before = both(scene)
    scene.with_faults(Injected("mtu-hole", Place(node="n1")))
    lost = {name: TIMED_OUT for name in before if name.startswith("p1") and name.endswith("3000")}
    assert len(lost) == 2
    assert both(scene) == before | lost
    scene.with_faults()
    assert both(scene) == before
    assert set(before.values()) == {"default/p1", "default/p2"}
    scene.close()


@pytest.mark.parametrize(
    "network",
    [one for one in POD_NETWORKS if one.overlay is not Overlay.NONE],
    ids=lambda n: n.name,
)
@in_lab
def test_every_tunnel_between_two_nodes_is_dropped(base: Base, network: PodNetwork) -> None:
    scene = Scene(base, clusters.cluster(*DUAL, pod_network=network))
    before = both(scene)
    scene.with_faults(Injected("overlay-dropped", Place(node="n0", to="n1")))
    # Calico's tunnel carries IPv4 alone.
    carried = ("10.", "fd") if network.name != "calico" else ("10.",)
    lost = [name for name in before if name.split()[1].startswith(carried) and name[:2] == "p1"]
    assert both(scene) == before | dict.fromkeys(lost, TIMED_OUT)
    scene.close()


VIP, LOAD_BALANCED = "192.168.226.188", ("default", "example-service")


@in_lab
def test_a_load_balancer_believes_what_a_health_check_says(base: Base) -> None:
    """It sends to the node that lies; the node has no endpoint and the policy Local: silence."""
    scene = Scene(base, NOTES)
    right = frozenset({"node-1", "node-2"})
    scene.balance(LOAD_BALANCED, right)
    answers = {scene.client.get(OUTSIDE, VIP, 8765) for _ in range(20)}
    assert answers == {"default/example-1", "default/example-2"}
    scene.with_faults(Injected("health-lies", Place(service="default/example-service")))
    scene.balance(LOAD_BALANCED, frozenset(NODE))
    # Were it a third of the time, 40 in a row would miss it once in ten million.
    assert any(scene.client.get(OUTSIDE, VIP, 8765) == TIMED_OUT for _ in range(40))
    scene.with_faults()
    scene.balance(LOAD_BALANCED, right)
    assert {scene.client.get(OUTSIDE, VIP, 8765) for _ in range(20)} == answers
    scene.close()


@as_everyone
@in_lab
def test_all_at_once_and_healed_one_by_one(base: Base, uid: int | None) -> None:
    scene = Scene(base, NOTES)
    looks = tuple(dict.fromkeys(seen for _, seen, _ in CASES))
    before, dump = [seen(scene) for seen in looks], scene.dump()
    left = [fault for fault, _, _ in CASES]
    while left:
        scene.with_faults(*left)
        left.pop(len(left) // 2)
    scene.with_faults()
    assert scene.dump() == dump
    assert [seen(scene) for seen in looks] == before
    scene.close()


@in_lab
def test_it_stays_when_the_cluster_changes_and_goes_with_its_object(base: Base) -> None:
    scene = Scene(base, NOTES)
    hole = Injected("server-stopped", Place(pod="default/whoami-2"))
    lost = Injected("wrong-nameserver", Place(pod="default/busybox"))
    scene.with_faults(hole, lost)
    without = replace(NOTES, pods=tuple(pod for pod in NOTES.pods if pod.name != "busybox"))
    assert scene.lab.change(without).healed == (lost,)
    assert scene.lab.faults == (hole,)
    assert scene.client.get(WHOAMI_1, ADDRESS["whoami-2"], 80) == REFUSED
    assert scene.lab.change(NOTES).healed == ()
    assert scene.lab.faults == (hole,)
    scene.close()
