"""Who gets which share (reference: kube-proxy, sections 3 to 5)."""

from fractions import Fraction

import pytest

from kubehop.model.addresses import Family
from kubehop.model.cluster import Cluster
from kubehop.model.proxy import DetectLocal
from kubehop.model.service import Service
from kubehop.service.decide import Action
from kubehop.service.frontends import FrontendKind
from kubehop.service.outsider import outside_address
from kubehop.service.spread import Client, Spread, spreads
from kubehop.service.warnings import join_names, listing, warnings
from tests.clusters import (
    DRAINING,
    UNREADY,
    Raw,
    balanced,
    behind,
    cluster,
    endpoint,
    node,
    service,
)

A, B, C, D = (
    endpoint("10.42.0.2", "n0"),
    endpoint("10.42.1.2", "n1"),
    endpoint("10.42.1.3", "n1"),
    endpoint("10.42.1.4", "n1"),
)
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def spread(subject: Service, *entries: Raw, **proxy: object) -> Spread:
    found = cluster(subject, *behind(subject, *entries), **proxy)  # type: ignore[arg-type]
    return spreads(found, subject)[0]


def shares(found: Spread) -> dict[str, Fraction]:
    return {e.address: share for e, share in found.balance.shares}


def test_without_frontend_there_is_no_spread() -> None:
    for subject in (service(clusterIP="None"), service(type="ExternalName")):
        assert spreads(cluster(subject), subject) == ()


def test_a_spread_for_every_port_and_family() -> None:
    dual = service(
        clusterIPs=["10.43.0.1", "fd00:10:43::1"],
        ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}],
    )
    found = spreads(cluster(dual), dual)
    assert [(s.family, s.port.port) for s in found] == [
        (Family.IPV4, 80),
        (Family.IPV4, 81),
        (Family.IPV6, 80),
        (Family.IPV6, 81),
    ]


def test_rows_are_for_every_client_that_may_come_by_each_frontend() -> None:
    found = spread(balanced(externalIPs=["198.51.100.9", "198.51.100.10"]), A)
    assert {(row.frontend.kind, row.client) for row in found.rows} == {
        (kind, client)
        for kind in FrontendKind
        for client in Client
        if kind.external or client is not Client.EXTERNAL
    }


def test_inside_pods_spread_evenly() -> None:
    balance = spread(service(), A, B).balance
    assert (balance.client, balance.via) == (Client.POD, FrontendKind.CLUSTER_IP)
    assert shares(spread(service(), A, B)) == {"10.42.0.2": HALF, "10.42.1.2": HALF}
    # n0 and n1 reach half of the endpoints without a crossing, n2 none
    assert balance.second_hop == Fraction(2, 3)
    assert balance.unanswered == 0
    assert balance.client_kept == 1
    assert balance.imbalance == 1


def test_cluster_policy_pays_with_the_second_hop_and_the_client_address() -> None:
    balance = spread(balanced(), A, B).balance
    assert (balance.client, balance.via) == (Client.EXTERNAL, FrontendKind.LOAD_BALANCER)
    assert balance.second_hop == Fraction(2, 3)
    assert balance.client_kept == 0
    assert balance.imbalance == 1


def test_local_policy_pays_with_imbalance() -> None:
    """The rule: two nodes with 1 and 3 pods: 50 percent against 16.7 percent each."""
    found = spread(balanced(externalTrafficPolicy="Local"), A, B, C, D)
    assert shares(found) == {
        "10.42.0.2": HALF,
        "10.42.1.2": Fraction(1, 6),
        "10.42.1.3": Fraction(1, 6),
        "10.42.1.4": Fraction(1, 6),
    }
    balance = found.balance
    assert balance.second_hop == 0
    assert balance.client_kept == 1
    assert balance.unanswered == 0
    assert balance.imbalance == 2
    assert [c.representative.name for c in balance.entry] == ["n0", "n1"]


def test_local_node_ports_leave_clients_of_other_nodes_unanswered() -> None:
    found = spread(service(type="NodePort", externalTrafficPolicy="Local"), A, B)
    assert found.balance.unanswered == THIRD
    assert shares(found) == {"10.42.0.2": THIRD, "10.42.1.2": THIRD}
    assert found.balance.imbalance == 1


def test_nothing_ready_is_nothing_answered() -> None:
    unready = endpoint("10.42.0.2", "n0", UNREADY)
    for subject in (service(), balanced(), balanced(externalTrafficPolicy="Local")):
        balance = spread(subject, unready).balance
        assert balance.unanswered == 1
        assert balance.imbalance is None
        assert balance.shares == ()


def test_an_unused_endpoint_has_the_share_zero() -> None:
    found = spread(service(), endpoint("10.42.0.2", "n0", zones=["x"]), B)
    assert shares(found) == {"10.42.0.2": HALF, "10.42.1.2": HALF}
    zoned = cluster(
        service(),
        *behind(
            service(),
            endpoint("10.42.0.2", "n0", zones=["za"]),
            endpoint("10.42.1.2", "n1", zones=["zb"]),
        ),
        node(0, "za"),
        node(1, "za"),
    )
    assert shares(spreads(zoned, service())[0]) == {"10.42.0.2": 1, "10.42.1.2": 0}
    assert spreads(zoned, service())[0].balance.imbalance == 2


def test_draining_endpoints_are_used_where_nothing_is_ready() -> None:
    draining = endpoint("10.42.1.9", "n1", DRAINING)
    assert shares(spread(service(), A, draining)) == {"10.42.0.2": 1}
    assert shares(spread(service(), draining)) == {"10.42.1.9": 1}
    ports = service(type="NodePort", externalTrafficPolicy="Local")
    assert shares(spread(ports, A, draining)) == {"10.42.0.2": THIRD, "10.42.1.9": THIRD}


# what the load balancer is -> does it choose the nodes that outsiders enter by?
BALANCERS: list[tuple[tuple[Raw, ...], FrontendKind, Fraction]] = [
    (({"ip": "198.51.100.1"},), FrontendKind.LOAD_BALANCER, Fraction(0)),
    (({"ip": "198.51.100.1", "ipMode": "Proxy"},), FrontendKind.NODE_PORT, Fraction(0)),
    (({"hostname": "lb.example.com"},), FrontendKind.NODE_PORT, Fraction(0)),
    ((), FrontendKind.NODE_PORT, Fraction(2, 3)),
]


@pytest.mark.parametrize(("lb", "via", "unanswered"), BALANCERS)
def test_a_load_balancer_chooses_the_entry_nodes(
    lb: tuple[Raw, ...], via: FrontendKind, unanswered: Fraction
) -> None:
    balance = spread(balanced(externalTrafficPolicy="Local", lb=lb), A).balance
    assert balance.via is via
    assert balance.unanswered == unanswered


def test_an_endpoint_in_the_host_network_of_the_entry_node_keeps_the_client() -> None:
    found = spread(service(type="NodePort"), endpoint("192.168.0.10", "n0"))
    assert found.balance.client_kept == THIRD
    assert found.balance.second_hop == Fraction(2, 3)


def test_a_detector_that_depends_on_the_node() -> None:
    found = spread(service(type="NodePort"), A, detect_local=DetectLocal.NODE_CIDR)
    pods = [row for row in found.rows if row.client is Client.POD]
    inside = [row for row in pods if not row.frontend.kind.external]
    assert {row.decision.masquerade for row in inside} == {False}


def test_health_of_every_node() -> None:
    found = spread(balanced(externalTrafficPolicy="Local"), A, B, C)
    assert [(c.representative.name, h.status, h.local_endpoints) for c, h in found.health] == [
        ("n0", 200, 1),
        ("n1", 200, 2),
        ("n2", 503, 0),
    ]
    assert spread(balanced(), A).health == ()


# loadBalancerSourceRanges -> the outsider that stands for all
OUTSIDERS = [
    ([], "203.0.113.9"),
    (["203.0.113.0/24"], "203.0.113.9"),
    (["198.18.0.0/15"], "198.19.255.255"),
    (["10.42.0.0/16", "198.18.0.0/15"], "198.19.255.255"),
    (["192.168.0.10/32"], "203.0.113.9"),
    (["2001:db8::/32"], "203.0.113.9"),
    (["10.0.0.0/8"], "10.255.255.255"),
    (["10.42.0.0/16"], "203.0.113.9"),
]


@pytest.mark.parametrize(("ranges", "address"), OUTSIDERS)
def test_an_outsider_is_one_that_source_ranges_admit(ranges: list[str], address: str) -> None:
    subject = balanced(loadBalancerSourceRanges=ranges)
    assert outside_address(cluster(subject), subject, Family.IPV4) == address


def test_ranges_that_admit_one_node_only() -> None:
    subject = balanced(loadBalancerSourceRanges=["192.168.0.11/32"])
    rows = spread(subject, A).rows
    nodes = {
        name: row.decision.action
        for row in rows
        if row.client is Client.NODE and row.frontend.kind is FrontendKind.LOAD_BALANCER
        for name in row.nodes.names
    }
    assert nodes == {"n0": Action.DROP, "n1": Action.DNAT, "n2": Action.DROP}


LOCAL_PORT = service(type="NodePort", externalTrafficPolicy="Local")
LOCAL_LB = balanced(externalTrafficPolicy="Local")

# (Service, endpoints) -> words of its warnings, in order
WARNINGS: list[tuple[Service, list[Raw], list[str]]] = [
    (service(), [A, B], []),
    (service(), [], ["no endpoint is usable"]),
    (service(), [endpoint("10.42.0.2", "n0", DRAINING)], ["only terminating ones"]),
    (LOCAL_PORT, [A, B], ["n2: outsiders that get there time out"]),
    (LOCAL_PORT, [A], ["n1, n2: outsiders that get there time out", "enters by n0"]),
    (LOCAL_PORT, [endpoint("10.42.0.9")], ["n0, n1, n2: outsiders that get there time out"]),
    (service(internalTrafficPolicy="Local"), [A], ["n1, n2: pods there time out"]),
    (
        LOCAL_LB,
        [A, B, endpoint("10.42.2.2", "n2", DRAINING)],
        ["n2: its health check fails before"],
    ),
    (balanced(loadBalancerSourceRanges=["10.42.0.0/16"]), [A, B], []),
    (balanced(), [A, B], []),
]


@pytest.mark.parametrize(("subject", "entries", "words"), WARNINGS)
def test_warnings(subject: Service, entries: list[Raw], words: list[str]) -> None:
    found = cluster(subject, *behind(subject, *entries))
    lines = warnings(found, spreads(found, subject)[0])
    assert len(lines) == len(words), lines
    for line, word in zip(lines, words, strict=True):
        assert word in line


def test_a_barred_node_is_named_with_its_reason() -> None:
    found = cluster(balanced(), *behind(balanced(), A), node(0), node(1, ready=False))
    (line,) = warnings(found, spreads(found, balanced())[0])
    assert line == "n1: load balancers do not send to it, it is not ready"


def test_names_are_listed_up_to_a_limit() -> None:
    assert listing(["a", "b"], 2) == "a, b"
    assert listing(list("abcdef"), 6) == "a, b, c, d and 2 more"
    assert listing(["a"], 5000, limit=1) == "a and 4,999 more"
    found = Cluster()
    assert join_names(row.nodes for s in spreads(found, service()) for row in s.rows) == ""
