"""What the fabric and the outside know a way to, and what they know to be nowhere.

| address                                   | from outside       | in the fabric         |
|-------------------------------------------|--------------------|-----------------------|
| a node's                                  | to the fabric      | to the node           |
| a load balancer's, an external IP         | to the fabric      | by mark, else nowhere |
| a pod's, an overlay carries its family    | nowhere            | nowhere               |
| a pod's, the fabric routes its family     | nowhere, or to the | to the node           |
|                                           | fabric if the pod  |                       |
|                                           | network says so    |                       |
| a cluster IP, a service CIDR              | nowhere            | nowhere               |
| any other                                 | local there        | outside               |

As `kubehop.trace.outside` has it; "nowhere" is host unreachable.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from kubehop.lab.plan.addressing import host, is_usable
from kubehop.lab.plan.layout import Layout
from kubehop.lab.plan.tunnels import Tunnels
from kubehop.model.addresses import contains, family, network
from kubehop.model.cluster import Cluster
from kubehop.service.frontends import frontend_table
from kubehop.trace.outside import listeners


@dataclass(frozen=True, slots=True)
class Reach:
    """`to_node` are CIDRs that the fabric routes, with the node's name; `pods` those of pods.

    `balanced` are addresses that only the load balancer of the fabric can deliver. `nowhere`
    are CIDRs of the cluster that no way leads to.
    """

    to_node: tuple[tuple[str, str], ...]
    pods: tuple[tuple[str, str], ...]
    balanced: tuple[str, ...]
    nowhere: tuple[str, ...]


def reach(layout: Layout, carried: Tunnels, strays: Mapping[str, tuple[str, ...]]) -> Reach:
    """The table above for a cluster whose overlay carries the families `carried`."""
    nodes = layout.nodes.values()
    pods = tuple((cidr, node.name) for node in nodes for cidr in node.pod_cidrs)
    pods += tuple((host(a), name) for name, found in strays.items() for a in found)
    routed = tuple(one for one in pods if family(one[0]) not in carried)
    tunnelled = (cidr for cidr, _ in pods if family(cidr) in carried)
    return Reach(
        to_node=tuple((host(a), node.name) for node in nodes for a in node.addresses),
        pods=routed,
        balanced=tuple(map(host, balanced_addresses(layout.cluster))),
        nowhere=tuple(
            chain(
                _service_cidrs(layout.cluster),
                tunnelled,
                map(host, layout.homeless),
                layout.unowned,
            )
        ),
    )


def balanced_addresses(cluster: Cluster) -> tuple[str, ...]:
    """Load balancer addresses and external IPs, but for those that a node or a pod has."""
    return cluster.derived(_balanced)


def _balanced(cluster: Cluster) -> tuple[str, ...]:
    table = cluster.derived(frontend_table)
    at_balancers = (address for address, _, _ in cluster.derived(listeners))
    exposed = (a for a in table.addresses if a not in table.cluster_ips)
    free = filter(_is_usable_on(cluster), dict.fromkeys((*at_balancers, *sorted(exposed))))
    return tuple(free)


def _is_usable_on(cluster: Cluster) -> Callable[[str], bool]:
    return lambda address: (
        is_usable(address) and not (cluster.node_at(address) or cluster.pod_at(address))
    )


def _service_cidrs(cluster: Cluster) -> Iterator[str]:
    """The service CIDRs, and each cluster IP that is in none of them."""
    cidrs = tuple(str(network(cidr)) for cidr in cluster.service_cidrs if network(cidr).prefixlen)
    yield from cidrs
    for address in sorted(cluster.derived(frontend_table).cluster_ips):
        if not any(contains(cidr, address) for cidr in cidrs) and is_usable(address):
            yield host(address)
