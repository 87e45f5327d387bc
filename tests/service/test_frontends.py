"""Where Services listen (reference: kube-proxy, section 1)."""

from typing import Any

import pytest

from kubehop.model.addresses import Family
from kubehop.service.frontends import (
    FrontendKind,
    externally_accessible,
    frontend_table,
    frontends,
    is_proxied,
)
from tests.clusters import VIP, balanced, cluster, service

PROXY_NAME = "service.kubernetes.io/service-proxy-name"
V6_VIP = {"ip": "2001:DB8::0051"}
BOTH: dict[str, Any] = {"clusterIPs": ["10.43.0.1", "fd00:10:43::1"]}
EXTERNAL_IPS = ["198.51.100.9", "2001:DB8::0009"]

# (what, Service, kube-proxy's service proxy name) -> its frontends
LISTENING: list[tuple[str, Any, str, list[str]]] = [
    # the rule: "ClusterIP: always"
    ("cluster IP", service(), "", ["clusterip 10.43.0.1:80/TCP"]),
    # the rule: "headless: no frontend of any kind, externalIPs included"
    ("headless", service(clusterIP="None", externalIPs=["198.51.100.9"]), "", []),
    ("no cluster IP", service(clusterIP=""), "", []),
    # the rule: "type ExternalName, even if a clusterIP is present"
    ("ExternalName", service(type="ExternalName", externalName="a.example"), "", []),
    # the rule: "label service-proxy-name set, unless equal (and then ONLY those)"
    ("another proxy's", service(labels={PROXY_NAME: "x"}), "", []),
    ("with an empty name", service(labels={PROXY_NAME: ""}), "", []),
    ("its own", service(labels={PROXY_NAME: "x"}), "x", ["clusterip 10.43.0.1:80/TCP"]),
    ("nobody's, for a named proxy", service(), "x", []),
    # the rule: "Services labelled headless are not watched"
    ("headless label", service(labels={"service.kubernetes.io/headless": ""}), "", []),
    # the rule: "externalIP: any type with a ClusterIP", each of the family
    (
        "external IPs",
        service(externalIPs=EXTERNAL_IPS),
        "",
        ["clusterip 10.43.0.1:80/TCP", "externalip 198.51.100.9:80/TCP"],
    ),
    # the rule: "LB VIP: ipMode unset or VIP"; hostname and Proxy give none
    (
        "VIPs",
        balanced(lb=(*VIP, {"hostname": "h"}, {"ip": "198.51.100.2", "ipMode": "Proxy"}, V6_VIP)),
        "",
        [
            "clusterip 10.43.0.1:80/TCP",
            "loadbalancer 198.51.100.1:80/TCP",
            "nodeport *:30080/TCP",
        ],
    ),
    # the rule: "nodePort != 0"
    (
        "no node port",
        balanced(ports=[{"port": 80, "nodePort": 0}]),
        "",
        ["clusterip 10.43.0.1:80/TCP", "loadbalancer 198.51.100.1:80/TCP"],
    ),
    # the rule: "kube-proxy does not check that type is LoadBalancer when reading status"
    (
        "status of another type",
        service(lb=VIP),
        "",
        ["clusterip 10.43.0.1:80/TCP", "loadbalancer 198.51.100.1:80/TCP"],
    ),
    # the rule: "frontends in family F only if it has a ClusterIP of family F"
    (
        "IPv6 only",
        balanced(clusterIP="fd00:10:43::1", lb=(*VIP, V6_VIP), externalIPs=EXTERNAL_IPS),
        "",
        [
            "clusterip [fd00:10:43::1]:80/TCP",
            "externalip [2001:db8::9]:80/TCP",
            "loadbalancer [2001:db8::51]:80/TCP",
            "nodeport *:30080/TCP",
        ],
    ),
    (
        "dual stack",
        service(type="NodePort", **BOTH),
        "",
        [
            "clusterip 10.43.0.1:80/TCP",
            "nodeport *:30080/TCP",
            "clusterip [fd00:10:43::1]:80/TCP",
            "nodeport *:30080/TCP",
        ],
    ),
    # the rule: "Protocols are separate: the same number may serve three of them"
    (
        "protocols",
        service(
            ports=[
                {"name": name, "port": 53, "protocol": name.upper()}
                for name in ("tcp", "udp", "sctp")
            ]
        ),
        "",
        ["clusterip 10.43.0.1:53/TCP", "clusterip 10.43.0.1:53/UDP", "clusterip 10.43.0.1:53/SCTP"],
    ),
]


@pytest.mark.parametrize(("what", "subject", "name", "expected"), LISTENING)
def test_a_service_listens(what: str, subject: Any, name: str, expected: list[str]) -> None:
    found = frontends(subject, name)
    assert [f"{frontend.kind} {frontend}" for frontend in found] == expected, what
    assert is_proxied(subject, name) is bool(found)


def test_every_kind_of_frontend_is_tested() -> None:
    seen = {line.split()[0] for *_, lines in LISTENING for line in lines}
    assert seen == {str(kind) for kind in FrontendKind}
    assert {kind for kind in FrontendKind if not kind.external} == {FrontendKind.CLUSTER_IP}


# the rule: "Externally accessible := nodePort, or any LB VIP or externalIP of this family"
ACCESSIBLE = [
    (service(), False, False),
    (service(type="NodePort"), True, True),
    (service(externalIPs=["198.51.100.9"]), True, False),
    (service(externalIPs=["2001:db8::9"]), False, True),
    (service(lb=VIP), True, False),
    (service(lb=({"ip": "198.51.100.1", "ipMode": "Proxy"},)), False, False),
    (service(lb=({"hostname": "h"},)), False, False),
]


@pytest.mark.parametrize(("subject", "v4", "v6"), ACCESSIBLE)
def test_a_port_is_externally_accessible(subject: Any, v4: bool, v6: bool) -> None:
    port = subject.ports[0]
    assert externally_accessible(subject, port, Family.IPV4) is v4
    assert externally_accessible(subject, port, Family.IPV6) is v6


def test_the_table_finds_exact_addresses_and_node_ports() -> None:
    table = frontend_table(cluster(balanced(externalIPs=["198.51.100.9"])))
    at = [
        ("10.43.0.1", "TCP", 80),
        ("198.51.100.9", "TCP", 80),
        ("198.51.100.1", "TCP", 80),
        ("10.43.0.1", "UDP", 80),
        ("10.43.0.1", "TCP", 81),
        ("198.51.100.2", "TCP", 80),
    ]
    found = [table.at(*key) for key in at]
    assert [frontend and frontend.kind for frontend in found] == [
        FrontendKind.CLUSTER_IP,
        FrontendKind.EXTERNAL_IP,
        FrontendKind.LOAD_BALANCER,
        None,
        None,
        None,
    ]
    assert table.cluster_ips == {"10.43.0.1"}
    assert table.addresses == {"10.43.0.1", "198.51.100.9", "198.51.100.1"}
    node_port = table.node_port(Family.IPV4, "TCP", 30080)
    assert node_port is not None
    assert node_port.kind is FrontendKind.NODE_PORT
    assert table.node_port(Family.IPV6, "TCP", 30080) is None
    assert table.node_port(Family.IPV4, "UDP", 30080) is None


def test_of_two_services_with_one_address_the_first_by_name_has_it() -> None:
    first = service("a", clusterIP="10.43.0.1", externalIPs=["198.51.100.9"])
    second = service("b", clusterIP="10.43.0.2", externalIPs=["198.51.100.9"])
    for order in ((first, second), (second, first)):
        found = frontend_table(cluster(*order)).at("198.51.100.9", "TCP", 80)
        assert found is not None
        assert found.service.name == "a"
