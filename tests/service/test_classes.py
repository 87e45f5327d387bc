"""Nodes that treat a Service alike."""

from kubehop.model.meta import Object
from kubehop.model.node import EXCLUDE_LB_LABEL
from kubehop.model.proxy import DetectLocal
from kubehop.model.service import Service
from kubehop.service.classes import node_classes, single
from kubehop.service.nodes import ProxyNode, proxy_nodes
from tests.clusters import Raw, balanced, behind, cluster, endpoint, node, service

WEB = service()
SIX = tuple(node(index, "za" if index < 3 else "zb") for index in range(6))


def groups(subject: Service, *entries: Raw, nodes: tuple[Object, ...] = SIX) -> list[str]:
    """The classes' nodes, a word for each class."""
    found = cluster(subject, *behind(subject, *entries), *nodes)
    return ["".join(c.names).replace("n", "") for c in node_classes(found, subject)]


def test_without_endpoints_all_nodes_are_alike() -> None:
    assert groups(WEB) == ["012345"]


def test_a_node_with_an_endpoint_stands_alone() -> None:
    assert groups(WEB, endpoint("10.42.1.2", "n1")) == ["1", "02345"]
    assert groups(WEB, endpoint("10.42.1.2", "n1", {"ready": False})) == ["1", "02345"]
    assert groups(WEB, endpoint("10.42.1.2", "gone")) == ["012345"]


def test_a_node_that_an_endpoint_is_hinted_for_stands_alone() -> None:
    assert groups(WEB, endpoint("10.42.1.2", "n1", nodes=["n4"])) == ["1", "4", "0235"]


def test_zones_matter_if_there_are_zone_hints() -> None:
    hinted = endpoint("10.42.1.2", "n1", zones=["za"])
    assert groups(WEB, hinted) == ["1", "02", "345"]
    everywhere = [endpoint(f"10.42.{n}.2", f"n{n}", zones=["za"]) for n in range(3)]
    assert groups(WEB, *everywhere) == ["0", "1", "2", "345"]


def test_a_node_that_load_balancers_avoid_stands_alone() -> None:
    nodes = (node(0), node(1, ready=False), node(2, labels={EXCLUDE_LB_LABEL: ""}), node(3))
    assert groups(WEB, nodes=nodes) == ["1", "2", "03"]


def test_nodes_whose_own_source_is_admitted_differ_from_others() -> None:
    ranges = balanced(loadBalancerSourceRanges=["192.168.0.10/32", " 192.168.0.11/32 "])
    assert groups(ranges) == ["01", "2345"]
    assert groups(balanced(loadBalancerSourceRanges=["10.42.2.0/24"])) == ["01345", "2"]


def test_nodes_that_detect_pods_in_another_way_differ() -> None:
    bare = cluster(WEB, node(0), node(1), detect_local=DetectLocal.NODE_CIDR)
    assert len(node_classes(bare, WEB)) == 1
    mixed = cluster(WEB, node(0), node(1, v6=True))
    assert len(node_classes(mixed, WEB)) == 2


def test_counts_and_names() -> None:
    found = cluster(WEB, *behind(WEB, endpoint("10.42.1.2", "n1")), *SIX)
    alone, rest = node_classes(found, WEB)
    assert (alone.count, rest.count) == (1, 5)
    assert rest.representative == found.derived(proxy_nodes)["n0"]
    assert single(ProxyNode("x")).names == ("x",)


def test_a_cluster_without_nodes_has_no_classes() -> None:
    found = cluster(WEB)
    assert node_classes(type(found)(), WEB) == ()
