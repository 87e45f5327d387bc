"""What holds for the spread of every Service in every cluster."""

from fractions import Fraction
from unittest.mock import patch

from hypothesis import given

from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.service.balancer import admitted
from kubehop.service.classes import NodeClass, node_classes, single
from kubehop.service.nodes import proxy_nodes
from kubehop.service.spread import Spread, spreads
from kubehop.service.warnings import warnings
from tests.strategies import CLUSTERS


def each_alone(cluster: Cluster, service: Service) -> tuple[NodeClass, ...]:
    """Every node as a class of its own."""
    del service
    return tuple(single(node) for node in cluster.derived(proxy_nodes).values())


@given(CLUSTERS)
def test_node_classes_partition_the_nodes(cluster: Cluster) -> None:
    for service in cluster.services:
        classes = node_classes(cluster, service)
        names = [name for node_class in classes for name in node_class.names]
        assert sorted(names) == [node.name for node in cluster.nodes]
        for node_class in classes:
            assert node_class.count == len(node_class.names) > 0
            assert node_class.representative.name == node_class.names[0]


def by_node(spread: Spread) -> dict[object, object]:
    """What every node does for every client at every frontend."""
    return {
        (name, row.client, row.frontend.kind): (
            row.decision.action,
            row.endpoints,
            row.decision.masquerade,
            row.decision.why,
        )
        for row in spread.rows
        for name in row.nodes.names
    }


@given(CLUSTERS)
def test_grouping_nodes_changes_nothing(cluster: Cluster) -> None:
    for service in cluster.services:
        grouped = spreads(cluster, service)
        with patch("kubehop.service.spread.node_classes", each_alone):
            alone = spreads(cluster, service)
        for one, other in zip(grouped, alone, strict=True):
            assert by_node(one) == by_node(other)
            assert one.balance.shares == other.balance.shares
            assert one.balance.unanswered == other.balance.unanswered
            assert one.balance.second_hop == other.balance.second_hop
            assert one.balance.client_kept == other.balance.client_kept
            assert health(one) == health(other)


def health(spread: Spread) -> dict[str, object]:
    return {name: answer for nodes, answer in spread.health for name in nodes.names}


@given(CLUSTERS)
def test_shares_and_what_is_unanswered_sum_to_one(cluster: Cluster) -> None:
    for service in cluster.services:
        for spread in spreads(cluster, service):
            balance = spread.balance
            assert sum((share for _, share in balance.shares), balance.unanswered) == 1
            assert all(share >= 0 for _, share in balance.shares)
            assert 0 <= balance.unanswered <= 1
            assert 0 <= balance.second_hop <= 1 - balance.unanswered
            assert 0 <= balance.client_kept <= 1 - balance.unanswered
            assert (balance.imbalance or Fraction(1)) >= 1


@given(CLUSTERS)
def test_warnings_are_lines_about_nodes_that_exist(cluster: Cluster) -> None:
    for service in cluster.services:
        for spread in spreads(cluster, service):
            for line in warnings(cluster, spread):
                assert "\n" not in line
                assert not line.startswith(":")
                assert "  " not in line


@given(CLUSTERS)
def test_a_load_balancer_sends_to_exactly_the_nodes_that_answer_its_check(cluster: Cluster) -> None:
    for service in cluster.services:
        for spread in spreads(cluster, service):
            if not spread.health:
                continue
            classes = [node_class for node_class, _ in spread.health]
            sent = {n for found in admitted(cluster, service, classes) for n in found.names}
            healthy = {
                n for found, check in spread.health if check.status == 200 for n in found.names
            }
            barred = {n.name for n in cluster.nodes if not n.ready or n.labels.keys() & EXCLUDED}
            assert sent == healthy - barred


EXCLUDED = {"node.kubernetes.io/exclude-from-external-load-balancers"}
