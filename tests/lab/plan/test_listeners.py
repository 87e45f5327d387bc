"""From clusters to labs: the files of sandboxes, who listens, and who answers names."""

from kubehop.dns.settings import DNSSettings
from kubehop.example import cluster as example
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.values import (
    OUTSIDE,
    Listener,
    Plan,
    Role,
    Sandbox,
)
from tests.clusters import behind, cluster, endpoint, pod, service
from tests.lab.plan.routing import UNREACHABLE, Routing
from tests.lab.plan.test_build import DUAL, addresses

NOTES = build_plan(example())
PORT = {"containerPort": 80}


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
