"""The outside: clients and the whole Internet, in one namespace.

Any address that is not the cluster's is local here (AnyIP), and sockets may bind any source. All
of its routes are in the table `local`: there the longest prefix decides between them, and the
kernel takes an address for local only by that table (`inet_addr_type`, `__ip_dev_find`).
"""

from collections.abc import Iterator
from ipaddress import ip_address

from kubehop.lab.plan.addressing import (
    ETH0,
    EVERYTHING,
    GATEWAY,
    HOST_MAC,
    LO,
    LOCAL_TABLE,
    NAMESERVER,
    ROUTER,
    host,
)
from kubehop.lab.plan.files import Files
from kubehop.lab.plan.layout import Layout
from kubehop.lab.plan.reach import Reach
from kubehop.lab.plan.values import (
    OUTSIDE,
    Address,
    Neighbour,
    Route,
    RouteKind,
    Sandbox,
    Sysctl,
    Thing,
)
from kubehop.model.addresses import Family
from kubehop.trace.questions import CLIENTS

ANY_SOURCE = {
    Family.IPV4: (
        ("net.ipv4.ip_nonlocal_bind", "1"),
        ("net.ipv4.icmp_ratemask", "0"),
    ),
    Family.IPV6: (
        ("net.ipv6.ip_nonlocal_bind", "1"),
        ("net.ipv6.icmp.ratemask", "127"),
    ),
}
CLIENT = dict(zip(Family, CLIENTS, strict=True))


def outside_things(layout: Layout, reach: Reach, files: Files) -> Iterator[Thing]:
    """Everything outside but the link, which is the fabric's."""
    nameservers = tuple(NAMESERVER[each] for each in layout.families)
    yield Sandbox(OUTSIDE, OUTSIDE, files.of_outside(nameservers))
    for each in layout.families:
        for key, value in ANY_SOURCE[each]:
            yield Sysctl(OUTSIDE, key, value)
        yield Address(OUTSIDE, ETH0, host(_client(layout, reach, each)))
        yield Neighbour(OUTSIDE, ETH0, GATEWAY[each], HOST_MAC)
        # Else the gateway is local as well, and the kernel refuses it as a gateway.
        yield Route(OUTSIDE, host(GATEWAY[each]), ETH0, table=LOCAL_TABLE)
        # What is local here is no source of a packet that arrives: the fabric's ICMP errors.
        yield Route(OUTSIDE, host(ROUTER[each]), ETH0, GATEWAY[each], table=LOCAL_TABLE)
    yield from _ways(layout, reach)
    for each in layout.families:
        everything = EVERYTHING[each]
        yield Route(OUTSIDE, everything, LO, kind=RouteKind.LOCAL, table=LOCAL_TABLE)


def _ways(layout: Layout, reach: Reach) -> Iterator[Route]:
    pods = tuple(cidr for cidr, _ in reach.pods)
    open_to_all = layout.cluster.pod_network.routed_outside
    known = (*(cidr for cidr, _ in reach.to_node), *reach.balanced)
    for cidr in (*known, *(pods if open_to_all else ())):
        via = GATEWAY[Family.IPV6 if ":" in cidr else Family.IPV4]
        yield Route(OUTSIDE, cidr, ETH0, via, table=LOCAL_TABLE)
    for cidr in (*reach.nowhere, *(() if open_to_all else pods)):
        yield Route(OUTSIDE, cidr, kind=RouteKind.UNREACHABLE, table=LOCAL_TABLE)


def _client(layout: Layout, reach: Reach, wanted: Family) -> str:
    """The default client's address; the next one that the cluster does not have."""
    taken = {cidr for cidr, _ in (*reach.to_node, *reach.pods)} | set(reach.balanced)
    taken |= {host(address) for pod in layout.pods for address in pod.addresses}
    first = ip_address(CLIENT[wanted])
    addresses = (str(first + number) for number in range(len(taken) + 1))
    return next(address for address in addresses if host(address) not in taken)
