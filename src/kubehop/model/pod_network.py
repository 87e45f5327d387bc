"""How pods are wired on a node: what decides which address a masqueraded packet gets.

kube-proxy only *marks* packets for masquerade; the kernel then takes an address of the
interface by which the packet leaves. Which interface that is, the network plugin decides.
"""

import enum
from dataclasses import dataclass


class Attachment(enum.StrEnum):
    """What the host side of a pod's interface is."""

    ROUTED = "routed"
    """A veth with a /32 route and no address of its own: the kernel borrows the node's."""
    GATEWAY = "gateway"
    """A bridge, or veths, that carry the first address of the node's pod CIDR."""
    UNKNOWN = "unknown"


class Overlay(enum.StrEnum):
    """How a packet for a pod of another node travels."""

    FLANNEL_VXLAN = "vxlan"
    """flannel.1, whose address is the node's pod CIDR's network address."""
    CALICO_TUNNEL = "calico-tunnel"
    """vxlan.calico or tunl0, whose address a Node annotation gives."""
    NONE = "none"
    """Routed by the fabric itself: the packet leaves by the node's own interface."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PodNetwork:
    """One way to wire pods.

    `masquerades_to_nodes`: a pod's packet to another node's address leaves with the address
    of its own node. `routed_outside`: machines outside of the cluster can reach pod addresses.
    `markers`: prefixes of the names of its DaemonSet or pods, by which it is recognised.
    """

    name: str
    attachment: Attachment
    overlay: Overlay
    masquerades_to_nodes: bool
    routed_outside: bool = False
    markers: tuple[str, ...] = ()


CANAL = PodNetwork(
    "canal", Attachment.ROUTED, Overlay.FLANNEL_VXLAN, True, markers=("canal", "rke2-canal")
)

POD_NETWORKS: tuple[PodNetwork, ...] = (
    CANAL,
    PodNetwork(
        "flannel", Attachment.GATEWAY, Overlay.FLANNEL_VXLAN, True, markers=("kube-flannel",)
    ),
    PodNetwork("calico", Attachment.ROUTED, Overlay.CALICO_TUNNEL, True, markers=("calico-node",)),
    PodNetwork("kindnet", Attachment.GATEWAY, Overlay.NONE, True, markers=("kindnet",)),
    PodNetwork(
        "aws-vpc",
        Attachment.ROUTED,
        Overlay.NONE,
        False,
        routed_outside=True,
        markers=("aws-node",),
    ),
)

UNKNOWN = PodNetwork("unknown", Attachment.UNKNOWN, Overlay.UNKNOWN, True)
