"""From a cluster to its lab."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from kubehop.dns.settings import DNSSettings
from kubehop.lab.plan.addressing import ETH0, host
from kubehop.lab.plan.fabric import fabric_things
from kubehop.lab.plan.files import Files
from kubehop.lab.plan.layout import Layout, layout
from kubehop.lab.plan.listeners import listeners, unserved
from kubehop.lab.plan.nameservers import (
    caches,
    cluster_nameservers,
    outside_nameservers,
    stub_nameservers,
)
from kubehop.lab.plan.nodes import node_routes, node_things
from kubehop.lab.plan.outside import outside_things
from kubehop.lab.plan.pods import pod_things
from kubehop.lab.plan.reach import reach
from kubehop.lab.plan.rules import balancer_mark, balancer_ruleset, node_rulesets
from kubehop.lab.plan.tunnels import (
    Tunnels,
    mtu_of_pods,
    tunnel_things,
    tunnels,
    unreachable_ends,
)
from kubehop.lab.plan.values import (
    FABRIC,
    Address,
    Forward,
    Lookup,
    Nameserver,
    Neighbour,
    Plan,
    Route,
    Ruleset,
    Sandbox,
    Sysctl,
    Thing,
    Veth,
    Vxlan,
    node_namespace,
)
from kubehop.model.cluster import Cluster
from kubehop.model.pod_network import UNKNOWN
from kubehop.trace.lookups import Names
from kubehop.workload import say

ORDER: tuple[type[Thing], ...] = (
    Sandbox,
    Sysctl,
    Veth,
    Vxlan,
    Address,
    Neighbour,
    Forward,
    Route,
    Lookup,
)
"""Each kind needs only those before it. Settings come before interfaces, which inherit them; a
node's link comes before its tunnels, for the kernel borrows the address of the first interface
that has one (`inet_select_addr`)."""

DEFAULTS = DNSSettings()


def build_plan(
    cluster: Cluster, settings: DNSSettings = DEFAULTS, before: Cluster | None = None
) -> Plan:
    """The whole lab of a complete cluster.

    `before`, a cluster of which there is a plan already, spares work and changes nothing.
    What cannot be built is left out and said in `notes`. Raises InputError for a Corefile that
    CoreDNS would refuse.
    """
    where = layout(cluster)
    names = Names(cluster, settings)
    files = Files(names)
    carried, strays = tunnels(where), where.strays()
    inside = tuple(_inside(where, files, carried, strays))
    local = tuple(caches(where, files))
    ways = reach(where, carried, strays)
    marks = {name: balancer_mark(cluster, name) for name in where.nodes}
    servers = (
        *cluster_nameservers(where, files),
        *local,
        *stub_nameservers(files),
        *outside_nameservers(where, files, names.corefile),
    )
    around = (outside_things(where, ways, files), fabric_things(where, ways, marks))
    return Plan(
        things=ordered(chain(*around, inside, map(_cache_address, local))),
        rulesets=_rulesets(where, before),
        listeners=listeners(where, servers),
        nameservers=servers,
        notes=tuple(_notes(where, carried, files, names)),
    )


def ordered(things: Iterable[Thing]) -> tuple[Thing, ...]:
    """The things in ORDER, each kind as it came; of two routes to one place, the first."""
    kinds: dict[type[Thing], list[Thing]] = {kind: [] for kind in ORDER}
    routes: set[tuple[str, int, str]] = set()
    for thing in things:
        if type(thing) is Route:
            key = (thing.namespace, thing.table, thing.to)
            if key in routes:
                continue
            routes.add(key)
        kinds[type(thing)].append(thing)
    return tuple(chain.from_iterable(kinds.values()))


def _inside(
    where: Layout, files: Files, carried: Tunnels, strays: Mapping[str, tuple[str, ...]]
) -> Iterator[Thing]:
    """Nodes, pods and the overlay; a pod's own route wins over a CIDR."""
    for node in where.nodes.values():
        yield from node_things(where, node, files)
    yield from pod_things(where, files, mtu_of_pods(carried))
    for tunnel in carried.values():
        yield from tunnel_things(where, tunnel, strays)
    for node in where.nodes.values():
        yield from node_routes(where, node)


def _cache_address(server: Nameserver) -> Address:
    """Not the first address of the node's, which is the one to send from."""
    return Address(server.namespace, ETH0, host(server.addresses[0]))


def _rulesets(where: Layout, before: Cluster | None) -> dict[str, Ruleset]:
    of_nodes = node_rulesets(where.cluster, before)
    found = {node_namespace(name): of_nodes[name] for name in where.nodes}
    return found | {FABRIC: balancer_ruleset(where.cluster, None)}


def _notes(where: Layout, carried: Tunnels, files: Files, names: Names) -> Iterator[str]:
    """A line for each thing that is not as the objects say, and for what was assumed."""
    yield from (f"{why}: {say.some(what)}" for why, what in where.problems.items())
    if lost := unreachable_ends(where, carried):
        yield f"no address for the overlay, which does not reach: {say.some(lost)}"
    if where.cluster.pod_network == UNKNOWN:
        yield "pod network not known: wired as Rancher's canal wires pods"
    if ports := unserved(where.cluster):
        yield f"nothing listens on {say.count(ports, 'declared port')} of SCTP"
    for what, why in files.problems.items():
        yield f"{what} would never start, and is built all the same: {why}"
    yield from names.assumptions
