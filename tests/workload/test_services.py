"""What the API server and a load balancer fill in."""

import pytest

from kubehop.model.addresses import contains
from kubehop.model.service import Service
from kubehop.workload.options import Options
from tests.workload.making import cluster, node, service

FIXED = """
---
apiVersion: v1
kind: Service
metadata: {{name: {}, namespace: {}}}
spec: {{ports: [{{port: 53}}], selector: {{a: b}}}}
"""
DUAL = Options(service_cidrs=("10.43.0.0/16", "fd00:10:43::/112"))
SERVICE_CIDR = """
---
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {{name: {}}}
spec: {{cidrs: [{}]}}
"""


def one(text: str, options: Options | None = None) -> Service:
    (made,) = cluster(text, options or Options()).services
    return made


@pytest.mark.parametrize(
    ("name", "namespace", "addresses"),
    [
        ("kubernetes", "default", ("10.43.0.1", "fd00:10:43::1")),
        ("kube-dns", "kube-system", ("10.43.0.10", "fd00:10:43::a")),
    ],
)
def test_customary_places(name: str, namespace: str, addresses: tuple[str, ...]) -> None:
    text = FIXED.format(name, namespace).replace(
        "{ports", "{ipFamilyPolicy: PreferDualStack, ports"
    )
    assert one(text, DUAL).cluster_ips == addresses


def test_a_place_that_is_taken_is_not_given_twice() -> None:
    text = FIXED.format("kube-dns", "kube-system") + service("other", "clusterIP: 10.43.0.10")
    made = cluster(text).services
    assert len({found.cluster_ips for found in made}) == 2


@pytest.mark.parametrize(
    ("options", "spec", "families"),
    [
        (Options(), "", "IPv4"),
        (DUAL, "", "IPv4"),
        (DUAL, "ipFamilyPolicy: PreferDualStack", "IPv4 IPv6"),
        (DUAL, "ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6]", "IPv6 IPv4"),
        (DUAL, "ipFamilies: [IPv6]", "IPv6"),
        (Options(service_cidrs=("fd00:10:43::/112",)), "", "IPv6"),
        (Options(service_cidrs=("fd00:10:43::/112",)), "ipFamilyPolicy: PreferDualStack", "IPv6"),
    ],
)
def test_families(options: Options, spec: str, families: str) -> None:
    made = one(service("web", spec), options)
    assert made.spec.ip_families == tuple(families.split())
    assert len(made.cluster_ips) == len(families.split())


def test_a_family_that_the_cluster_lacks_gives_no_cluster_ip() -> None:
    made = cluster(node("n1") + service("web", "ipFamilies: [IPv6]"))
    assert made.services[0].cluster_ips == ()
    assert any("no cluster IP for Service default/web" in line for line in made.assumptions)


@pytest.mark.parametrize(
    ("spec", "node_port", "check", "ingress"),
    [
        ("", False, False, False),
        ("type: NodePort", True, False, False),
        ("type: LoadBalancer", True, False, True),
        ("type: LoadBalancer, allocateLoadBalancerNodePorts: false", False, False, True),
        ("type: LoadBalancer, externalTrafficPolicy: Local", True, True, True),
        ("type: NodePort, externalTrafficPolicy: Local", True, False, False),
        ("type: LoadBalancer, clusterIP: 10.43.7.7", False, False, False),
    ],
)
def test_what_each_type_gets(spec: str, node_port: bool, check: bool, ingress: bool) -> None:
    made = one(service("web", spec))
    assert bool(made.ports[0].node_port) == node_port
    assert bool(made.spec.health_check_node_port) == check
    assert bool(made.ingress) == ingress
    if node_port:
        assert 30000 <= (made.ports[0].node_port or 0) <= 32767
    if ingress:
        assert contains("192.168.128.0/17", made.ingress[0].ip or "")


def test_what_a_manifest_says_is_kept() -> None:
    ports = "[{name: a, port: 80, nodePort: 30080}, {name: b, port: 81}]"
    made = one(service("web", "type: LoadBalancer, healthCheckNodePort: 30090", ports))
    assert made.ports[0].node_port == 30080
    assert made.ports[1].node_port not in (None, 30080, 30090)
    assert made.spec.health_check_node_port == 30090


def test_headless_and_external_name_get_no_address() -> None:
    headless = one(service("web", "clusterIP: None"))
    assert (headless.cluster_ips, headless.spec.ip_families) == ((), ("IPv4",))
    external = one(service("web", "type: ExternalName, externalName: example.com"))
    assert (external.cluster_ips, external.spec.ip_families) == ((), None)


def test_adding_a_service_moves_no_other() -> None:
    few = "".join(service(f"s{n}", "type: LoadBalancer") for n in range(20))
    before = {found.name: found for found in cluster(few).services}
    after = {found.name: found for found in cluster(few + service("aaa")).services}
    assert all(after[name] == found for name, found in before.items())


@pytest.mark.parametrize(
    ("text", "cidrs"),
    [
        ("", "10.43.0.0/16"),
        (service("a", "clusterIP: 10.96.0.1"), "10.96.0.0/16"),
        (
            service("a", "clusterIP: 10.96.0.10") + service("b", "clusterIP: 10.111.43.154"),
            "10.96.0.0/12",
        ),
        (service("a", "clusterIPs: [10.9.0.1, 'fd00::1']"), "10.9.0.0/16 fd00::/112"),
        (SERVICE_CIDR.format("kubernetes", "10.7.0.0/20"), "10.7.0.0/20"),
        (
            SERVICE_CIDR.format("extra", "10.8.0.0/24")
            + SERVICE_CIDR.format("kubernetes", "10.7.0.0/20"),
            "10.7.0.0/20 10.8.0.0/24",
        ),
    ],
)
def test_service_cidrs(text: str, cidrs: str) -> None:
    assert cluster(text).service_cidrs == tuple(cidrs.split())


def test_a_full_range_is_said() -> None:
    text = "".join(service(f"s{n}") for n in range(8))
    made = cluster(text, Options(service_cidrs=("10.43.0.0/29",)))
    assert sum(bool(found.cluster_ips) for found in made.services) == 6
    assert any(line.startswith("no cluster IP for Service") for line in made.assumptions)
