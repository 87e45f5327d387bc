"""Where an address lives."""

import pytest

from kubehop.trace.places import Place, PlaceKind, host_pod_at, locate, mapped_pod_at
from tests.clusters import cluster, node, pod

WEB = pod("web", "10.42.0.2", "n0", {"containerPort": 80, "hostPort": 8080})
HOST = pod("host", "192.168.0.11", "n1", {"containerPort": 9100}, host=True)
DONE = pod("done", "10.42.0.3", "n0", {"containerPort": 80, "hostPort": 7070}, status={
    "phase": "Succeeded",
    "podIPs": [{"ip": "10.42.0.3"}],
})  # fmt: skip
BOUND = pod(
    "bound", "10.42.0.4", "n0", {"containerPort": 1, "hostPort": 8443, "hostIP": "192.168.0.10"}
)
FOUND = cluster(WEB, HOST, DONE, BOUND, node(0), node(1, v6=True, external="198.51.100.7"))

# (address, node of the endpoint) -> what has it, and on which node
PLACES = [
    ("10.42.0.2", "", PlaceKind.POD, "n0"),
    ("10.42.0.2", "n1", PlaceKind.POD, "n0"),
    ("192.168.0.11", "", PlaceKind.NODE, "n1"),
    ("fd00:192::11", "", PlaceKind.NODE, "n1"),
    ("198.51.100.7", "", PlaceKind.NODE, "n1"),
    ("10.42.0.99", "", PlaceKind.EMPTY, "n0"),
    ("10.42.0.3", "", PlaceKind.EMPTY, "n0"),
    ("10.42.1.255", "", PlaceKind.EMPTY, "n1"),
    ("fd00:10:42:1::99", "", PlaceKind.EMPTY, "n1"),
    ("10.42.0.99", "n1", PlaceKind.POD, "n1"),
    ("10.42.2.1", "", PlaceKind.OUTSIDE, ""),
    ("fd00:10:42:0::99", "", PlaceKind.OUTSIDE, ""),
    ("203.0.113.9", "", PlaceKind.OUTSIDE, ""),
    ("127.0.0.1", "", PlaceKind.OUTSIDE, ""),
]


@pytest.mark.parametrize(("address", "endpoint_node", "kind", "where"), PLACES)
def test_an_address_is_located(
    address: str, endpoint_node: str, kind: PlaceKind, where: str
) -> None:
    found = locate(FOUND, address, endpoint_node)
    assert (found.kind, found.node) == (kind, where)


def test_every_kind_of_place_is_tested() -> None:
    assert {kind for *_, kind, _ in PLACES} == set(PlaceKind)


def test_a_pod_is_told_with_its_place() -> None:
    assert locate(FOUND, "10.42.0.2") == Place(PlaceKind.POD, "n0", WEB)


def test_the_narrowest_pod_cidr_counts() -> None:
    wide = node(0)
    raw = type(wide.spec)(pod_cidrs=("10.42.0.0/16",)) if wide.spec else None
    found = cluster(type(wide)(wide.metadata, raw, wide.status), node(1))
    assert locate(found, "10.42.1.9").node == "n1"
    assert locate(found, "10.42.9.9").node == "n0"


def test_host_network_pods_are_found_by_their_port() -> None:
    assert host_pod_at(FOUND, "n1", "TCP", 9100) == HOST
    assert host_pod_at(FOUND, "n0", "TCP", 9100) is None
    assert host_pod_at(FOUND, "n1", "UDP", 9100) is None


# (node, protocol, address, port) -> the pod that claims the hostPort
CLAIMS = [
    ("n0", "TCP", "192.168.0.10", 8080, "web"),
    ("n0", "TCP", "127.0.0.1", 8080, "web"),
    ("n1", "TCP", "192.168.0.11", 8080, ""),
    ("n0", "UDP", "192.168.0.10", 8080, ""),
    ("n0", "TCP", "192.168.0.10", 8443, "bound"),
    ("n0", "TCP", "127.0.0.1", 8443, ""),
    ("n0", "TCP", "192.168.0.10", 7070, ""),
]


@pytest.mark.parametrize(("at", "protocol", "address", "port", "name"), CLAIMS)
def test_host_ports_are_found(at: str, protocol: str, address: str, port: int, name: str) -> None:
    found = mapped_pod_at(FOUND, at, protocol, address, port)
    assert (found[0].name if found else "") == name


@pytest.mark.parametrize("unspecified", ["", "0.0.0.0"])
def test_the_unspecified_host_ip_means_any(unspecified: str) -> None:
    port = {"containerPort": 80, "hostPort": 8080, "hostIP": unspecified}
    found = cluster(pod("any", "10.42.0.2", "n0", port))
    assert mapped_pod_at(found, "n0", "TCP", "192.168.0.10", 8080) is not None
