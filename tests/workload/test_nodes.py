"""Nodes that are not in the input."""

import re

import pytest

from kubehop.model.errors import UsageError
from kubehop.model.node import Node
from kubehop.workload.options import Options
from tests.workload.making import cluster, deployment, node, pod, service

RUNNING = "phase: Running, hostIP: 192.0.2.7, podIP: 10.9.0.4"


def short(found: Node) -> str:
    return f"{found.name} {','.join(found.internal_ips)} {','.join(found.pod_cidrs)} {found.zone}"


def test_imaginary_nodes_are_those_of_the_field_notes() -> None:
    made = cluster(deployment("web"))
    assert [short(found).strip() for found in made.nodes] == [
        "node-0 192.168.0.10 10.42.0.0/24",
        "node-1 192.168.0.11 10.42.1.0/24",
        "node-2 192.168.0.12 10.42.2.0/24",
    ]
    assert "3 nodes assumed: node-0, node-1, node-2" in made.assumptions
    assert all(found.ready for found in made.nodes)


def test_as_many_as_asked_for_in_zones_round_robin() -> None:
    made = cluster("", Options(nodes=256, zones=2))
    assert len(made.nodes) == 256
    last = made.node("node-255")
    assert last
    assert short(last) == "node-255 192.168.1.9 10.42.255.0/24 zone-b"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (Options(nodes=257), "at most 256 imaginary nodes, not 257"),
        (Options(nodes=0), "a cluster has at least 1 node, not 0"),
        (Options(zones=27), "0 to 26 zones, not 27"),
        (Options(service_cidrs=("10.43.0.0/33",)), "'10.43.0.0/33' is not a CIDR"),
        (Options(pod_network="cilium"), "no pod network is called 'cilium': one of canal,"),
    ],
)
def test_options_that_no_cluster_can_have(options: Options, problem: str) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)):
        cluster("", options)


def test_dual_stack_if_a_service_asks_for_it() -> None:
    made = cluster(deployment("web") + service("web", "ipFamilyPolicy: PreferDualStack"))
    assert short(made.nodes[2]).strip() == (
        "node-2 192.168.0.12,fd00:192:168::c 10.42.2.0/24,fd00:10:42:2::/64"
    )
    assert made.pods[0].addresses == ("10.42.0.2", "fd00:10:42::2")


def test_ipv6_only_if_services_ask_for_nothing_else() -> None:
    made = cluster(deployment("web") + service("web", "ipFamilies: [IPv6]"), Options(nodes=1))
    assert short(made.nodes[0]).strip() == "node-0 fd00:192:168::a fd00:10:42::/64"
    assert made.services[0].cluster_ips[0].startswith("fd00:10:43::")
    assert [found.address_type for found in made.slices] == ["IPv6"]
    assert made.proxy.cluster_cidrs == ("fd00:10:42::/48",)


def test_nodes_of_observed_pods_have_what_the_pods_tell() -> None:
    made = cluster(pod("a", "nodeName: w1", RUNNING) + pod("b", "nodeName: w2", "phase: Running"))
    assert [short(found).strip() for found in made.nodes] == ["w1 192.0.2.7", "w2"]
    assert "2 nodes known only from pods, labels assumed: w1, w2" in made.assumptions


def test_names_that_only_manifests_give_are_imagined() -> None:
    made = cluster(pod("a", "nodeName: left") + pod("b", "nodeName: right"))
    assert [short(found).strip() for found in made.nodes] == [
        "left 192.168.0.10 10.42.0.0/24",
        "right 192.168.0.11 10.42.1.0/24",
    ]
    assert len(cluster(pod("a", "nodeName: node-1")).nodes) == 3


def test_nodes_of_the_input_are_all_there_are() -> None:
    made = cluster(node("n1") + pod("a", "nodeName: other", RUNNING))
    assert [found.name for found in made.nodes] == ["n1"]
