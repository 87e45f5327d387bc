"""Nodes that treat a Service alike, so that 5,000 nodes cost no more than the few that differ."""

from dataclasses import dataclass

from kubehop.model.addresses import Family, contains, is_address
from kubehop.model.cluster import Cluster
from kubehop.model.node import EXCLUDE_LB_LABEL
from kubehop.model.proxy import ProxyConfig
from kubehop.model.service import Service, SliceEndpoint
from kubehop.service.nodes import ProxyNode, is_pod_source, pod_address, proxy_nodes


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
    """Nodes that differ in nothing but the endpoints on them, and their names."""

    nodes: tuple[ProxyNode, ...]
    names: frozenset[str]


def single(node: ProxyNode) -> NodeClass:
    """The class of one node alone."""
    return NodeClass(node, 1, (node,))


def node_classes(cluster: Cluster, service: Service) -> tuple[NodeClass, ...]:
    """The cluster's nodes by how they see `service`: those that stand alone, then the rest.

    A node that an endpoint runs on, has the address of, or is hinted for, stands alone: its
    Local set or hints may differ from all others, and there the client's address may be kept.
    So does one that load balancers never send to. The rest differ at most by zone, if zone
    hints exist; by what their kube-proxy takes for a pod; and by the addresses that the
    Service's source ranges admit.
    """
    special = set(cluster.derived(barred))
    zones_matter = False
    for endpoint_slice in cluster.slices_of(service):
        for endpoint in endpoint_slice.endpoints or ():
            special.add(endpoint.node_name or _owner(cluster, endpoint))
            if endpoint.hints is not None:
                zones_matter = zones_matter or bool(endpoint.hints.for_zones)
                special.update(hint.name for hint in endpoint.hints.for_nodes or ())
    by_name = cluster.derived(proxy_nodes)
    alone = frozenset(special & by_name.keys())
    ranges = tuple(cidr.strip() for cidr in service.spec.load_balancer_source_ranges or ())
    if ranges:
        groups = _grouped(cluster, zones_matter, ranges)
    else:
        groups = cluster.derived(_by_zone) if zones_matter else cluster.derived(_together)
    rest = (_without(group, alone) for group in groups)
    return (
        *(single(by_name[name]) for name in sorted(alone)),
        *(node_class for node_class in rest if node_class is not None),
    )


def _owner(cluster: Cluster, endpoint: SliceEndpoint) -> str:
    """The node that has an endpoint's address, "" if none."""
    known = endpoint.addresses and is_address(endpoint.addresses[0])
    node = cluster.node_at(endpoint.addresses[0]) if known else None
    return node.name if node else ""


def _without(group: NodeGroup, alone: frozenset[str]) -> NodeClass | None:
    """What is left of a group; counted from the few that are taken out."""
    first = next((node for node in group.nodes if node.name not in alone), None)
    if first is None:
        return None
    return NodeClass(first, len(group.nodes) - len(alone & group.names), group.nodes, alone)


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
    return _grouped(cluster, by_zone=False)


def _by_zone(cluster: Cluster) -> tuple[NodeGroup, ...]:
    return _grouped(cluster, by_zone=True)


def _grouped(
    cluster: Cluster, by_zone: bool, ranges: tuple[str, ...] = ()
) -> tuple[NodeGroup, ...]:
    groups: dict[tuple[str, object], list[ProxyNode]] = {}
    for node in cluster.derived(proxy_nodes).values():
        key = (node.zone if by_zone else "", _sources(node, cluster.proxy, ranges))
        groups.setdefault(key, []).append(node)
    found = (tuple(groups[key]) for key in sorted(groups, key=lambda key: key[0]))
    return tuple(NodeGroup(nodes, frozenset(node.name for node in nodes)) for nodes in found)


def _sources(node: ProxyNode, config: ProxyConfig, ranges: tuple[str, ...]) -> object:
    """What kube-proxy makes of a packet of the node itself and of a pod there, per family."""
    return tuple(
        address
        and (is_pod_source(address, node, config), any(contains(cidr, address) for cidr in ranges))
        for wanted in Family
        for address in (node.primary_of(wanted), pod_address(node, wanted, config))
    )
