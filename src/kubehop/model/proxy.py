"""How kube-proxy is configured, as far as it changes a packet's fate."""

import enum
from dataclasses import dataclass


class ProxyMode(enum.StrEnum):
    """kube-proxy's `mode` on Linux."""

    NFTABLES = "nftables"
    IPTABLES = "iptables"
    IPVS = "ipvs"


class DetectLocal(enum.StrEnum):
    """kube-proxy's `detectLocalMode`: how it tells a pod's packet from others."""

    CLUSTER_CIDR = "ClusterCIDR"
    NODE_CIDR = "NodeCIDR"
    BRIDGE_INTERFACE = "BridgeInterface"
    INTERFACE_NAME_PREFIX = "InterfaceNamePrefix"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """The parts of KubeProxyConfiguration that matter, with upstream's defaults.

    `nodeport_addresses` None means unset: the mode's own default applies.
    `same_node_hints` is the gate PreferSameTrafficDistribution (on since 1.34).
    `hints_need_annotation` is the behaviour before ServiceTrafficDistribution (up to 1.30).
    """

    mode: ProxyMode = ProxyMode.NFTABLES
    detect_local: DetectLocal = DetectLocal.CLUSTER_CIDR
    cluster_cidrs: tuple[str, ...] = ()
    masquerade_all: bool = False
    nodeport_addresses: tuple[str, ...] | None = None
    localhost_nodeports: bool = True
    ipvs_scheduler: str = "rr"
    service_proxy_name: str = ""
    same_node_hints: bool = True
    hints_need_annotation: bool = False
