"""From clusters to labs: what is built, and that packets arrive where `trace` says."""

from dataclasses import replace
from itertools import islice

import msgspec
import pytest
from hypothesis import given, settings

from kubehop.example import cluster as example
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.values import (
    FABRIC,
    OUTSIDE,
    Address,
    Lookup,
    Plan,
    Route,
    Sandbox,
    Sysctl,
    Veth,
    Vxlan,
    node_namespace,
    pod_namespace,
)
from kubehop.model.addresses import Family, canonical, family
from kubehop.model.cluster import Cluster
from kubehop.model.meta import Annotations
from kubehop.model.node import Node
from kubehop.model.pod_network import POD_NETWORKS, UNKNOWN, PodNetwork
from kubehop.model.proxy import ProxyMode
from kubehop.trace.outside import listeners as balancers
from kubehop.trace.places import PlaceKind, locate
from tests.clusters import cluster, node, pod
from tests.lab.plan.kernel_model import KernelModel
from tests.lab.plan.routing import UNREACHABLE, Routing
from tests.strategies import CLUSTERS

NOTES = build_plan(example())
PORT = {"containerPort": 80}


# For any cluster


@given(CLUSTERS)
@settings(max_examples=100)
def test_whatever_the_cluster_a_kernel_can_make_it(found: Cluster) -> None:
    plan = build_plan(found)
    KernelModel(plan.things)
    spaces = {thing.namespace for thing in plan.things if isinstance(thing, Sandbox)}
    for thing in plan.things:
        assert len(getattr(thing, "device", "")) <= 15
    assert spaces >= {one.namespace for one in plan.listeners}
    assert spaces >= {one.namespace for one in plan.nameservers}
    assert set(plan.rulesets) == {s for s in spaces if s.startswith("node/")} | {FABRIC}
    ports = [(one.namespace, one.protocol, one.port) for one in plan.listeners]
    assert len(ports) == len(set(ports))


@given(CLUSTERS)
@settings(max_examples=60)
def test_packets_arrive_where_the_objects_say(found: Cluster) -> None:
    routing = Routing(build_plan(found))
    starts = [*routing.routes]
    addresses = [canonical(a) for p in found.pods for a in p.addresses]
    addresses += [f"10.42.{n}.250" for n in range(len(found.nodes))]
    for start in (s for s in starts if s not in (FABRIC, OUTSIDE)):
        for to in addresses:
            if any(family_of(start, found, to)):
                expect(found, routing, start, to)


def family_of(start: str, found: Cluster, to: str) -> list[bool]:
    """Whether there is an address to send from; a stand-in for an endpoint has one family."""
    kind, _, name = start.partition("/")
    if kind == "node":
        holder = found.node(name)
        own = holder.internal_ips if holder else ()
    else:
        known = found.pod(*name.split("/"))
        own = known.addresses if known else ()
    return [family(address) is family(to) for address in own]


def expect(found: Cluster, routing: Routing, start: str, to: str) -> None:
    """That packets arrive where `locate` says, or at an endpoint without a pod, if one has it."""
    place = locate(found, to)
    path = routing.path(start, to)
    if path[-1] in stand_ins(routing, to):
        assert place.kind in (PlaceKind.OUTSIDE, PlaceKind.EMPTY)
    elif place.kind is PlaceKind.OUTSIDE:
        assert path[-1] == OUTSIDE
    elif place.kind is PlaceKind.EMPTY:
        assert path[-2:] == (node_namespace(place.node), UNREACHABLE)
    elif found.node(place.node) is None:
        assert path[-1] == UNREACHABLE
    elif place.kind is PlaceKind.NODE:
        assert path[-1] == node_namespace(place.node)
    else:
        assert place.pod
        assert path[-1] == pod_namespace(place.pod.namespace, place.pod.name)
        assert len(path) == 1 or path[-2] == node_namespace(place.node)
        # Between nodes an overlay is one step; without one it is the fabric's.
        assert (FABRIC in path) == (not tunnelled(found, to) and path_crosses(path))


def tunnelled(found: Cluster, to: str) -> bool:
    overlay = found.pod_network.overlay
    return overlay.value in ("vxlan", "unknown") or (
        overlay.value == "calico-tunnel" and family(to) is Family.IPV4
    )


def path_crosses(path: tuple[str, ...]) -> bool:
    nodes = {hop for hop in path if hop.startswith("node/")}
    return len(nodes) > 1


def stand_ins(routing: Routing, address: str) -> list[str]:
    return [space for space, own in routing.local if own == address and "/endpoint-" in space]


@given(CLUSTERS)
@settings(max_examples=60)
def test_from_outside_only_nodes_and_what_balancers_have_is_reached(found: Cluster) -> None:
    routing = Routing(build_plan(found))
    for to in {canonical(a) for p in found.pods for a in p.addresses}:
        place = locate(found, to)
        path = routing.path(OUTSIDE, to)
        if place.kind is PlaceKind.NODE:
            assert path == (OUTSIDE, FABRIC, node_namespace(place.node))
        elif place.kind is PlaceKind.POD and found.node(place.node):
            assert (path == (OUTSIDE, UNREACHABLE)) is not found.pod_network.routed_outside
    for address, _, _ in found.derived(balancers):
        # Without a mark the fabric does not know it.
        if not found.node_at(address):
            assert routing.path(OUTSIDE, address) == (OUTSIDE, FABRIC, UNREACHABLE)
    assert routing.path(OUTSIDE, "8.8.8.8") == (OUTSIDE,)


# Pod networks


def net(name: str) -> PodNetwork:
    return next(n for n in (*POD_NETWORKS, UNKNOWN) if n.name == name)


BOTH = (node(0, v6=True), node(1, v6=True))
DUAL = pod("a", "10.42.0.2,fd00:10:42::2", "n0", PORT)


@pytest.mark.parametrize(
    ("name", "tunnels", "on_host_side", "mtu"),
    [
        ("canal", {"flannel.1", "flannel-v6.1"}, [], 1430),
        ("unknown", {"flannel.1", "flannel-v6.1"}, [], 1430),
        (
            "flannel",
            {"flannel.1", "flannel-v6.1"},
            ["10.42.0.1/32", "fd00:10:42::1/128"],
            1430,
        ),
        ("calico", {"vxlan.calico"}, [], 1450),
        ("kindnet", set(), ["10.42.0.1/32", "fd00:10:42::1/128"], 1500),
        ("aws-vpc", set(), [], 1500),
    ],
)
def test_pods_are_wired_as_their_network_does(
    name: str, tunnels: set[str], on_host_side: list[str], mtu: int
) -> None:
    plan = build_plan(cluster(*BOTH, DUAL, pod_network=net(name)))
    (veth,) = (t for t in plan.things if isinstance(t, Veth) and t.namespace == "node/n0")
    assert veth.mtu == mtu
    assert {t.device for t in plan.things if isinstance(t, Vxlan)} == tunnels
    assert addresses(plan, "node/n0", veth.device) == on_host_side
    assert any("canal" in note for note in plan.notes) == (name == "unknown")


def addresses(plan: Plan, namespace: str, device: str) -> list[str]:
    on = (namespace, device)
    return [
        t.address for t in plan.things if isinstance(t, Address) and (t.namespace, t.device) == on
    ]


def test_an_ipv4_overlay_carries_what_ipv6_cannot() -> None:
    """Only n0 has an IPv6 address of its own, but both have pods with one."""
    odd = pod("b", "10.42.1.2,fd00:77::1", "n1", PORT)
    plan = build_plan(cluster(node(0, v6=True), node(1), DUAL, odd))
    six = [t for t in plan.things if isinstance(t, Vxlan) and t.device == "flannel-v6.1"]
    assert {t.local for t in six} == {"192.168.0.10"}
    assert any("no address for the overlay" in note for note in plan.notes)


def test_calico_has_the_address_that_the_annotation_gives() -> None:
    bare = node(0)
    metadata = msgspec.structs.replace(
        bare.metadata, annotations=Annotations(calico_vxlan_tunnel="10.42.99.1")
    )
    annotated = msgspec.structs.replace(bare, metadata=metadata)
    found = cluster(annotated, node(1), pod("b", "10.42.1.2", "n1"), pod_network=net("calico"))
    plan = build_plan(found)
    assert addresses(plan, "node/n0", "vxlan.calico") == ["10.42.99.1/32"]
    # Answers to what left with it must find back.
    assert Routing(plan).path("pod/default/b", "10.42.99.1")[-1] == "node/n0"


def test_the_nodes_own_address_is_the_first_that_the_kernel_finds() -> None:
    plan = build_plan(cluster(node(0, second="10.1.0.9", external="203.0.113.77"), DUAL))
    assert addresses(plan, "node/n0", "eth0") == [
        "192.168.0.10/32",
        "10.1.0.9/32",
        "203.0.113.77/32",
    ]
    kinds = [type(thing) for thing in plan.things]
    assert kinds.index(Veth) < kinds.index(Vxlan)


# Settings


def setting(plan: Plan, namespace: str, key: str) -> str:
    return next(
        t.value
        for t in plan.things
        if isinstance(t, Sysctl) and (t.namespace, t.key) == (namespace, key)
    )


@pytest.mark.parametrize(
    ("mode", "value"), [(ProxyMode.IPTABLES, "1"), (ProxyMode.NFTABLES, "0"), (ProxyMode.IPVS, "0")]
)
def test_loopback_is_routed_where_node_ports_listen_on_it(mode: ProxyMode, value: str) -> None:
    plan = build_plan(cluster(DUAL, mode=mode))
    assert setting(plan, "node/n0", "net.ipv4.conf.all.route_localnet") == value


def test_pods_need_no_settings() -> None:
    assert not [t for t in NOTES.things if isinstance(t, Sysctl) and t.namespace[:4] == "pod/"]


def test_no_ipv6_where_there_is_none() -> None:
    assert not [t for t in NOTES.things if "::" in getattr(t, "to", "")]
    assert {t.version for t in NOTES.things if isinstance(t, Lookup)} == {4}
    assert not [t for t in NOTES.things if isinstance(t, Sysctl) and "ipv6" in t.key]


# What is not built


def test_what_is_not_built_is_said_in_a_line_each() -> None:
    lost = pod("lost", "10.42.9.9", "gone")
    found = cluster(
        *(pod(f"p{n}", "", "n0") for n in range(9)),
        lost,
        pod("done", "10.42.0.3", "n0", status={"phase": "Succeeded"}),
        pod("one", "10.42.0.2", "n0"),
        pod("two", "10.42.0.2", "n1"),
        pod("like-a-node", "192.168.0.11", "n1"),
        pod("odd", "127.0.0.1", "n1"),
        pod("radio", "10.42.1.5", "n1", {"containerPort": 5, "protocol": "SCTP"}),
    )
    plan = build_plan(found)
    assert "pod has no address: not built: Pod default/p0, Pod default/p1, Pod default/p2 and " in (
        "\n".join(plan.notes)
    )
    for words in (
        "pod is on no node of the lab: not built: Pod default/lost",
        "address is another pod's: left out: Pod default/one (10.42.0.2)",
        "address is a node's: left out: Pod default/like-a-node (192.168.0.11)",
        "no host may have the address: left out: Pod default/odd (127.0.0.1)",
        "nothing listens on 1 declared port of SCTP",
    ):
        assert words in plan.notes
    built = {t.namespace for t in plan.things if isinstance(t, Sandbox) if t.namespace[:3] == "pod"}
    assert built == {"pod/default/two", "pod/default/radio"}
    assert Routing(plan).path("node/n0", "10.42.9.9") == ("node/n0", FABRIC, UNREACHABLE)


def test_nodes_that_cannot_be_built() -> None:
    bare = Node(metadata=node(1).metadata)
    plan = build_plan(cluster(node(0), bare, pod("a", "10.42.1.2", "n1")))
    assert "node has no usable address: not built: Node n1" in plan.notes
    assert "node/n1" not in {t.namespace for t in plan.things}


def test_a_pod_cidr_has_one_node() -> None:
    twin = node(1)
    same = type(twin)(twin.metadata, node(0).spec, twin.status)
    plan = build_plan(cluster(node(0), same, pod("a", "10.42.0.2", "n1")))
    assert Routing(plan).path("node/n0", "10.42.0.2")[-1] == "pod/default/a"
    assert Routing(plan).path("node/n1", "10.42.0.77") == ("node/n1", "node/n0", UNREACHABLE)
    assert any("another node's already: Node n1 (10.42.0.0/24)" in note for note in plan.notes)


# Names


def test_devices_of_nodes_with_long_names_are_short_and_their_own() -> None:
    raw = node(0)
    names = ["outside", "lo", "node-with-a-very-long-name-0", "node-with-a-very-long-name-1", "a"]
    found = []
    for at, name in enumerate(names):
        metadata = type(raw.metadata)(name=name)
        found.append(Node(metadata=metadata, status=node(at).status))
    plan = build_plan(cluster(*found))
    devices = [t.device for t in plan.things if isinstance(t, Veth) and t.namespace == FABRIC]
    assert len(devices) == len(set(devices)) == 6
    assert {"outside", "a"} <= set(devices)


def test_the_host_side_is_called_as_calico_calls_it() -> None:
    """sha1sum of "default.busybox", as libcalico-go has it."""
    names = {t.device for t in NOTES.things if isinstance(t, Veth) if "busybox" in t.peer_namespace}
    assert names == {"cali12d4a061371"}


# Size


def test_a_host_route_is_needed_only_for_strays() -> None:
    pods = [pod(f"p{n}", f"10.42.{n % 3}.{10 + n}", f"n{n % 3}") for n in range(30)]
    stray = pod("stray", "10.99.0.1", "n1")
    plan = build_plan(cluster(*pods, stray))
    through = [t for t in plan.things if isinstance(t, Route) and t.device == "flannel.1"]
    assert len(through) == 6 + 2
    assert {t.to for t in through if t.to.endswith("/32")} == {"10.99.0.1/32"}


def test_the_same_cluster_gives_the_same_plan() -> None:
    found = example()
    turned = replace(found, pods=found.pods, services=found.services)
    assert build_plan(found) == build_plan(turned)
    assert [*islice(NOTES.things, 3)] == [*islice(build_plan(found).things, 3)]
