"""Which address a client sends to."""

from fractions import Fraction
from typing import Any

import pytest

from kubehop.model.errors import UsageError
from kubehop.service.frontends import FrontendKind
from kubehop.trace.aim import Shot, aim, service_port
from kubehop.trace.questions import parse_origin, parse_target
from tests.clusters import UNREADY, balanced, behind, cluster, endpoint, node, pod, service

CIP, EIP, LB, NP = FrontendKind
PROXY_LB = ({"ip": "198.51.100.1", "ipMode": "Proxy"},)
ALL: dict[str, Any] = {"externalIPs": ["198.51.100.9"]}
CLIENT = pod("client", "10.42.0.77", "n0")
DUAL: dict[str, Any] = {"clusterIPs": ["10.43.0.1", "fd00:10:43::1"]}


def shots(
    subject: Any,
    origin: str,
    *found: Any,
    to: str = "svc/web:80",
    via: FrontendKind | None = None,
    at: str = "",
    protocol: str | None = None,
) -> tuple[Shot, ...]:
    made = cluster(subject, CLIENT, *found)
    start = parse_origin(made, origin, "default")
    target = parse_target(made, to, "default")
    return aim(made, start, target, protocol, via, at)


def shown(found: tuple[Shot, ...]) -> str:
    return " ".join(f"{shot.address}:{shot.port}" for shot in found)


# (Service, origin, via, node) -> where the packet is sent
AIMED: list[tuple[Any, str, FrontendKind | None, str, str]] = [
    # inside, by default: the cluster IP
    (balanced(**ALL), "pod/client", None, "", "10.43.0.1:80"),
    (balanced(**ALL), "node/n1", None, "", "10.43.0.1:80"),
    # outside, by default: load balancer, external IP, node port
    (balanced(**ALL), "external", None, "", "198.51.100.1:80"),
    (service(type="NodePort", **ALL), "external", None, "", "198.51.100.9:80"),
    (
        service(type="NodePort"),
        "external",
        None,
        "",
        "192.168.0.10:30080 192.168.0.11:30080 192.168.0.12:30080",
    ),
    (service(), "external", None, "", "10.43.0.1:80"),
    (balanced(lb=PROXY_LB), "external", None, "", "198.51.100.1:80"),
    (balanced(lb=PROXY_LB), "pod/client", None, "", "10.43.0.1:80"),
    # a node is named: its node port, but by the load balancer if there is one
    (service(type="NodePort", **ALL), "external", None, "n1", "192.168.0.11:30080"),
    (balanced(), "external", None, "n1", "198.51.100.1:80"),
    # via says otherwise
    (balanced(**ALL), "pod/client", LB, "", "198.51.100.1:80"),
    (balanced(lb=PROXY_LB), "pod/client", LB, "", "198.51.100.1:80"),
    (balanced(**ALL), "external", EIP, "", "198.51.100.9:80"),
    (balanced(**ALL), "external", CIP, "", "10.43.0.1:80"),
    (balanced(**ALL), "pod/client", NP, "", "192.168.0.10:30080"),
    (balanced(**ALL), "pod/client", NP, "n2", "192.168.0.12:30080"),
    (balanced(**ALL), "external", NP, "n2", "192.168.0.12:30080"),
]


@pytest.mark.parametrize(("subject", "origin", "via", "at", "where"), AIMED)
def test_a_client_aims(
    subject: Any, origin: str, via: FrontendKind | None, at: str, where: str
) -> None:
    assert shown(shots(subject, origin, via=via, at=at)) == where


def test_every_kind_is_aimed_at_from_inside_and_outside() -> None:
    seen = {(origin == "external", via) for _, origin, via, *_ in AIMED}
    assert seen >= {(True, EIP), (True, CIP), (True, NP), (False, LB), (False, NP)}


def test_node_ports_are_chosen_equally() -> None:
    found = shots(service(type="NodePort"), "external")
    assert [shot.share for shot in found] == [Fraction(1, 3)] * 3
    assert "each node equally" in found[0].why


def test_a_node_without_the_family_has_no_node_port_address() -> None:
    nodes = (node(0), node(1, v6=True))
    found = shots(service(type="NodePort", clusterIP="fd00:10:43::1"), "external", *nodes)
    assert shown(found) == "fd00:192::11:30080"
    with pytest.raises(UsageError, match="no node has an IPv6 address"):
        shots(service(type="NodePort", clusterIP="fd00:10:43::1"), "external")


def test_the_family_is_one_that_the_client_has() -> None:
    dual = balanced(lb=({"ip": "198.51.100.1"}, {"ip": "2001:db8:51::1"}), **DUAL)
    assert shown(shots(dual, "external/198.18.0.1")) == "198.51.100.1:80"
    assert shown(shots(dual, "external/2001:db8::1")) == "2001:db8:51::1:80"
    with pytest.raises(UsageError, match="no address that external/2001:db8::1 could use"):
        shots(service(), "external/2001:db8::1")


# (Service, what is asked) -> words of the error
REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (service(), {"via": LB}, "has no loadbalancer address; it has: clusterip"),
    (balanced(), {"via": EIP}, "it has: clusterip, loadbalancer, nodeport"),
    (service(), {"to": "svc/web:81"}, "has no port 81; it has: 80/TCP"),
    (service(), {"protocol": "UDP"}, "has no port 80/UDP; it has: 80/TCP"),
    (service(ports=[]), {"to": "svc/web"}, "has no port ; it has: none"),
    (
        service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}]),
        {"to": "svc/web"},
        "has several ports, name one: 80/TCP, 81/TCP",
    ),
    (
        service(type="ExternalName", externalName="db.example.com"),
        {},
        "is an ExternalName: DNS answers with 'db.example.com'",
    ),
    (service(clusterIP="None"), {}, "is headless and has no ready endpoint"),
]


@pytest.mark.parametrize(("subject", "asked", "words"), REFUSED)
def test_what_a_service_does_not_have(subject: Any, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        shots(subject, "pod/client", **asked)
    assert words in str(caught.value)


DNS = service(
    ports=[
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53},
        {"name": "metrics", "port": 9153},
    ]
)

# (port as typed, protocol) -> the port found
PORTS = [
    ("53", None, "dns-tcp"),
    ("53", "UDP", "dns"),
    ("dns", None, "dns"),
    ("metrics", None, "metrics"),
    ("9153", "TCP", "metrics"),
    ("", "UDP", "dns"),
]


@pytest.mark.parametrize(("wanted", "protocol", "name"), PORTS)
def test_a_service_port(wanted: str, protocol: str | None, name: str) -> None:
    assert service_port(DNS, wanted, protocol).name == name


HEADLESS = service(clusterIP="None")
ENDPOINTS = (
    endpoint("10.42.0.2", "n0"),
    endpoint("10.42.1.2", "n1"),
    endpoint("10.42.2.2", "n2", UNREADY),
    endpoint("fd00:10:42::2", "n0"),
)


def test_headless_gives_the_ready_endpoints_and_nobody_translates_the_port() -> None:
    found = shots(HEADLESS, "pod/client", *behind(HEADLESS, *ENDPOINTS))
    assert shown(found) == "10.42.0.2:80 10.42.1.2:80"
    assert {shot.share for shot in found} == {Fraction(1, 2)}
    assert [shot.endpoint_node for shot in found] == ["n0", "n1"]


def test_headless_by_name_gives_each_endpoints_own_port() -> None:
    named = service(clusterIP="None", ports=[{"name": "web", "port": 80}])
    first = behind(named, endpoint("10.42.0.2"), port=8080)
    second = behind(
        service("web", ports=[{"name": "web", "port": 80}]), endpoint("10.42.1.2"), port=9090
    )
    found = shots(named, "pod/client", *first, *second, to="svc/web:web")
    assert shown(found) == "10.42.0.2:8080 10.42.1.2:9090"


def test_headless_in_both_families() -> None:
    made = behind(HEADLESS, *ENDPOINTS)
    found = shots(HEADLESS, "external", *made)
    assert shown(found) == "10.42.0.2:80 10.42.1.2:80 fd00:10:42::2:80"
    only_v6 = behind(HEADLESS, ENDPOINTS[-1])
    with pytest.raises(UsageError, match="no ready endpoint"):
        shots(HEADLESS, "pod/client", *only_v6)


def test_pods_and_nodes_are_aimed_at_in_the_clients_family() -> None:
    dual = pod("dual", "10.42.1.9,fd00:10:42:1::9", "n1")
    nodes = (node(0), node(1, v6=True))
    for to, v4, v6 in (
        ("pod/dual:80", "10.42.1.9:80", "fd00:10:42:1::9:80"),
        ("node/n1:80", "192.168.0.11:80", "fd00:192::11:80"),
    ):
        assert shown(shots(service(), "external/198.18.0.1", dual, *nodes, to=to)) == v4
        assert shown(shots(service(), "external/2001:db8::1", dual, *nodes, to=to)) == v6


def test_a_pod_without_address_is_no_target() -> None:
    with pytest.raises(UsageError, match="Pod default/lost has no address yet"):
        shots(service(), "external", pod("lost", "", "n1"), to="pod/lost:80")


def test_another_proxys_service_has_no_address() -> None:
    hidden = service(labels={"service.kubernetes.io/service-proxy-name": "other"})
    with pytest.raises(UsageError, match="no address that pod/default/client could use"):
        shots(hidden, "pod/client")
