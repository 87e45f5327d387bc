"""A node as its kube-proxy sees it: name, zone, own addresses, own pod CIDRs."""

from dataclasses import dataclass

from kubehop.model.addresses import Family, canonical, contains, family, first_of, network
from kubehop.model.cluster import Cluster
from kubehop.model.node import Node
from kubehop.model.proxy import DetectLocal, ProxyConfig
from kubehop.service.modes import MODES


@dataclass(frozen=True, slots=True)
class ProxyNode:
    """What decides, besides the Service, what kube-proxy does on a node.

    `addresses` are the local ones without loopback; `primary` the first of each family, as
    kube-proxy takes them from the Node object (`GetNodeHostIPs`: internal before external).
    """

    name: str
    zone: str = ""
    addresses: tuple[str, ...] = ()
    primary: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()

    def primary_of(self, wanted: Family) -> str | None:
        """The node's primary address of a family."""
        return next((a for a in self.primary if family(a) is wanted), None)

    def owns(self, address: str) -> bool:
        """True if `address` is local to the node (`fib type local`), loopback included."""
        return address in self.addresses or is_loopback(address)


def proxy_node(node: Node) -> ProxyNode:
    """The kube-proxy view of a Node object."""
    addresses = tuple(canonical(a) for a in (*node.internal_ips, *node.external_ips))
    primary = {family(address): address for address in reversed(addresses)}
    return ProxyNode(
        name=node.name,
        zone=node.zone,
        addresses=addresses,
        primary=tuple(primary[key] for key in Family if key in primary),
        pod_cidrs=node.pod_cidrs,
    )


def proxy_nodes(cluster: Cluster) -> dict[str, ProxyNode]:
    """Every node of the cluster by name; use as `cluster.derived(proxy_nodes)`."""
    return {node.name: proxy_node(node) for node in cluster.nodes}


def is_loopback(address: str) -> bool:
    """True for 127.0.0.0/8 and ::1."""
    return address.startswith("127.") or address == "::1"


def pod_address(node: ProxyNode, wanted: Family, config: ProxyConfig) -> str | None:
    """An address like those of pods on `node`: the last one of its pod CIDR, never a pod's.

    Without a pod CIDR, of the cluster CIDR; None if neither is known.
    """
    cidr = first_of(node.pod_cidrs, wanted) or first_of(config.cluster_cidrs, wanted)
    return str(network(cidr)[-1]) if cidr else None


def is_pod_source(address: str, node: ProxyNode, config: ProxyConfig) -> bool | None:
    """Whether kube-proxy on `node` takes `address` for a pod's; None if it has no detector."""
    cidr = pod_source_cidr(node, family(address), config)
    return None if cidr is None else contains(cidr, address)


def pod_source_cidr(node: ProxyNode, wanted: Family, config: ProxyConfig) -> str | None:
    """The sources that kube-proxy on `node` takes for pods; None if it has no detector.

    Step 1: no usable value for the mode (no cluster CIDR of the family) means no detector.
    Step 2: ClusterCIDR covers pods of all nodes, NodeCIDR only those of this node.
    The two interface modes see local pods only, which are those of this node's pod CIDR.
    Source: `pkg/proxy/util/localdetector.go`.
    """
    if config.detect_local is DetectLocal.NONE:
        return None
    clusterwide = config.detect_local is DetectLocal.CLUSTER_CIDR
    return first_of(config.cluster_cidrs if clusterwide else node.pod_cidrs, wanted)


def serves_node_ports(address: str, node: ProxyNode, config: ProxyConfig) -> bool:
    """True if node ports are answered on `address` of `node`.

    Case 1: not an address of the node: never.
    Case 2: loopback: only where the mode allows it and the configured ranges cover it.
    Case 3: unset or empty: the mode's default. Case 4: `primary`. Case 5: in one of the
    ranges, where a family without any range of its own falls back to all its addresses.
    Source: `pkg/proxy/util/nodeport_addresses.go`.
    """
    if not node.owns(address):
        return False
    rules, ranges = MODES[config.mode], config.nodeport_addresses
    if is_loopback(address) and not (
        rules.loopback_nodeports and config.localhost_nodeports and ":" not in address
    ):
        return False
    if not ranges:
        ranges = ("primary",) if rules.nodeports_on_primary_only else ()
    if "primary" in ranges:
        return address in node.primary
    same_family = [cidr for cidr in ranges if family(cidr) is family(address)]
    return not same_family or any(contains(cidr, address) for cidr in same_family)
