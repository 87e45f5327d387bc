"""Who answers at an address of resolv.conf: the way of the packet decides."""

from fractions import Fraction

import pytest

from kubehop.dns.service import dns_addresses, dns_service
from kubehop.model.cluster import Cluster
from kubehop.trace.nameservers import Answers, nameserver
from kubehop.trace.questions import parse_origin
from tests.workload.making import cluster, node, pod

DNS = """
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: kube-system, labels: {{k8s-app: kube-dns}}}}
spec:
  clusterIP: 10.43.0.10
  selector: {{k8s-app: kube-dns}}
  {more}
  ports: [{{name: dns, port: 53, protocol: UDP}}]
"""
COREDNS = """
---
apiVersion: v1
kind: Pod
metadata: {{name: coredns-{at}, namespace: kube-system, labels: {{k8s-app: kube-dns}}}}
spec:
  nodeName: {at}
  containers: [{{name: coredns, ports: [{{containerPort: 53, protocol: UDP}}]}}]
status: {{podIP: {address}, conditions: [{{type: Ready, status: "{ready}"}}]}}
"""
PLACES = (
    node("a", "podCIDR: 10.42.0.0/24", address="192.168.0.10")
    + node("b", "podCIDR: 10.42.1.0/24", address="192.168.0.11")
    + pod("client", "nodeName: a", "podIP: 10.42.0.8")
)


def made(
    *, ready: str = "True", more: str = "", name: str = "kube-dns", besides: str = ""
) -> Cluster:
    """DNS on node b, a client on node a."""
    return cluster(
        PLACES
        + DNS.format(name=name, more=more)
        + COREDNS.format(at="b", address="10.42.1.2", ready=ready)
        + besides
    )


def met(found: Cluster, address: str, origin: str = "pod/client", protocol: str = "UDP") -> Answers:
    start = parse_origin(found, origin, "default")
    return nameserver(found, start, address, protocol).answers


LOCAL = "internalTrafficPolicy: Local"

CASES: list[tuple[str, Cluster, str, Answers]] = [
    ("the Service", made(), "10.43.0.10", Answers.CLUSTER),
    ("its pod, without the Service", made(), "10.42.1.2", Answers.CLUSTER),
    ("renamed by a chart", made(name="rke2-coredns"), "10.43.0.10", Answers.CLUSTER),
    ("no pod is ready: rejected", made(ready="False"), "10.43.0.10", Answers.UNREACHABLE),
    ("no pod on this node: dropped", made(more=LOCAL), "10.43.0.10", Answers.SILENT),
    ("an address that no Service has", made(), "10.43.9.9", Answers.SILENT),
    ("a pod that serves no DNS", made(), "10.42.0.8", Answers.UNREACHABLE),
    ("a resolver outside", made(), "203.0.113.53", Answers.OUTSIDE),
    ("the node-local cache", made(), "169.254.20.10", Answers.CLUSTER),
    ("the pod itself", made(), "127.0.0.53", Answers.UNREACHABLE),
    ("the pod itself, unspecified", made(), "0.0.0.0", Answers.UNREACHABLE),
    ("the pod itself, unspecified IPv6", made(), "::", Answers.UNREACHABLE),
    ("a link of the node's", made(), "fe80::1%eth0", Answers.SILENT),
    ("no IPv6 here", made(), "fd00::53", Answers.UNREACHABLE),
]


@pytest.mark.parametrize(("found", "address", "expected"), [case[1:] for case in CASES])
def test_who_answers(found: Cluster, address: str, expected: Answers) -> None:
    assert met(found, address) is expected


CACHE = """
---
apiVersion: v1
kind: Pod
metadata: {{name: cache, namespace: kube-system, labels: {{k8s-app: node-local-dns}}}}
spec: {{nodeName: {at}, hostNetwork: true, containers: [{{name: cache}}]}}
status: {{podIP: 192.168.0.10, conditions: [{{type: Ready, status: "{ready}"}}]}}
"""


@pytest.mark.parametrize(
    ("at", "ready", "expected"),
    [
        ("a", "True", Answers.CLUSTER),
        ("b", "True", Answers.SILENT),
        ("a", "False", Answers.SILENT),
    ],
)
def test_a_node_local_cache_answers_at_the_services_address(
    at: str, ready: str, expected: Answers
) -> None:
    found = made(more=LOCAL, besides=CACHE.format(at=at, ready=ready))
    assert met(found, "10.43.0.10") is expected


OPENSHIFT = """
---
apiVersion: v1
kind: Service
metadata: {name: dns-default, namespace: openshift-dns}
spec: {clusterIP: 10.43.0.10, ports: [{name: dns, port: 53, targetPort: 5353, protocol: UDP}]}
"""
OWN_NAME = OPENSHIFT.replace("dns-default", "unbound").replace("openshift-dns", "infra")
WEB = OWN_NAME.replace("53", "80").replace("UDP", "TCP")
ELSEWHERE = DNS.format(name="coredns", more="").replace("kube-system", "dns")


@pytest.mark.parametrize(
    ("objects", "name"),
    [
        (OPENSHIFT, "openshift-dns/dns-default"),
        (ELSEWHERE, "dns/coredns"),
        (OWN_NAME, "infra/unbound"),
        (WEB, None),
        (ELSEWHERE + DNS.format(name="renamed", more=""), "kube-system/renamed"),
    ],
)
def test_the_dns_service_is_found(objects: str, name: str | None) -> None:
    found = dns_service(cluster(objects))
    assert (found and f"{found.namespace}/{found.name}") == name


def test_a_service_without_tcp_refuses_tcp() -> None:
    assert met(made(), "10.43.0.10", protocol="TCP") is Answers.UNREACHABLE


def test_a_node_asks_like_a_pod() -> None:
    assert met(made(), "10.43.0.10", origin="node/a") is Answers.CLUSTER


def test_a_nodes_loopback_is_its_stub_resolver() -> None:
    assert met(made(), "127.0.0.53", origin="node/a") is Answers.OUTSIDE


def test_a_router_on_a_nodes_link_answers_the_node() -> None:
    assert met(made(), "fe80::1%eth0", origin="node/a") is Answers.OUTSIDE


def test_without_dns_in_the_input_it_is_assumed_at_its_customary_address() -> None:
    bare = cluster(PLACES)
    assert (dns_service(bare), dns_addresses(bare)) == (None, (("10.43.0.10",), True))
    found = nameserver(bare, parse_origin(bare, "pod/client", "default"), "10.43.0.10")
    assert (found.answers, found.why) == (Answers.CLUSTER, "the input has no DNS Service")


def test_without_an_origin_only_the_owner_counts() -> None:
    found = made(ready="False")
    assert nameserver(found, None, "10.43.0.10").answers is Answers.CLUSTER
    assert nameserver(found, None, "10.43.0.11").answers is Answers.OUTSIDE


def test_the_likeliest_fate_counts() -> None:
    lame = pod("lame", "nodeName: b", "podIP: 10.42.1.77")
    found = cluster(
        PLACES
        + DNS.format(name="kube-dns", more="")
        + COREDNS.format(at="a", address="10.42.0.2", ready="True")
        + COREDNS.format(at="b", address="10.42.1.2", ready="True")
        + lame
    )
    answer = nameserver(found, parse_origin(found, "pod/client", "default"), "10.43.0.10")
    assert (answer.answers, answer.share) == (Answers.CLUSTER, Fraction(1))
    assert answer.object == "Service kube-system/kube-dns"
