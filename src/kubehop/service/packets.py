"""One packet at one node: find its frontend, then decide."""

from kubehop.model.addresses import family
from kubehop.model.cluster import Cluster
from kubehop.service.decide import Decision, decide, decide_unmatched, policies
from kubehop.service.endpoints import Backends, backends
from kubehop.service.frontends import Frontend, frontend_table
from kubehop.service.nodes import ProxyNode, serves_node_ports
from kubehop.service.sets import EndpointSets, Usable, endpoint_sets, usable


def frontend_for(
    cluster: Cluster, node: ProxyNode, destination: str, protocol: str, port: int
) -> Frontend | None:
    """The frontend that the kube-proxy of `node` finds for a destination, None if none.

    Exact Service addresses come before node ports, which only the node that owns the
    destination address recognises.
    """
    table = cluster.derived(frontend_table)
    exact = table.at(destination, protocol, port)
    if exact is not None:
        return exact
    if serves_node_ports(destination, node, cluster.proxy):
        return table.node_port(family(destination), protocol, port)
    return None


def sets_at(cluster: Cluster, frontend: Frontend, node: ProxyNode) -> EndpointSets:
    """The endpoint sets behind a frontend on `node`."""
    found, sorted_out = _behind(cluster, frontend)
    governed = policies(frontend.service, frontend.service_port, frontend.family, cluster.proxy)
    if found.copies:
        sorted_out = usable(found.at(node.name))
    return endpoint_sets(sorted_out, governed, node.name, node.zone, cluster.proxy)


Behind = tuple[Backends, Usable]


def _behind(cluster: Cluster, frontend: Frontend) -> Behind:
    """What is behind a frontend, worked out once for all nodes and packets."""
    known, service = cluster.derived(_known), frontend.service
    key = (service.namespace, service.name, frontend.service_port.key, frontend.family)
    if key not in known:
        slices = cluster.slices_of(service)
        found = backends(slices, frontend.service_port, frontend.family)
        known[key] = (found, usable(found.endpoints))
    return known[key]


def _known(cluster: Cluster) -> dict[tuple[str, str, str, str], Behind]:
    """An empty table for `_behind` to fill."""
    del cluster
    return {}


def decide_packet(
    cluster: Cluster,
    node: ProxyNode,
    source: str,
    destination: str,
    protocol: str,
    port: int,
) -> tuple[Frontend | None, Decision]:
    """What the kube-proxy of `node` does with a new connection's first packet.

    Addresses are canonical and of one family.
    """
    frontend = frontend_for(cluster, node, destination, protocol, port)
    if frontend is None:
        table = cluster.derived(frontend_table)
        return None, decide_unmatched(destination, table, cluster.service_cidrs, cluster.proxy)
    sets = sets_at(cluster, frontend, node)
    return frontend, decide(frontend, sets, source, node, cluster.proxy)
