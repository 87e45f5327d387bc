"""The overlay: which families it carries, by which device, and what leads through it.

A tunnel's own address is what a packet gets that is masqueraded on its way to another node's
pod (`kubehop.trace.masquerade`), so it is flannel's or Calico's and never made up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubehop.lab.plan.addressing import host, is_usable, mac, nth, of_family
from kubehop.lab.plan.layout import Layout, PlacedNode
from kubehop.lab.plan.values import Address, Forward, Neighbour, Route, Thing, Vxlan
from kubehop.model.addresses import Family, canonical, first_of, is_address
from kubehop.model.cluster import Cluster
from kubehop.model.pod_network import Overlay

FLANNEL = {Family.IPV4: "flannel.1", Family.IPV6: "flannel-v6.1"}
CALICO = {Family.IPV4: "vxlan.calico"}
"""IPv6 pools of Calico are not encapsulated unless told, and the model reads no such word."""
LINK_MTU = 1500
OVERHEAD = {Family.IPV4: 50, Family.IPV6: 70}
"""Of the outer headers, in octets (flannel: pkg/backend/vxlan)."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """The overlay of one family; `underlay` is the family of the outer packets.

    `addresses` are those of the device itself, by node.
    """

    family: Family
    device: str
    underlay: Family
    vni: int
    port: int
    addresses: Mapping[str, str]

    @property
    def mtu(self) -> int:
        return LINK_MTU - OVERHEAD[self.underlay]


Tunnels = Mapping[Family, Tunnel]


@dataclass(frozen=True, slots=True)
class End:
    """A node's end of a tunnel: who it is to others, and what they reach by it."""

    node: PlacedNode
    mac: str
    remote: str
    via: str
    own: str
    leads_to: tuple[str, ...]


def tunnels(layout: Layout) -> Tunnels:
    """The tunnels of a cluster, by the family that they carry; {} if the fabric routes pods."""
    match layout.cluster.pod_network.overlay:
        case Overlay.NONE:
            return {}
        case Overlay.CALICO_TUNNEL:
            return _tunnels(layout, CALICO, 4096, 4789)
        case Overlay.FLANNEL_VXLAN | Overlay.UNKNOWN:
            return _tunnels(layout, FLANNEL, 1, 8472)


def _tunnels(layout: Layout, devices: Mapping[Family, str], vni: int, port: int) -> Tunnels:
    found = {}
    for wanted in layout.families:
        if wanted in devices:
            under = _underlay(layout, wanted)
            # Two devices of one VNI share a port only if their outer families differ.
            number = vni if under is wanted else vni + 1
            own = dict(_own_addresses(layout, wanted))
            found[wanted] = Tunnel(wanted, devices[wanted], under, number, port, own)
    return found


def _underlay(layout: Layout, wanted: Family) -> Family:
    """The same family, unless only the other one connects all nodes."""
    other = next(each for each in Family if each is not wanted)
    by_same = all(node.primary(wanted) for node in layout.nodes.values())
    by_other = all(node.primary(other) for node in layout.nodes.values())
    return other if by_other and not by_same else wanted


def _own_addresses(layout: Layout, wanted: Family) -> Iterator[tuple[str, str]]:
    calico = layout.cluster.pod_network.overlay is Overlay.CALICO_TUNNEL
    for node in layout.nodes.values():
        if calico:
            address = _annotated(layout.cluster, node.name)
        else:
            cidr = first_of(node.pod_cidrs, wanted)
            address = nth(cidr, 0) if cidr else None
        if address and is_free(layout.cluster, address):
            yield node.name, address


def _annotated(cluster: Cluster, name: str) -> str | None:
    node = cluster.node(name)
    annotations = node.metadata.annotations if node else None
    if annotations is None:
        return None
    address = annotations.calico_vxlan_tunnel or annotations.calico_ipip_tunnel or ""
    return canonical(address) if is_address(address) and ":" not in address else None


def is_free(cluster: Cluster, address: str) -> bool:
    """True if no object has an address that a pod network takes for itself."""
    taken = cluster.pod_at(address) or cluster.node_at(address)
    return taken is None and is_usable(address)


def mtu_of_pods(found: Tunnels) -> int:
    """What fits through every tunnel, in octets."""
    return min((tunnel.mtu for tunnel in found.values()), default=LINK_MTU)


def tunnel_things(
    layout: Layout, tunnel: Tunnel, strays: Mapping[str, tuple[str, ...]]
) -> Iterator[Thing]:
    """The devices of one tunnel, and on every node what leads to every other."""
    ends = tuple(_ends(layout, tunnel, strays))
    device = tunnel.device
    for end in ends:
        local = end.node.primary(tunnel.underlay) or ""
        yield Vxlan(end.node.namespace, device, end.mac, local, tunnel.vni, tunnel.port, tunnel.mtu)
        if end.own:
            yield Address(end.node.namespace, device, host(end.own))
    for here in ends:
        namespace = here.node.namespace
        for there in ends:
            if there is not here:
                yield Neighbour(namespace, device, there.via, there.mac)
                yield Forward(namespace, device, there.mac, there.remote)
                for cidr in there.leads_to:
                    yield Route(namespace, cidr, device, there.via)


def _ends(layout: Layout, tunnel: Tunnel, strays: Mapping[str, tuple[str, ...]]) -> Iterator[End]:
    """Those of nodes that can be reached at all: see `unreachable_ends`."""
    for node in layout.nodes.values():
        own = tunnel.addresses.get(node.name, "")
        remote, via = node.primary(tunnel.underlay), own or node.primary(tunnel.family)
        if remote and via:
            stray = of_family(strays.get(node.name, ()), tunnel.family)
            extra = (own,) if own and layout.owner(own) != node.name else ()
            cidrs = of_family(node.pod_cidrs, tunnel.family)
            leads_to = (*cidrs, *map(host, (*extra, *stray)))
            name = mac(f"{tunnel.device}/{node.name}")
            yield End(node, name, remote, via, own, leads_to)


def unreachable_ends(layout: Layout, found: Tunnels) -> tuple[str, ...]:
    """Nodes that a tunnel does not reach, for want of an address."""
    return tuple(
        f"Node {node.name} ({tunnel.family})"
        for tunnel in found.values()
        for node in layout.nodes.values()
        if not node.primary(tunnel.underlay)
        or not (tunnel.addresses.get(node.name) or node.primary(tunnel.family))
    )
