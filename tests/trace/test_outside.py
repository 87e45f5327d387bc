"""Packets from outside: load balancers, node addresses, Service and pod addresses."""

from fractions import Fraction

import pytest

from kubehop.model.cluster import Cluster
from kubehop.model.node import EXCLUDE_LB_LABEL
from kubehop.model.pod_network import POD_NETWORKS
from kubehop.model.proxy import ProxyMode
from kubehop.service.frontends import FrontendKind
from kubehop.trace.values import Fate, SourceKind, Trace, Verdict
from kubehop.trace.walk import trace
from tests.clusters import (
    DRAINING,
    OUTSIDE,
    balanced,
    behind,
    cluster,
    endpoint,
    node,
    pod,
    service,
)

LOCAL = balanced(externalTrafficPolicy="Local")
ON_0, ON_1 = endpoint("10.42.0.2", "n0"), endpoint("10.42.1.2", "n1")
PODS = (pod("a", "10.42.0.2", "n0"), pod("b", "10.42.1.2", "n1"))
AWS = next(network for network in POD_NETWORKS if network.routed_outside)


def ends(found: Trace) -> dict[str, Fraction]:
    """Where the packet ends, as pod or verdict, with which probability."""
    return {
        (fate.endpoint.pod or fate.endpoint.address) if fate.endpoint else str(fate.verdict): (
            found.probability(fate.verdict)
            if fate.endpoint is None
            else sum(
                (f.probability for f in found.fates if f.endpoint == fate.endpoint), Fraction(0)
            )
        )
        for fate in found.fates
    }


def entries(found: Trace) -> set[str]:
    return {name for fate in found.fates for name in fate.entry_nodes}


def only(found: Trace) -> Fate:
    (fate,) = found.fates
    return fate


def test_a_load_balancer_sends_to_every_node_that_is_not_barred() -> None:
    nodes = (node(0), node(1), node(2, ready=False), node(3, labels={EXCLUDE_LB_LABEL: ""}))
    found = trace(
        cluster(balanced(), *behind(balanced(), ON_0, ON_1), *PODS, *nodes), "external", "svc/web"
    )
    assert entries(found) == {"n0", "n1"}
    assert ends(found) == {"default/a": Fraction(1, 2), "default/b": Fraction(1, 2)}
    crossed = sum((f.probability for f in found.fates if f.node_crossings), Fraction(0))
    assert crossed == Fraction(1, 2)
    assert not any(fate.client_address_kept for fate in found.fates)


def test_under_local_only_nodes_with_a_ready_endpoint_are_entered() -> None:
    draining = endpoint("10.42.2.2", "n2", DRAINING)
    found = trace(
        cluster(LOCAL, *behind(LOCAL, ON_0, ON_1, draining), *PODS), "external", "svc/web"
    )
    assert entries(found) == {"n0", "n1"}
    assert {(f.source_seen, f.node_crossings, f.client_address_kept) for f in found.fates} == {
        (OUTSIDE, 0, True)
    }


def test_under_local_without_a_ready_endpoint_the_load_balancer_has_no_node() -> None:
    for entry in ([], [endpoint("10.42.2.2", "n2", DRAINING)]):
        fate = only(trace(cluster(LOCAL, *behind(LOCAL, *entry)), "external", "svc/web"))
        assert fate.verdict is Verdict.DROPPED
        assert fate.hops[-1].stage == "load-balancer"


def test_a_named_node_is_sent_to_whatever_its_check_says() -> None:
    found = trace(cluster(LOCAL, *behind(LOCAL, ON_0), *PODS), "external", "svc/web", node="n2")
    fate = only(found)
    assert (fate.verdict, fate.entry_nodes) == (Verdict.DROPPED, ("n2",))
    assert "whatever its health check says" in fate.hops[1].why


def test_many_nodes_are_traced_by_class_with_the_same_result() -> None:
    nodes = tuple(node(index) for index in range(3)) + tuple(
        type(node(0))(metadata=type(node(0).metadata)(name=f"x{index:02}"), status=node(0).status)
        for index in range(20)
    )
    found = trace(
        cluster(balanced(), *behind(balanced(), ON_0, ON_1), *PODS, *nodes), "external", "svc/web"
    )
    assert len(entries(found)) == 23
    assert ends(found) == {"default/a": Fraction(1, 2), "default/b": Fraction(1, 2)}
    assert len(found.fates) < 10


PROXY = ({"ip": "198.51.100.1", "ipMode": "Proxy"},)


def test_a_proxying_load_balancer_opens_its_own_connection_to_the_node_port() -> None:
    subject = balanced(lb=PROXY, externalTrafficPolicy="Local")
    found = trace(cluster(subject, *behind(subject, ON_0), *PODS), "external", "svc/web")
    fate = only(found)
    assert (fate.source_seen, fate.source_is) == ("198.51.100.1", SourceKind.LOAD_BALANCER)
    assert not fate.client_address_kept
    assert "192.168.0.10:30080" in fate.hops[1].what


def test_pods_go_out_to_a_proxying_load_balancer_and_come_back() -> None:
    subject = balanced(lb=PROXY, externalTrafficPolicy="Local")
    made = cluster(subject, *behind(subject, ON_0), *PODS)
    fate = only(trace(made, "pod/b", "svc/web", via=FrontendKind.LOAD_BALANCER))
    assert [hop.stage for hop in fate.hops] == [
        "origin",
        "source-nat",
        "load-balancer",
        "service",
        "deliver",
    ]
    assert fate.endpoint is not None
    assert fate.endpoint.pod == "default/a"


def test_pods_never_leave_the_node_for_a_vip() -> None:
    made = cluster(LOCAL, *behind(LOCAL, ON_0), *PODS)
    fate = only(trace(made, "pod/b", "svc/web", via=FrontendKind.LOAD_BALANCER))
    assert [hop.stage for hop in fate.hops] == ["origin", "service", "route", "deliver"]
    assert (fate.source_seen, fate.reply_returns) == ("10.42.1.2", True)


def test_a_proxying_load_balancer_without_node_port_reaches_nobody() -> None:
    subject = balanced(lb=PROXY, ports=[{"port": 80}])
    found = trace(cluster(subject, *behind(subject, ON_0)), "external", "198.51.100.1:80")
    assert only(found).verdict is Verdict.UNROUTED


def test_lost_at_several_nodes_the_shares_still_sum_to_one() -> None:
    proxied = balanced(
        lb=({"ip": "198.51.100.1", "ipMode": "Proxy"},), ports=[{"port": 80, "nodePort": 0}]
    )
    found = trace(cluster(proxied), "external", "198.51.100.1:80")
    assert sum((fate.probability for fate in found.fates), Fraction(0)) == 1
    assert found.probability(Verdict.UNROUTED) == 1


def test_nothing_outside_routes_the_service_range() -> None:
    found = trace(cluster(*PODS, mode=ProxyMode.IPTABLES), "pod/a", "10.43.7.7:80")
    assert found.probability(Verdict.UNROUTED) == 1


def test_a_load_balancer_address_that_a_node_has_is_the_nodes() -> None:
    """K3s gives its nodes' own addresses to Services."""
    subject = balanced(lb=({"ip": "192.168.0.11"},))
    found = trace(cluster(subject, *behind(subject, ON_0), *PODS), "external", "svc/web")
    assert entries(found) == {"n1"}
    assert ends(found) == {"default/a": Fraction(1)}


def test_load_balancers_that_send_to_each_other_end() -> None:
    first = balanced(name="a", lb=({"ip": "198.51.100.1"},))
    second = balanced(
        name="b",
        clusterIP="10.43.0.2",
        lb=({"ip": "198.51.100.2"},),
        ports=[{"port": 80, "nodePort": 30081}],
    )
    made = cluster(
        first,
        second,
        *behind(first, endpoint("198.51.100.2"), port=80),
        *behind(second, endpoint("198.51.100.1"), port=80),
    )
    found = trace(made, "external", "svc/a")
    assert only(found).hops[-1].what == "goes round in circles"
    assert only(found).probability == 1


NODES = (node(0, external="198.51.100.200"), node(1), node(2))

# (address, port) -> node that it arrives at, and the verdict, for a node port Service
ARRIVALS = [
    ("192.168.0.11", 30080, "n1", Verdict.DELIVERED),
    ("198.51.100.200", 30080, "n0", Verdict.DELIVERED),
    ("192.168.0.11", 30081, "n1", Verdict.REJECTED),
    ("198.51.100.200", 22, "n0", Verdict.REJECTED),
    ("198.51.100.201", 30080, "", Verdict.UNROUTED),
]


@pytest.mark.parametrize(("address", "port", "at", "verdict"), ARRIVALS)
def test_node_addresses(address: str, port: int, at: str, verdict: Verdict) -> None:
    subject = service(type="NodePort")
    made = cluster(subject, *behind(subject, ON_0), *PODS, *NODES)
    fate = only(trace(made, "external", f"{address}:{port}"))
    assert fate.verdict is verdict
    assert fate.entry_nodes == ((at,) if at else ())


WITH_IP = service(externalIPs=["198.51.100.9"])

# (target, --node) -> the verdict
ROUTED = [
    ("198.51.100.9:80", "", Verdict.DELIVERED),
    ("198.51.100.9:80", "n2", Verdict.DELIVERED),
    ("198.51.100.9:81", "", Verdict.UNROUTED),
    ("10.43.0.1:80", "", Verdict.UNROUTED),
    ("10.43.0.1:80", "n1", Verdict.DELIVERED),
    ("10.43.0.1:81", "n1", Verdict.REJECTED),
    ("10.42.0.2:8080", "", Verdict.UNROUTED),
    ("10.42.0.2:8080", "n1", Verdict.DELIVERED),
    ("pod/a:8080", "n0", Verdict.DELIVERED),
    ("10.42.0.99:8080", "n1", Verdict.UNROUTED),
    ("8.8.8.8:53", "", Verdict.UNROUTED),
]


@pytest.mark.parametrize(("target", "at", "verdict"), ROUTED)
def test_addresses_that_somebody_must_route(target: str, at: str, verdict: Verdict) -> None:
    made = cluster(WITH_IP, *behind(WITH_IP, ON_0), *PODS)
    found = trace(made, "external", target, node=at)
    assert found.probability(verdict) == 1
    if verdict is Verdict.DELIVERED:
        assert entries(found) == ({at} if at else {"n0", "n1", "n2"})


def test_a_pod_network_may_make_pods_reachable_from_outside() -> None:
    made = cluster(*PODS, pod_network=AWS)
    fate = only(trace(made, "external", "pod/a:8080"))
    assert (fate.verdict, fate.source_seen) == (Verdict.DELIVERED, OUTSIDE)


@pytest.mark.parametrize("origin", ["pod/a", "node/n0"])
def test_leaving_the_cluster_pods_get_their_nodes_address(origin: str) -> None:
    fate = only(trace(cluster(*PODS), origin, "8.8.8.8:53"))
    assert (fate.verdict, fate.source_seen) == (Verdict.DELIVERED, "192.168.0.10")
    assert fate.client_address_kept is (origin == "node/n0")


def external_endpoint(**spec: object) -> tuple[Cluster, str]:
    subject = balanced(**spec)
    return cluster(subject, *behind(subject, endpoint("198.18.0.7"))), "svc/web"


def test_an_endpoint_outside_of_the_cluster_is_reached_from_outside_too() -> None:
    made, target = external_endpoint()
    found = trace(made, "external", target)
    assert ends(found) == {"198.18.0.7": Fraction(1)}
    assert {fate.source_seen for fate in found.fates} == {
        "192.168.0.10",
        "192.168.0.11",
        "192.168.0.12",
    }


def test_an_unknown_load_balancer_port_is_not_balanced() -> None:
    made, _ = external_endpoint()
    assert only(trace(made, "external", "198.51.100.1:81")).verdict is Verdict.UNROUTED


BLOCKED: list[tuple[str, list[str], Verdict]] = [
    ("external", ["198.18.0.0/15"], Verdict.DROPPED),
    ("external/198.18.0.1", ["198.18.0.0/15"], Verdict.DELIVERED),
    ("external", ["2001:db8::/32"], Verdict.DELIVERED),
]


@pytest.mark.parametrize(("origin", "ranges", "verdict"), BLOCKED)
def test_source_ranges(origin: str, ranges: list[str], verdict: Verdict) -> None:
    subject = balanced(loadBalancerSourceRanges=ranges)
    made = cluster(subject, *behind(subject, ON_0), *PODS)
    assert trace(made, origin, "svc/web").probability(verdict) == 1


def test_nobody_answers_health_checks_of_a_service_of_another_proxy() -> None:
    subject = balanced(
        externalTrafficPolicy="Local",
        lb=PROXY,
        labels={"service.kubernetes.io/service-proxy-name": "x"},
    )
    found = trace(cluster(subject, *behind(subject, ON_0)), "external", "198.51.100.1:80")
    assert only(found).verdict is Verdict.DROPPED
