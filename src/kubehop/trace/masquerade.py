"""Which address a masqueraded packet gets (reference: kube-proxy, section 3.4).

`masquerade` takes the primary address of the interface that the packet leaves by. So the
answer depends on how pods are wired, not on kube-proxy.
"""

from dataclasses import dataclass

from kubehop.model.addresses import Family, first_of, network
from kubehop.model.cluster import Cluster
from kubehop.model.pod_network import Attachment, Overlay
from kubehop.service.nodes import ProxyNode
from kubehop.trace.places import Place, PlaceKind
from kubehop.trace.values import SourceKind


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source address, None if the objects do not tell it, and what it is."""

    address: str | None
    kind: SourceKind
    why: str


def outgoing_source(cluster: Cluster, node: ProxyNode, to: Place, wanted: Family) -> NewSource:
    """The address of the interface by which `node` sends to `to`."""
    if to.kind is PlaceKind.POD or to.kind is PlaceKind.EMPTY:
        if to.node == node.name:
            return _host_side(cluster, node, wanted)
        return _towards_pods(cluster, node, wanted)
    return _own(node, wanted, "the address of the node's own interface")


def _own(node: ProxyNode, wanted: Family, why: str) -> NewSource:
    address = node.primary_of(wanted)
    return NewSource(address, SourceKind.NODE, why)


def _host_side(cluster: Cluster, node: ProxyNode, wanted: Family) -> NewSource:
    """The host side of a pod of this node: bridge, veth with an address, or bare veth."""
    match cluster.pod_network.attachment:
        case Attachment.ROUTED:
            why = "the pod's veth has no address of its own: the kernel borrows the node's"
            return _own(node, wanted, why)
        case Attachment.GATEWAY:
            cidr = first_of(node.pod_cidrs, wanted)
            address = _nth(cidr, 1) if cidr else None
            why = "the address of the bridge or veth that leads to the pod"
            return NewSource(address, SourceKind.GATEWAY, why)
        case Attachment.UNKNOWN:
            why = "the address of the interface that leads to the pod; the objects do not tell it"
            return NewSource(None, SourceKind.UNKNOWN, why)


def _towards_pods(cluster: Cluster, node: ProxyNode, wanted: Family) -> NewSource:
    """The tunnel device's address with an overlay, else the node's."""
    match cluster.pod_network.overlay:
        case Overlay.NONE:
            return _own(node, wanted, "the address of the node's own interface")
        case Overlay.FLANNEL_VXLAN:
            cidr = first_of(node.pod_cidrs, wanted)
            address = _nth(cidr, 0) if cidr else None
            why = "the address of flannel.1, the tunnel to other nodes"
            return NewSource(address, SourceKind.TUNNEL, why)
        case Overlay.CALICO_TUNNEL:
            address = _calico_tunnel(cluster, node.name)
            why = "the address of the tunnel device to other nodes"
            return NewSource(address, SourceKind.TUNNEL, why)
        case Overlay.UNKNOWN:
            why = "the node's address, or its tunnel's if there is an overlay"
            return NewSource(None, SourceKind.UNKNOWN, why)


def _nth(cidr: str, index: int) -> str | None:
    found = network(cidr)
    return str(found[index]) if index < found.num_addresses else None


def _calico_tunnel(cluster: Cluster, name: str) -> str | None:
    node = cluster.node(name)
    annotations = node and node.metadata.annotations
    if not annotations:
        return None
    return annotations.calico_vxlan_tunnel or annotations.calico_ipip_tunnel
