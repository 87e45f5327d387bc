"""The health check node port, and whom load balancers send to (reference, section 5)."""

import pytest

from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.values import Role
from kubehop.model.node import EXCLUDE_LB_LABEL
from kubehop.model.service import Service
from kubehop.service.balancer import admitted, local_ready_nodes
from kubehop.service.classes import barred, node_classes
from kubehop.service.endpoints import Endpoint
from kubehop.service.health import HealthCheck, health_check
from kubehop.service.spread import spreads
from tests.clusters import DRAINING, UNREADY, balanced, behind, cluster, endpoint, node, service

LOCAL = balanced(externalTrafficPolicy="Local")


def at(address: str, where: str = "n0", ready: bool = True) -> Endpoint:
    return Endpoint(address, 80, where, ready=ready, terminating=not ready)


# (Service, endpoints) -> the answer of n0
ANSWERS: list[tuple[Service, list[Endpoint], HealthCheck | None]] = [
    # the rule: "Opened only for type LoadBalancer with eTP Local and a non-zero port"
    (balanced(healthCheckNodePort=32000), [at("a")], None),
    (service(type="NodePort", externalTrafficPolicy="Local"), [at("a")], None),
    (balanced(externalTrafficPolicy="Local", healthCheckNodePort=0), [at("a")], None),
    # the rule: "by every node, with or without endpoints"
    (LOCAL, [], HealthCheck(503, 0)),
    (LOCAL, [at("a", "n1")], HealthCheck(503, 0)),
    # the rule: "distinct IPs of local READY endpoints over all ports"
    (LOCAL, [at("a"), at("b"), at("a")], HealthCheck(200, 2)),
    (LOCAL, [at("a"), at("b", "n1"), at("c", "")], HealthCheck(200, 1)),
    # the rule: "Serving-terminating endpoints do not count"
    (LOCAL, [at("a", ready=False)], HealthCheck(503, 0)),
]


@pytest.mark.parametrize(("subject", "endpoints", "answer"), ANSWERS)
def test_a_node_answers(
    subject: Service, endpoints: list[Endpoint], answer: HealthCheck | None
) -> None:
    assert health_check(subject, endpoints, "n0") == answer


def test_an_unhealthy_kube_proxy_answers_503() -> None:
    assert health_check(LOCAL, [at("a")], "n0", proxy_healthy=False) == HealthCheck(503, 1)


def test_a_pod_with_two_ports_and_families_is_counted_by_address() -> None:
    dual = balanced(
        externalTrafficPolicy="Local",
        clusterIPs=["10.43.0.1", "fd00:10:43::1"],
        ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}],
    )
    slices = behind(dual, endpoint("10.42.0.2", "n0"), endpoint("fd00:10:42::2", "n0"))
    spread = spreads(cluster(dual, *slices), dual)[0]
    answers = {c.representative.name: answer for c, answer in spread.health}
    assert answers["n0"] == HealthCheck(200, 2)
    assert {answers[name].status for name in answers if name != "n0"} == {503}


def test_slices_of_a_family_that_the_service_has_not_do_not_count() -> None:
    left = behind(LOCAL, endpoint("10.42.0.2", "n0"), endpoint("fd00:10:42:1::2", "n1"))
    assert {found.address_type for found in left} == {"IPv4", "IPv6"}
    found = cluster(LOCAL, *left)
    assert local_ready_nodes(found, LOCAL) == {"n0"}
    answers = {n: answer for c, answer in spreads(found, LOCAL)[0].health for n in c.names}
    assert [answers[name].status for name in ("n0", "n1")] == [200, 503]
    checks = [one for one in build_plan(found).listeners if one.role is Role.HEALTH]
    assert {one.node: one.endpoints for one in checks} == {"n0": 1, "n1": 0, "n2": 0}


def test_a_copy_counts_on_its_own_node() -> None:
    (first,) = behind(LOCAL, endpoint("10.42.0.2", "n0"))
    (second,) = behind(LOCAL, endpoint("10.42.0.2", "n1"))
    spread = spreads(cluster(LOCAL, first, second), LOCAL)[0]
    answers = {name: answer for found, answer in spread.health for name in found.names}
    assert [answers[name].local_endpoints for name in ("n0", "n1", "n2")] == [1, 1, 0]


def sent_to(subject: Service, *found: object) -> set[str]:
    made = cluster(subject, *found)  # type: ignore[arg-type]
    classes = admitted(made, subject, node_classes(made, subject))
    return {name for node_class in classes for name in node_class.names}


def test_under_cluster_every_node_is_sent_to_that_is_not_barred() -> None:
    nodes = (node(0), node(1, ready=False), node(2, labels={EXCLUDE_LB_LABEL: ""}))
    assert sent_to(balanced(), *nodes) == {"n0"}
    assert sent_to(balanced()) == {"n0", "n1", "n2"}
    assert set(barred(cluster(*nodes))) == {"n1", "n2"}


def test_under_local_nodes_with_a_ready_endpoint_are_sent_to() -> None:
    slices = behind(
        LOCAL,
        endpoint("10.42.0.2", "n0"),
        endpoint("10.42.1.2", "n1", DRAINING),
        endpoint("10.42.2.2", "n2", UNREADY),
        endpoint("10.42.2.3"),
    )
    assert sent_to(LOCAL, *slices) == {"n0"}
    assert sent_to(LOCAL) == set()


def test_an_endpoint_that_serves_no_port_does_not_count() -> None:
    named = balanced(externalTrafficPolicy="Local", ports=[{"name": "web", "port": 80}])
    slices = behind(LOCAL, endpoint("10.42.0.2", "n0"))
    assert local_ready_nodes(cluster(named, *slices), named) == frozenset()
