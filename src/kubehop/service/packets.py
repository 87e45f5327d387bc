"""One packet at one node: find its frontend, then decide."""

from kubehop.model.addresses import family
from kubehop.model.cluster import Cluster
from kubehop.service.decide import Decision, decide, decide_unmatched, policies
from kubehop.service.endpoints import backends
from kubehop.service.frontends import Frontend, frontend_table
from kubehop.service.nodes import ProxyNode, serves_node_ports
from kubehop.service.sets import EndpointSets, endpoint_sets, usable


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
    service, port, config = frontend.service, frontend.service_port, cluster.proxy
    found = backends(cluster.slices_of(service), port, frontend.family).at(node.name)
    governed = policies(service, port, frontend.family, config)
    return endpoint_sets(usable(found), governed, node.name, node.zone, config)


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
