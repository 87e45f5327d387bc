"""Which UDP flows are forgotten, and when (reference kube-proxy, section 6)."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from kubehop.lab.kernel.conntrack import Flow, stale
from kubehop.lab.plan.rules import flows_to_forget
from kubehop.lab.plan.values import ForgetFlows
from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from tests.clusters import DRAINING, UNREADY, balanced, behind, cluster, endpoint, node, service

UDP: dict[str, Any] = {"ports": [{"port": 53, "protocol": "UDP", "nodePort": 30053}]}
DNS = balanced(**UDP, externalIPs=["198.51.100.77"])
ONE, TWO = (endpoint(f"10.42.{at}.2", f"n{at}") for at in (1, 2))


def standing(*endpoints: Any, subject: Service = DNS) -> Cluster:
    return cluster(node(0), node(1), subject, *behind(subject, *endpoints))


def test_every_frontend_keeps_flows_to_serving_endpoints_on_every_node() -> None:
    wanted = frozenset({("10.42.1.2", 8080)})
    found = flows_to_forget(standing(ONE, TWO), standing(ONE))
    assert found == tuple(
        ForgetFlows(f"node/n{at}", address, port, wanted)
        for address, port in (
            ("10.43.0.1", 53),
            ("198.51.100.77", 53),
            ("198.51.100.1", 53),
            ("", 30053),
        )
        for at in (0, 1)
    )


SERVING_ONLY: Any = {"ready": False, "serving": True, "terminating": False}


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [(None, True), (UNREADY, False), (DRAINING, True), (SERVING_ONLY, True)],
)
def test_serving_alone_counts(conditions: Any, kept: bool) -> None:
    two = endpoint("10.42.2.2", "n2", conditions)
    found = flows_to_forget(standing(ONE), standing(ONE, two))
    assert all((("10.42.2.2", 8080) in step.wanted) is kept for step in found)
    assert len(found) == 8


def test_a_port_without_serving_endpoint_is_left_alone() -> None:
    assert flows_to_forget(standing(ONE), standing()) == ()
    gone = endpoint("10.42.1.2", "n1", UNREADY)
    assert flows_to_forget(standing(ONE), standing(gone)) == ()


def test_nothing_without_a_change_of_endpoints() -> None:
    moved = msgspec.structs.replace(
        DNS, spec=msgspec.structs.replace(DNS.spec, cluster_ip="10.43.0.9")
    )
    before = standing(ONE)
    assert flows_to_forget(before, before) == ()
    assert flows_to_forget(before, standing(ONE, subject=moved)) == ()


def test_tcp_is_never_touched_nor_does_it_count() -> None:
    web = service("tcp", clusterIP="10.43.0.2")
    dns = behind(DNS, ONE)
    both, fewer = (cluster(web, DNS, *dns, *behind(web, *some)) for some in ((ONE, TWO), (ONE,)))
    assert flows_to_forget(both, fewer) == ()
    none = replace(fewer, slices=behind(web, ONE))
    assert {step.port for step in flows_to_forget(none, fewer)} == {53, 30053}


def test_a_change_of_one_service_cleans_all() -> None:
    other = service("other", clusterIP="10.43.0.2", ports=[{"port": 53, "protocol": "UDP"}])
    slices = behind(other, TWO)
    before = replace(standing(ONE, TWO), services=(DNS, other))
    after = replace(standing(ONE), services=(DNS, other))
    before, after = (replace(c, slices=c.slices + slices) for c in (before, after))
    assert "10.43.0.2" in {step.address for step in flows_to_forget(before, after)}


def test_slices_that_disagree_are_taken_as_each_node_has_them() -> None:
    (first,) = behind(DNS, endpoint("10.42.1.2", "n1"))
    (second,) = behind(DNS, endpoint("10.42.1.2", "n0", UNREADY), endpoint("10.42.1.3", "n1"))
    later = msgspec.structs.replace(
        second, metadata=msgspec.structs.replace(second.metadata, name="later")
    )
    after = replace(standing(), slices=(first, later))
    found = {
        (s.namespace, ("10.42.1.2", 8080) in s.wanted) for s in flows_to_forget(standing(), after)
    }
    assert found == {("node/n0", False), ("node/n1", True)}


def test_a_node_port_is_of_one_family() -> None:
    step = ForgetFlows("node/n0", "", 30053, frozenset({("10.42.1.2", 53)}))
    v4, v6, good = (
        Flow((to, 30053), (answers, 53), 0, b"")
        for to, answers in (
            ("192.168.0.10", "10.42.1.9"),
            ("fd00:192::1", "fd00:10:42::9"),
            ("192.168.0.10", "10.42.1.2"),
        )
    )
    assert list(stale([v4, v6, good], [step])) == [v4]
