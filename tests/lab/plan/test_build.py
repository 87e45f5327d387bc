"""From clusters to labs: what is built, and that packets arrive where `trace` says."""

from dataclasses import replace
from itertools import islice

import msgspec
import pytest
from hypothesis import given, settings

from kubehop.dns.settings import DNSSettings
from kubehop.example import cluster as example
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.values import (
    FABRIC,
    OUTSIDE,
    Address,
    Listener,
    Lookup,
    Plan,
    Role,
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
from tests.clusters import behind, cluster, endpoint, node, pod, service
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


# Files


def files(plan: Plan, namespace: str) -> dict[str, str]:
    box = next(t for t in plan.things if isinstance(t, Sandbox) and t.namespace == namespace)
    return dict(box.files)


def test_pods_have_the_files_that_the_kubelet_writes() -> None:
    found = files(NOTES, "pod/default/busybox")
    assert found["/etc/resolv.conf"] == (
        "search default.svc.cluster.local svc.cluster.local cluster.local "
        "ca-central-1.compute.internal\nnameserver 10.43.0.10\noptions ndots:5\n"
    )
    assert "10.42.0.8\tbusybox\n" in found["/etc/hosts"]
    assert found["/etc/nsswitch.conf"] == "hosts: files dns\n"
    assert files(NOTES, "node/node-0")["/etc/resolv.conf"].endswith("nameserver 203.0.113.53\n")
    assert files(NOTES, OUTSIDE)["/etc/resolv.conf"] == "nameserver 203.0.113.53\n"


def test_settings_of_dns_reach_the_files() -> None:
    plan = build_plan(
        example(), DNSSettings(cluster_domain="corp.test", cluster_dns=("10.43.9.9",))
    )
    text = files(plan, "pod/default/busybox")["/etc/resolv.conf"]
    assert "default.svc.corp.test" in text
    assert "nameserver 10.43.9.9" in text


# Listeners


def listening(plan: Plan, namespace: str) -> set[tuple[str, int, str, str]]:
    return {
        (one.protocol, one.port, one.role.value, one.pod)
        for one in plan.listeners
        if one.namespace == namespace
    }


def test_the_notes_cluster_listens() -> None:
    assert listening(NOTES, "node/node-0") == {
        ("TCP", 10256, "proxy-health", ""),
        ("TCP", health_port(NOTES), "health", ""),
        ("TCP", 6443, "echo", ""),
    }
    assert listening(NOTES, "pod/kube-system/coredns") == {
        ("TCP", 9153, "echo", "kube-system/coredns")
    }
    assert listening(NOTES, "pod/default/busybox") == set()
    checks = {one.node: one.endpoints for one in NOTES.listeners if one.role is Role.HEALTH}
    assert checks == {"node-0": 0, "node-1": 1, "node-2": 1}


def health_port(plan: Plan) -> int:
    return next(one.port for one in plan.listeners if one.role is Role.HEALTH)


def test_every_container_that_stays_listens() -> None:
    spec = {
        "nodeName": "n0",
        "containers": [{"name": "a", "ports": [PORT]}, {"name": "b", "ports": [UDP]}],
        "initContainers": [
            {"name": "c", "ports": [{"containerPort": 1}], "restartPolicy": "Always"},
            {"name": "d", "ports": [{"containerPort": 2}]},
        ],
    }
    plan = build_plan(cluster(pod("p", "10.42.0.2", "n0", spec=spec)))
    found = {(protocol, port) for protocol, port, _, _ in listening(plan, "pod/default/p")}
    assert found == {("TCP", 80), ("UDP", 53), ("TCP", 1)}


UDP = {"containerPort": 53, "protocol": "UDP"}


def test_of_two_host_network_pods_the_one_that_trace_names_listens() -> None:
    pods = [pod(name, "192.168.0.10", "n0", PORT, host=True) for name in ("p", "q")]
    plan = build_plan(cluster(*pods))
    assert ("TCP", 80, "echo", "default/q") in listening(plan, "node/n0")
    assert not [t for t in plan.things if t.namespace.startswith("pod/")]


def test_endpoints_listen_wherever_they_are() -> None:
    web = service()
    slices = behind(
        web,
        endpoint("10.42.0.2", "n0"),
        endpoint("192.168.0.11"),
        endpoint("10.42.2.9", "n2"),
        endpoint("10.42.2.10"),
        endpoint("10.42.9.9", "gone"),
        endpoint("198.18.0.7"),
    )
    plan = build_plan(cluster(web, *slices, pod("p", "10.42.0.2", "n0")))
    assert listening(plan, "pod/default/p") == {("TCP", 8080, "echo", "default/p")}
    assert ("TCP", 8080, "echo", "") in listening(plan, "node/n1")
    assert listening(plan, "pod/default/endpoint-10.42.2.9") == {("TCP", 8080, "echo", "")}
    assert ("TCP", 8080, "echo", "") in listening(plan, OUTSIDE)
    routing = Routing(plan)
    assert routing.path("node/n0", "10.42.2.9")[-1] == "pod/default/endpoint-10.42.2.9"
    assert routing.path("node/n0", "10.42.2.10") == ("node/n0", "node/n2", UNREACHABLE)
    assert routing.path("node/n0", "10.42.9.9")[-1] == UNREACHABLE
    assert routing.path("node/n0", "198.18.0.7")[-1] == OUTSIDE


def test_a_health_check_port_is_kube_proxys_whoever_else_declares_it() -> None:
    own = pod("p", "192.168.0.10", "n0", {"containerPort": 10256}, host=True)
    plan = build_plan(cluster(own))
    (one,) = (x for x in plan.listeners if x.namespace == "node/n0" and x.port == 10256)
    assert one == Listener("node/n0", "TCP", "", 10256, Role.PROXY_HEALTH, node="n0")


# Nameservers


def test_cluster_dns_answers_where_its_endpoints_are() -> None:
    (own, upstream) = NOTES.nameservers
    assert (own.namespace, own.addresses, own.port) == (
        "pod/kube-system/coredns",
        ("10.42.0.2",),
        53,
    )
    assert (own.pod, own.node) == ("kube-system/coredns", "node-0")
    assert own.resolv_conf == files(NOTES, own.namespace)["/etc/resolv.conf"]
    assert (upstream.namespace, upstream.addresses) == (OUTSIDE, ("203.0.113.53",))


def test_every_resolver_that_a_file_names_answers() -> None:
    config = {"nameservers": ["198.51.100.53", "10.43.0.10", "192.168.0.11", "fd00::53"]}
    spec = {"nodeName": "n0", "dnsPolicy": "None", "dnsConfig": config}
    found = cluster(pod("p", "10.42.0.2", "n0", spec=spec))
    file = "nameserver 127.0.0.53\nnameserver 198.18.5.5\nnameserver fe80::1%eth0\n"
    plan = build_plan(found, DNSSettings(node_resolv_conf=file))
    *stubs, upstream = plan.nameservers
    assert upstream.addresses == ("203.0.113.53", "198.18.5.5", "198.51.100.53")
    assert {(one.namespace, one.addresses) for one in stubs} == {
        (f"node/n{at}", ("127.0.0.53",)) for at in range(3)
    }


def test_what_the_corefile_forwards_to_answers() -> None:
    text = (
        ".:53 {\n  forward a.test 198.18.9.9 198.18.9.8:5353\n  forward . 10.43.0.10 1.1.1.1\n}\n"
    )
    plan = build_plan(example(), DNSSettings(corefile=text))
    found = {one.port: one.addresses for one in plan.nameservers if one.namespace == OUTSIDE}
    assert found == {53: ("203.0.113.53", "198.18.9.9", "1.1.1.1"), 5353: ("198.18.9.8",)}


def test_the_node_local_cache_answers_on_its_node() -> None:
    cache = pod(
        "cache",
        "192.168.0.11",
        "n1",
        host=True,
        metadata={
            "name": "cache",
            "namespace": "kube-system",
            "labels": {"k8s-app": "node-local-dns"},
        },
    )
    plan = build_plan(cluster(cache))
    (one,) = (one for one in plan.nameservers if one.pod)
    assert (one.namespace, one.addresses, one.pod) == (
        "node/n1",
        ("169.254.20.10",),
        "kube-system/cache",
    )
    assert addresses(plan, "node/n1", "eth0") == ["192.168.0.11/32", "169.254.20.10/32"]
    assert addresses(plan, "node/n0", "eth0") == ["192.168.0.10/32"]
    named = build_plan(cluster(DUAL), DNSSettings(cluster_dns=("169.254.20.10",)))
    assert {one.node for one in named.nameservers if one.pod} == {"n0", "n1", "n2"}


def test_dns_on_another_port_and_in_the_host_network() -> None:
    dns = service(
        "kube-dns", clusterIP="10.43.0.10", ports=[{"name": "dns", "port": 53, "protocol": "UDP"}]
    )
    metadata = type(dns.metadata)(name="kube-dns", namespace="kube-system")
    dns = type(dns)(metadata=metadata, spec=dns.spec)
    slices = behind(dns, endpoint("192.168.0.10", "n0"), endpoint("10.42.1.9", "n1"), port=5353)
    own = pod("resolver", "192.168.0.10", "n0", UDP | {"containerPort": 5353}, host=True)
    plan = build_plan(cluster(dns, *slices, own))
    found = {(one.namespace, one.pod, one.port) for one in plan.nameservers if one.pod}
    assert found == {
        ("node/n0", "default/resolver", 5353),
        ("pod/kube-system/endpoint-10.42.1.9", "kube-system/endpoint-10.42.1.9", 5353),
    }
    assert not [one for one in plan.listeners if one.port == 5353]


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
