"""Labs that stand: every way between pods, nodes and the outside, as `trace` predicts it."""

import select
import socket
from dataclasses import dataclass
from errno import ECONNREFUSED, EHOSTUNREACH, ENETUNREACH
from itertools import pairwise

import pytest
from msgspec.structs import replace

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.difference import difference
from kubehop.lab.plan.values import (
    OUTSIDE,
    Make,
    Plan,
    Sandbox,
    Sysctl,
    Thing,
    Veth,
    node_namespace,
    pod_namespace,
)
from kubehop.model.addresses import socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.meta import Annotations
from kubehop.model.node import Node
from kubehop.model.pod_network import POD_NETWORKS
from kubehop.model.proxy import ProxyMode
from kubehop.trace.questions import CLIENTS
from kubehop.trace.values import Verdict
from kubehop.trace.walk import trace
from tests.clusters import cluster, node, pod
from tests.lab.inside import as_everyone, in_lab

PORT = 7000
UDP = {"containerPort": PORT, "protocol": "UDP"}
WORDS = {EHOSTUNREACH: "unreachable", ENETUNREACH: "unreachable", ECONNREFUSED: "refused"}


def annotated(bare: Node, tunnel: str) -> Node:
    """With the address of Calico's tunnel; other pod networks do not look at it."""
    metadata = replace(bare.metadata, annotations=Annotations(calico_vxlan_tunnel=tunnel))
    return replace(bare, metadata=metadata)


NODES = (annotated(node(0, v6=True), "10.42.0.64"), annotated(node(1, v6=True), "10.88.0.1"))
PODS = (
    pod("a", "10.42.0.2,fd00:10:42::2", "n0", UDP),
    pod("b", "10.42.0.3,fd00:10:42::3", "n0", UDP),
    pod("c", "10.42.1.2,fd00:10:42:1::2", "n1", UDP),
    # In no pod CIDR of its node's.
    pod("stray", "10.99.0.1,fd00:99::1", "n1", UDP),
    pod("host", "192.168.0.11,fd00:192::11", "n1", UDP, host=True),
)
ORIGINS = {
    "pod/a.default": pod_namespace("default", "a"),
    "pod/stray.default": pod_namespace("default", "stray"),
    "node/n0": node_namespace("n0"),
    "external": OUTSIDE,
}
TARGETS = (
    *("10.42.0.2", "10.42.0.3", "10.42.1.2", "10.99.0.1", "192.168.0.11", "192.168.0.10"),
    *("10.42.0.77", "10.42.1.77", "8.8.8.8"),
    *("fd00:10:42::2", "fd00:10:42::3", "fd00:10:42:1::2", "fd00:99::1", "fd00:192::11"),
    *("fd00:10:42::77", "fd00:10:42:1::77", "2606:4700::1111"),
)

RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
"""linux/in.h, linux/in6.h"""


@dataclass(frozen=True)
class Seen:
    """Where a datagram arrived and from whom, or that an error came back."""

    namespace: str = ""
    source: str = ""
    error: str = ""


class Ears:
    """A socket for each family in every namespace that may receive."""

    def __init__(self, kernel: Kernel, spaces: set[str]) -> None:
        self.kernel = kernel
        self.sockets: dict[socket.socket, str] = {}
        for space in spaces:
            for version, any_address in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
                ear = kernel.socket(space, version, socket.SOCK_DGRAM)
                if version == socket.AF_INET6:
                    ear.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                ear.bind((any_address, PORT))
                self.sockets[ear] = space

    def send(self, space: str, to: str, source: str = "") -> Seen:
        """What becomes of a datagram from a namespace."""
        version = socket.AF_INET6 if ":" in to else socket.AF_INET
        with self.kernel.socket(space, version, socket.SOCK_DGRAM) as mouth:
            # Else a datagram's sender is told of closed ports alone (icmp_err_convert).
            level, option = RECVERR[version]
            mouth.setsockopt(level, option, 1)
            if source:
                mouth.bind((source, 0))
            if error := mouth.connect_ex((to, PORT)):
                return Seen(error=WORDS[error])
            mouth.send(b"?")
            return self.wait(mouth)

    def wait(self, mouth: socket.socket) -> Seen:
        ready, _, _ = select.select([mouth, *self.sockets], [], [], 1)
        for one in ready:
            if one in self.sockets:
                _, (source, *_) = one.recvfrom(10)
                return Seen(self.sockets[one], source)
        if not ready:
            return Seen(error="silence")
        error = mouth.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return Seen(error=WORDS[error])


def predicted(found: Cluster, origin: str, to: str) -> Seen:
    fates = trace(found, origin, socket_address(to, PORT), protocol="UDP").fates
    (fate,) = fates
    if fate.verdict is Verdict.UNROUTED:
        return Seen(error="unreachable")
    if fate.verdict is Verdict.REJECTED:
        return Seen(error="refused")
    assert fate.verdict is Verdict.DELIVERED
    assert fate.endpoint
    assert fate.source_seen
    where = fate.endpoint
    if where.node and (not where.pod or where.pod == "default/host"):
        return Seen(node_namespace(where.node), fate.source_seen)
    space = pod_namespace(*where.pod.split("/")) if where.pod else OUTSIDE
    return Seen(space, fate.source_seen)


def stands(base: Base, found: Cluster) -> None:
    plan = build_plan(found)
    kernel = Kernel(base)
    try:
        kernel.apply(difference(Plan(), plan))
        ears = Ears(kernel, {*ORIGINS.values(), "pod/default/b", "pod/default/c", "node/n1"})
        wrong = []
        for origin, space in ORIGINS.items():
            for to in TARGETS:
                if origin == "external" and to in ("8.8.8.8", "2606:4700::1111"):
                    continue
                own = to in ("10.42.0.2", "fd00:10:42::2") and origin == "pod/a.default"
                own |= to in ("10.99.0.1", "fd00:99::1") and origin == "pod/stray.default"
                listens = to != "192.168.0.10"
                if own or not listens:
                    continue
                expected, seen = predicted(found, origin, to), ears.send(space, to)
                if expected != seen:
                    wrong.append((origin, to, expected, seen))
        assert not wrong, "\n".join(map(str, wrong))
        seen = ears.send(OUTSIDE, "192.168.0.11", "9.9.9.9")
        assert seen == Seen("node/n1", "9.9.9.9"), "any source address is a client's"
        assert CLIENTS[0] in predicted(found, "external", "192.168.0.11").source
    finally:
        kernel.close()


@pytest.mark.parametrize("name", [network.name for network in POD_NETWORKS])
@in_lab
def test_packets_arrive_with_the_source_that_the_pod_network_gives_them(
    base: Base, name: str
) -> None:
    network = next(network for network in POD_NETWORKS if network.name == name)
    stands(base, cluster(*NODES, *PODS, pod_network=network))


@as_everyone
@in_lab
def test_the_same_for_everyone_and_in_another_mode(base: Base, uid: int | None) -> None:
    stands(base, cluster(*NODES, *PODS, mode=ProxyMode.IPTABLES))


@in_lab
def test_a_lab_that_was_changed_is_like_one_that_was_built_so(base: Base) -> None:
    """Nodes and pods come, move and go; the addresses of a node change in order and number."""
    kernel = Kernel(base)
    stages = (
        Plan(),
        build_plan(cluster(*NODES, *PODS)),
        build_plan(cluster(node(0, v6=True, second="10.7.0.7"), NODES[1], *PODS[:2])),
        build_plan(cluster(NODES[0], *PODS[:1], pod_network=POD_NETWORKS[1])),
        build_plan(cluster(*NODES, *PODS[1:], pod_network=POD_NETWORKS[3])),
        build_plan(cluster(*NODES, *PODS)),
    )
    try:
        for old, new in pairwise(stages):
            kernel.apply(difference(old, new))
        ears = Ears(kernel, {"pod/default/c"})
        for origin in ("node/n0", "pod/default/a"):
            for to in ("10.42.1.2", "fd00:10:42:1::2"):
                assert ears.send(origin, to).namespace == "pod/default/c"
        kernel.apply(difference(stages[-1], Plan()))
    finally:
        kernel.close()


@in_lab
def test_links_inherit_the_settings_of_their_namespace(base: Base) -> None:
    """Whatever the machine's own default for rp_filter is: the greater of two counts."""
    things: list[Thing] = [
        Sandbox("node/a", "a"),
        Sandbox("node/b", "b"),
        Sysctl("node/a", "net.ipv4.conf.default.rp_filter", "2"),
        Veth("node/b", "one", "ee:ee:ee:ee:ee:ee", "node/a", "eth0", "02:00:00:00:00:01"),
    ]
    kernel = Kernel(base)
    try:
        kernel.apply([Make(thing) for thing in things])
        with kernel.inside("node/a"), open("/proc/sys/net/ipv4/conf/eth0/rp_filter") as file:
            assert file.read().strip() == "2"
    finally:
        kernel.close()
