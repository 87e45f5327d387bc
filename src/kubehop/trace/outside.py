"""What happens to a packet outside of the cluster: load balancers, node addresses, the rest."""

from fractions import Fraction

from kubehop.model.addresses import canonical, contains, family, socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.service import Ingress, Service, ServicePort
from kubehop.service.balancer import admitted
from kubehop.service.classes import NodeClass, node_classes, single
from kubehop.service.frontends import frontend_table, is_proxied
from kubehop.service.nodes import ProxyNode
from kubehop.trace.places import PlaceKind, locate
from kubehop.trace.state import Context, State
from kubehop.trace.values import Reached, SourceKind, Verdict

EACH_NODE_UP_TO = 16
"""Up to so many entry nodes each is traced; beyond, one of every class of like nodes."""


def outside(context: Context, state: State) -> tuple[State, ...]:
    """Where a packet outside goes next.

    Step 1: a node has the address, also where it is a load balancer's besides (k3s gives its
    nodes' addresses to Services). Step 2: a load balancer has it. Step 3: a Service has it, so
    somebody must route it to a node. Step 4: a pod has it. Step 5: it is not ours.
    """
    place = locate(context.cluster, state.destination)
    if place.kind is PlaceKind.NODE:
        return (_enter_node(context, state, place.node),)
    balanced = _balancer_at(context.cluster, state)
    if balanced is not None:
        return _balance(context, state, *balanced)
    table = context.cluster.derived(frontend_table)
    if state.destination in table.addresses:
        return _to_service_address(context, state, state.destination in table.cluster_ips)
    if place.kind is not PlaceKind.OUTSIDE:
        return (_to_pod_address(context, state, place.node),)
    return (_leave(context, state),)


Listener = tuple[Service, ServicePort, Ingress]


def _balancer_at(cluster: Cluster, state: State) -> Listener | None:
    key = (state.destination, state.protocol, state.port)
    return cluster.derived(listeners).get(key)


def listeners(cluster: Cluster) -> dict[tuple[str, str, int], Listener]:
    """Where load balancers listen, by (address, protocol, port)."""
    return {
        (canonical(ingress.ip), port.protocol, port.port): (service, port, ingress)
        for service in reversed(cluster.services)
        for ingress in service.ingress
        if ingress.ip
        for port in service.ports
    }


def _balance(
    context: Context, state: State, service: Service, port: ServicePort, ingress: Ingress
) -> tuple[State, ...]:
    """Spread over the nodes that the load balancer admits, one state per node or class."""
    groups = _groups(context, service)
    if not context.entry_node:
        groups = admitted(context.cluster, service, groups)
    total = sum(group.count for group in groups)
    if not total:
        what = "the load balancer has no node to send to"
        why = _why_nobody(context.cluster, service)
        return (state.ends(Verdict.DROPPED, "load-balancer", what, why, service.reference),)
    proxy = ingress.ip_mode == "Proxy"
    return tuple(
        _send(context, state, service, port, group, Fraction(group.count, total), proxy)
        for group in groups
    )


def _why_nobody(cluster: Cluster, service: Service) -> str:
    if service.spec.external_traffic_policy != "Local":
        return "no node is ready and not excluded"
    if not is_proxied(service, cluster.proxy.service_proxy_name):
        return "another proxy has the Service: no kube-proxy answers its health check"
    return "no node has a ready endpoint, so all fail the health check"


def _groups(context: Context, service: Service) -> tuple[NodeClass, ...]:
    """The nodes that a packet may enter by, alike ones together if they are many."""
    nodes = context.nodes
    if context.entry_node:
        return (single(nodes[context.entry_node]),)
    if len(nodes) <= EACH_NODE_UP_TO:
        return tuple(single(node) for node in nodes.values())
    return node_classes(context.cluster, service)


def _send(
    context: Context,
    state: State,
    service: Service,
    port: ServicePort,
    group: NodeClass,
    share: Fraction,
    proxy: bool,
) -> State:
    """From the load balancer to a node; a proxying one opens its own connection."""
    node = group.representative
    more = f" (stands for {group.count} nodes alike)" if group.count > 1 else ""
    checked = service.spec.external_traffic_policy == "Local"
    why = "its health check node port answers 200" if checked else "every healthy node is used"
    why = "the node asked for, whatever its health check says" if context.entry_node else why
    state = state.with_(entry=group.names, probability=state.probability * share)
    if proxy:
        return _connect(state, service, port, node, more, why)
    what = f"load balancer {state.destination} sends it to {node.name}{more}, untouched"
    return state.hop("load-balancer", what, why, service.reference, node=node.name)


def _connect(
    state: State, service: Service, port: ServicePort, node: ProxyNode, more: str, why: str
) -> State:
    """A load balancer of `ipMode: Proxy`: to the node port, from its own address."""
    address = node.primary_of(family(state.destination))
    if not port.node_port or address is None:
        what = "the load balancer (ipMode Proxy) has no node port to connect to"
        why = "allocateLoadBalancerNodePorts is false"
        return state.with_(entry=()).ends(
            Verdict.UNROUTED, "load-balancer", what, why, service.reference
        )
    target = socket_address(address, port.node_port)
    what = f"load balancer {state.destination} opens its own connection to {target}{more}"
    return state.hop(
        "load-balancer",
        what,
        f"ipMode Proxy; {why}",
        service.reference,
        node=node.name,
        source=state.destination,
        source_is=SourceKind.LOAD_BALANCER,
        destination=address,
        port=port.node_port,
    )


def _enter_node(context: Context, state: State, name: str) -> State:
    """To the node that has the address; a public address is the cloud's 1:1 NAT."""
    node = context.cluster.node(name)
    assert node is not None
    entry = (name,)
    internal = [a for a in node.internal_ips if family(a) is family(state.destination)]
    if state.destination in (canonical(a) for a in node.internal_ips) or not internal:
        what, why = f"arrives at node {name}", f"{state.destination} is its address"
        return state.hop("fabric", what, why, node.reference, node=name, entry=entry)
    what = f"arrives at node {name} as {internal[0]}"
    why = f"{state.destination} is its ExternalIP: 1:1 translated in front of it (assumed)"
    moved = {"node": name, "entry": entry, "destination": canonical(internal[0])}
    return state.hop("fabric", what, why, node.reference, **moved)


def _to_service_address(context: Context, state: State, is_cluster_ip: bool) -> tuple[State, ...]:
    """A cluster IP or external IP from outside: somebody must route it to some node."""
    if context.entry_node:
        what = f"arrives at node {context.entry_node}"
        why = f"{state.destination} is taken to be routed there"
        return (_at(state, context.entry_node, what, why),)
    if is_cluster_ip:
        what = f"nothing outside routes {state.destination}"
        why = "cluster IPs exist only on the nodes; --node NAME says which one has a route"
        return (state.ends(Verdict.UNROUTED, "fabric", what, why),)
    table = context.cluster.derived(frontend_table)
    frontend = table.at(state.destination, state.protocol, state.port)
    if frontend is None:
        what = f"{socket_address(state.destination, state.port)} is no Service port"
        why = "a Service has the address, but not this port and protocol"
        return (state.ends(Verdict.UNROUTED, "fabric", what, why),)
    groups = _groups(context, frontend.service)
    total = sum(group.count for group in groups)
    why = "external IPs are routed to nodes by others: every node equally is assumed"
    return tuple(
        _at(
            state,
            group.representative.name,
            f"arrives at node {group.representative.name}",
            why,
            entry=group.names,
            probability=state.probability * Fraction(group.count, total),
        )
        for group in groups
    )


def _at(state: State, node: str, what: str, why: str, **changes: object) -> State:
    changes.setdefault("entry", (node,))
    return state.hop("fabric", what, why, f"Node {node}", node=node, **changes)


def _to_pod_address(context: Context, state: State, node: str) -> State:
    if context.entry_node:
        what = f"arrives at node {context.entry_node}"
        return _at(state, context.entry_node, what, "taken to be routed there (--node)")
    network = context.cluster.pod_network
    if network.routed_outside and node in context.nodes:
        why = f"pod network {network.name} makes pods addresses of the outer network"
        return _at(state, node, f"arrives at node {node}", why)
    what = f"nothing outside routes {state.destination}"
    why = "pod addresses exist only inside of the cluster"
    return state.ends(Verdict.UNROUTED, "fabric", what, why)


def _leave(context: Context, state: State) -> State:
    """An address that no object has."""
    if any(contains(cidr, state.destination) for cidr in context.cluster.service_cidrs):
        what = f"nothing outside routes {state.destination}"
        why = "it is of the Service range, which exists only on the nodes"
        return state.ends(Verdict.UNROUTED, "fabric", what, why)
    was_inside = any(hop.node for hop in state.hops)
    if not was_inside:
        what = f"{state.destination} is not an address of this cluster"
        return state.ends(Verdict.UNROUTED, "fabric", what, "no object has it")
    reached = Reached(state.destination, state.port)
    what = f"leaves the cluster for {socket_address(state.destination, state.port)}"
    why = "no object has this address: what is there, the objects do not tell"
    return state.hop("fabric", what, why, verdict=Verdict.DELIVERED, reached=reached)
