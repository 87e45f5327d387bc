"""Which address a masqueraded packet gets (reference: kube-proxy, section 3.4).

`masquerade` takes the primary address of the interface that the packet leaves by. So the
answer depends on how pods are wired, not on kube-proxy.
"""

from dataclasses import dataclass

from kubehop.model.addresses import Family, family, first_of, network
from kubehop.model.cluster import Cluster
from kubehop.model.pod_network import Attachment, Overlay
from kubehop.service.nodes import ProxyNode
from kubehop.trace.places import Place, PlaceKind
from kubehop.trace.source_address import source_for
from kubehop.trace.values import SourceKind


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source address, None if the objects do not tell it, and what it is."""

    address: str | None
    kind: SourceKind
    why: str


def outgoing_source(cluster: Cluster, node: ProxyNode, to: Place, destination: str) -> NewSource:
    """The address of the interface by which `node` sends to `destination`, which is at `to`."""
    if to.kind is PlaceKind.POD or to.kind is PlaceKind.EMPTY:
        if to.node == node.name:
            return _host_side(cluster, node, destination)
        return _towards_pods(cluster, node, destination)
    return _own(node, destination)


def _own(node: ProxyNode, destination: str) -> NewSource:
    address = source_for(node.addresses, destination)
    return NewSource(address, SourceKind.NODE, "the address of the node's own interface")


def _host_side(cluster: Cluster, node: ProxyNode, destination: str) -> NewSource:
    """The host side of a pod of this node: bridge, veth with an address, or bare veth."""
    wanted = family(destination)
    match cluster.pod_network.attachment:
        case Attachment.ROUTED:
            return _borrowed(cluster, node, destination)
        case Attachment.GATEWAY:
            cidr = first_of(node.pod_cidrs, wanted)
            address = _nth(cidr, 1) if cidr else None
            why = "the address of the bridge or veth that leads to the pod"
            return NewSource(address, SourceKind.GATEWAY, why)
        case Attachment.UNKNOWN:
            why = "the address of the interface that leads to the pod; the objects do not tell it"
            return NewSource(None, SourceKind.UNKNOWN, why)


def _borrowed(cluster: Cluster, node: ProxyNode, destination: str) -> NewSource:
    """Of an interface without an address: any other's.

    IPv4: the first interface's. IPv6: the most like the destination, so that flannel.1 wins,
    whose address is of the pods' own network.
    """
    why = "the pod's veth has no address of its own: the kernel borrows the node's"
    tunnel = _flannel(cluster, node, destination)
    address = source_for((*node.addresses, *((tunnel,) if tunnel else ())), destination)
    if address is None or address != tunnel:
        return NewSource(address, SourceKind.NODE, why)
    why = "the pod's veth has no address of its own: the kernel borrows that of flannel.1"
    return NewSource(address, SourceKind.TUNNEL, why)


def _flannel(cluster: Cluster, node: ProxyNode, destination: str) -> str | None:
    """The address of flannel.1, which is its pod CIDR's first; None without one."""
    if cluster.pod_network.overlay is not Overlay.FLANNEL_VXLAN:
        return None
    cidr = first_of(node.pod_cidrs, family(destination))
    return _nth(cidr, 0) if cidr else None


def _towards_pods(cluster: Cluster, node: ProxyNode, destination: str) -> NewSource:
    """The tunnel device's address with an overlay, else the node's."""
    match cluster.pod_network.overlay:
        case Overlay.NONE:
            return _own(node, destination)
        case Overlay.FLANNEL_VXLAN:
            why = "the address of flannel.1, the tunnel to other nodes"
            return NewSource(_flannel(cluster, node, destination), SourceKind.TUNNEL, why)
        case Overlay.CALICO_TUNNEL:
            if family(destination) is Family.IPV6:  # not encapsulated unless told
                return _own(node, destination)
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
