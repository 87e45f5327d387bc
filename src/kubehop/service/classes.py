"""Nodes that treat a Service alike, so that 5,000 nodes cost no more than the few that differ."""

from dataclasses import dataclass

from kubehop.model.cluster import Cluster
from kubehop.model.node import EXCLUDE_LB_LABEL
from kubehop.model.service import Service
from kubehop.service.nodes import ProxyNode, proxy_nodes


@dataclass(frozen=True, slots=True)
class NodeClass:
    """Nodes on which every decision for a Service uses the same endpoint sets.

    `group` without the names in `without`: kept apart so that thousands of Services share the
    group. `representative` is its first node, `count` its size.
    """

    representative: ProxyNode
    count: int
    group: tuple[ProxyNode, ...]
    without: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the nodes, in node order."""
        return tuple(node.name for node in self.group if node.name not in self.without)


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """All nodes of a zone, or of the cluster (`zone` None)."""

    zone: str | None
    nodes: tuple[ProxyNode, ...]


def single(node: ProxyNode) -> NodeClass:
    """The class of one node alone."""
    return NodeClass(node, 1, (node,))


def node_classes(cluster: Cluster, service: Service) -> tuple[NodeClass, ...]:
    """The cluster's nodes by how they see `service`: those that stand alone, then the rest.

    A node that an endpoint runs on, or is hinted for, stands alone: its Local set or hints may
    differ from all others. So does one that load balancers never send to. The rest differ at
    most by zone, and only if zone hints exist.
    """
    special = set(cluster.derived(barred))
    zones_matter = False
    for endpoint_slice in cluster.slices_of(service):
        for endpoint in endpoint_slice.endpoints or ():
            special.add(endpoint.node_name or "")
            if endpoint.hints is not None:
                zones_matter = zones_matter or bool(endpoint.hints.for_zones)
                special.update(hint.name for hint in endpoint.hints.for_nodes or ())
    by_name = cluster.derived(proxy_nodes)
    alone = frozenset(special & by_name.keys())
    groups = cluster.derived(_by_zone) if zones_matter else cluster.derived(_together)
    rest = (_without(by_name, group, alone) for group in groups)
    return (
        *(single(by_name[name]) for name in sorted(alone)),
        *(node_class for node_class in rest if node_class is not None),
    )


def _without(
    by_name: dict[str, ProxyNode], group: NodeGroup, alone: frozenset[str]
) -> NodeClass | None:
    """What is left of a group; counted from the few that are taken out."""
    first = next((node for node in group.nodes if node.name not in alone), None)
    if first is None:
        return None
    gone = sum(1 for name in alone if group.zone in (None, by_name[name].zone))
    return NodeClass(first, len(group.nodes) - gone, group.nodes, alone)


def barred(cluster: Cluster) -> dict[str, str]:
    """Nodes that no load balancer sends to, whatever the Service, and why."""
    found = {}
    for node in cluster.nodes:
        if EXCLUDE_LB_LABEL in node.labels:
            found[node.name] = f"has the label {EXCLUDE_LB_LABEL}"
        elif not node.ready:
            found[node.name] = "is not ready"
    return found


def _together(cluster: Cluster) -> tuple[NodeGroup, ...]:
    nodes = tuple(cluster.derived(proxy_nodes).values())
    return (NodeGroup(None, nodes),) if nodes else ()


def _by_zone(cluster: Cluster) -> tuple[NodeGroup, ...]:
    groups: dict[str, list[ProxyNode]] = {}
    for node in cluster.derived(proxy_nodes).values():
        groups.setdefault(node.zone, []).append(node)
    return tuple(NodeGroup(zone, tuple(groups[zone])) for zone in sorted(groups))
