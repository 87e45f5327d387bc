"""Faults of the way: Service rules, the overlay, TCP 53, a path MTU hole."""

from collections.abc import Iterable
from dataclasses import replace

from kubehop.lab.faults.values import Place
from kubehop.lab.plan.values import (
    FABRIC,
    Drop,
    Hook,
    Plan,
    Route,
    RouteKind,
    Sandbox,
    Thing,
    Veth,
    Vxlan,
    node_namespace,
)
from kubehop.model.addresses import family
from kubehop.model.cluster import Cluster

HOLE_MTU = 1400
"""Of the hole: less than 1500, which everybody believes in, and more than IPv6's least, 1280."""
FRAGMENT = "ip frag-off & 0x3fff != 0"
"""More fragments to come, or an offset: any piece of what did not fit (RFC 791)."""
TOO_BIG = ("icmp type destination-unreachable icmp code frag-needed", "icmpv6 type packet-too-big")
"""What a router says that cannot pass a packet on (RFC 1191, RFC 8201)."""


def with_drops(plan: Plan, drops: Iterable[Drop]) -> Plan:
    """The plan with further packets that vanish."""
    return replace(plan, drops=plan.drops | frozenset(drops))


# The node's Service rules are gone


def rules_gone(plan: Plan, _cluster: Cluster, place: Place) -> Plan:
    """As after `nft flush ruleset` by some other program, or where kube-proxy never ran."""
    gone = node_namespace(place.node)
    return replace(plan, rulesets={n: r for n, r in plan.rulesets.items() if n != gone})


def has_rules(_cluster: Cluster, plan: Plan, place: Place) -> str:
    """A node has Service rules if a kube-proxy runs there."""
    found = node_namespace(place.node) in plan.rulesets
    return "" if found else f"Node {place.node} has no Service rules"


# The overlay between two nodes


def overlay_dropped(plan: Plan, _cluster: Cluster, place: Place) -> Plan:
    """The fabric, as a firewall between nodes does, takes the outer packets, both ways."""
    return with_drops(plan, _between(plan, place))


def has_overlay(_cluster: Cluster, plan: Plan, place: Place) -> str:
    """Both nodes have a VXLAN device with addresses of one family."""
    if any(_between(plan, place)):
        return ""
    return f"no overlay joins Node {place.node} and Node {place.to}: pods are routed without one"


def _between(plan: Plan, place: Place) -> Iterable[Drop]:
    here, there = (_tunnels(plan, name) for name in (place.node, place.to))
    for one in here:
        for other in there:
            if family(one.local) is family(other.local):
                yield _outer(one, other)
                yield _outer(other, one)


def _tunnels(plan: Plan, node: str) -> list[Vxlan]:
    namespace = node_namespace(node)
    return [t for t in plan.things if isinstance(t, Vxlan) and t.namespace == namespace]


def _outer(source: Vxlan, to: Vxlan) -> Drop:
    ip = "ip6" if ":" in to.local else "ip"
    match = f"{ip} saddr {source.local} {ip} daddr {to.local} udp dport {to.port}"
    return Drop(FABRIC, Hook.FORWARD, match)


# TCP 53


def tcp_53_dropped(plan: Plan, _cluster: Cluster, place: Place) -> Plan:
    """What comes to a node for TCP 53 vanishes there, also what it sends itself."""
    spaces = [s for s in _nodes(plan) if place.node in ("", s.removeprefix("node/"))]
    hooks = (Hook.PREROUTING, Hook.OUTPUT)
    return with_drops(
        plan, (Drop(space, hook, "tcp dport 53") for space in spaces for hook in hooks)
    )


def _nodes(plan: Plan) -> list[str]:
    return [
        thing.namespace
        for thing in plan.things
        if isinstance(thing, Sandbox) and thing.namespace.startswith(node_namespace(""))
    ]


# A path MTU hole


def mtu_hole(plan: Plan, _cluster: Cluster, place: Place) -> Plan:
    """The fabric's way to the node takes less than 1500 octets, and nobody hears of it.

    What may be fragmented (the outer packets of VXLAN) is, and the node loses the fragments;
    for what may not, the fabric's ICMP is lost. Small packets pass.
    """
    devices = {veth.device: veth.peer_device for veth in _links(plan, place.node)}
    things = tuple(_narrowed(thing, devices) for thing in plan.things)
    node = node_namespace(place.node)
    lost = [
        *(Drop(node, Hook.PREROUTING, f'iifname "{name}" {FRAGMENT}') for name in devices.values()),
        *(Drop(FABRIC, Hook.OUTPUT, match) for match in TOO_BIG),
    ]
    return with_drops(replace(plan, things=things), lost)


def _links(plan: Plan, node: str) -> list[Veth]:
    ends = (FABRIC, node_namespace(node))
    return [
        thing
        for thing in plan.things
        if isinstance(thing, Veth) and (thing.namespace, thing.peer_namespace) == ends
    ]


def _narrowed(thing: Thing, devices: dict[str, str]) -> Thing:
    ways = isinstance(thing, Route) and thing.namespace == FABRIC and thing.device in devices
    if not ways or not isinstance(thing, Route) or thing.kind is not RouteKind.UNICAST:
        return thing
    # Locked: a route's MTU counts for forwarded IPv6 packets only then (ip6_route.c).
    return replace(thing, mtu=HOLE_MTU, locked=True)
