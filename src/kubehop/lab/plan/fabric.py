"""The fabric: routes between nodes and to the outside, and a load balancer's tables."""

from collections.abc import Iterator, Mapping

from kubehop.lab.plan.addressing import (
    BALANCER_TABLE,
    ETH0,
    EVERYTHING,
    FAR_END,
    HOST_MAC,
    LO,
    OUTSIDE_DEVICE,
    OUTSIDE_MAC,
    ROUTER,
    host,
)
from kubehop.lab.plan.layout import Layout, PlacedNode
from kubehop.lab.plan.nodes import settings
from kubehop.lab.plan.reach import Reach
from kubehop.lab.plan.values import (
    FABRIC,
    OUTSIDE,
    Address,
    Lookup,
    Neighbour,
    Route,
    RouteKind,
    Sandbox,
    Thing,
    Veth,
)
from kubehop.model.addresses import Family, family

PRIORITY = 1000
"""Of the look-ups by mark: after the local table, before main."""
VERSION = {Family.IPV4: 4, Family.IPV6: 6}


def fabric_things(layout: Layout, reach: Reach, marks: Mapping[str, int]) -> Iterator[Thing]:
    """Everything in the fabric; `marks` are the load balancer's for each node."""
    yield Sandbox(FABRIC, FABRIC)
    yield from settings(FABRIC, layout.families)
    yield Veth(FABRIC, OUTSIDE_DEVICE, HOST_MAC, OUTSIDE, ETH0, OUTSIDE_MAC)
    for each in layout.families:
        yield Address(FABRIC, LO, host(ROUTER[each]))
        yield Neighbour(FABRIC, OUTSIDE_DEVICE, FAR_END[each], OUTSIDE_MAC)
        yield Route(FABRIC, EVERYTHING[each], OUTSIDE_DEVICE, FAR_END[each])
    for cidr, name in (*reach.to_node, *reach.pods):
        yield _to(layout.nodes[name], cidr)
    for cidr in (*reach.balanced, *reach.nowhere):
        yield Route(FABRIC, cidr, kind=RouteKind.UNREACHABLE)
    for node in layout.nodes.values():
        yield from _balancer(node, layout.families, marks[node.name])


def _to(node: PlacedNode, cidr: str, table: int = 0) -> Route:
    return Route(FABRIC, cidr, node.device, FAR_END[family(cidr)], table=table)


def _balancer(node: PlacedNode, families: tuple[Family, ...], mark: int) -> Iterator[Thing]:
    """Whatever the load balancer has marked for a node goes there, whoever it is addressed to."""
    table = BALANCER_TABLE + mark
    for each in families:
        yield Neighbour(FABRIC, node.device, FAR_END[each], node.mac)
        yield _to(node, EVERYTHING[each], table)
        yield Lookup(FABRIC, VERSION[each], PRIORITY, table, mark)
