"""Nodes: a namespace each, routed by the fabric; no bridge, no ARP."""

from collections.abc import Iterator

from kubehop.lab.plan.addressing import ETH0, EVERYTHING, GATEWAY, HOST_MAC, host
from kubehop.lab.plan.files import Files
from kubehop.lab.plan.layout import Layout, PlacedNode
from kubehop.lab.plan.values import (
    FABRIC,
    Address,
    Neighbour,
    Route,
    RouteKind,
    Sandbox,
    Sysctl,
    Thing,
    Veth,
)
from kubehop.model.addresses import Family
from kubehop.model.cluster import Cluster
from kubehop.service.modes import MODES

MAX_HOSTNAME = 64
"""Of the kernel's nodename (sethostname)."""

FORWARDING = {
    Family.IPV4: (
        # The value for new interfaces comes first: it must be there before they are.
        ("net.ipv4.conf.default.rp_filter", "0"),
        ("net.ipv4.conf.all.rp_filter", "0"),
        ("net.ipv4.conf.default.send_redirects", "0"),
        ("net.ipv4.conf.all.send_redirects", "0"),
        ("net.ipv4.ip_forward", "1"),
        # A reject must come for every packet, not once a second.
        ("net.ipv4.icmp_ratemask", "0"),
    ),
    Family.IPV6: (
        ("net.ipv6.conf.all.forwarding", "1"),
        # Types that are limited: none that is sent. Without, 1000 a second and 50 at once of all
        # kinds together (icmp_msgs_per_sec), whatever `ratelimit` says.
        ("net.ipv6.icmp.ratemask", "127"),
    ),
}
"""Of whatever passes packets on; replies may take another way than what they answer."""
ROUTE_LOCALNET = "net.ipv4.conf.all.route_localnet"


def settings(namespace: str, families: tuple[Family, ...]) -> Iterator[Sysctl]:
    """The sysctls of a namespace that forwards."""
    for each in families:
        for key, value in FORWARDING[each]:
            yield Sysctl(namespace, key, value)


def node_things(layout: Layout, node: PlacedNode, files: Files) -> Iterator[Thing]:
    """A node by itself, with its link to the fabric."""
    namespace = node.namespace
    yield Sandbox(namespace, node.name[:MAX_HOSTNAME], files.of_node(node))
    yield from settings(namespace, layout.families)
    if Family.IPV4 in layout.families:
        yield Sysctl(namespace, ROUTE_LOCALNET, str(int(has_loopback_node_ports(layout.cluster))))
    yield Veth(FABRIC, node.device, HOST_MAC, namespace, ETH0, node.mac)
    for address in node.addresses:
        yield Address(namespace, ETH0, host(address))
    for each in layout.families:
        yield Neighbour(namespace, ETH0, GATEWAY[each], HOST_MAC)


def node_routes(layout: Layout, node: PlacedNode) -> Iterator[Route]:
    """Where a node sends what is for none of its pods and through no tunnel.

    An address of its own pod CIDR that no pod has ends here: host unreachable.
    """
    for each in layout.families:
        yield Route(node.namespace, EVERYTHING[each], ETH0, GATEWAY[each])
    for cidr in node.pod_cidrs:
        yield Route(node.namespace, cidr, kind=RouteKind.UNREACHABLE)


def has_loopback_node_ports(cluster: Cluster) -> bool:
    """True if 127.0.0.1:nodePort must work: kube-proxy then routes loopback addresses."""
    return MODES[cluster.proxy.mode].loopback_nodeports and cluster.proxy.localhost_nodeports
