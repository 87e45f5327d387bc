"""What happens to a packet on a node: the stages, in the order in which the kernel has them."""

from kubehop.model.addresses import canonical, family, socket_address
from kubehop.service.decide import Action, Decision
from kubehop.service.frontends import Frontend
from kubehop.service.nodes import is_loopback
from kubehop.service.packets import decide_packet
from kubehop.trace.masquerade import outgoing_source
from kubehop.trace.places import (
    Place,
    PlaceKind,
    host_pod_at,
    locate,
    mapped_pod_at,
)
from kubehop.trace.state import OUTSIDE, Context, Stage, State
from kubehop.trace.values import Reached, Verdict


def service(context: Context, state: State) -> tuple[State, ...]:
    """kube-proxy, on the first node that handles the packet (prerouting or output)."""
    node = context.nodes[state.node]
    frontend, decision = decide_packet(
        context.cluster, node, state.source, state.destination, state.protocol, state.port
    )
    if frontend is None and _is_mapped(context, state):
        return (state,)  # what no Service has, is refused in "filter": after the hostPort's DNAT
    obj = frontend.service.reference if frontend else ""
    match decision.action:
        case Action.NONE:
            return (state,)
        case Action.REJECT:
            what = f"kube-proxy rejects {_destination(state)}: connection refused at once"
            return (state.ends(Verdict.REJECTED, "service", what, decision.why, obj),)
        case Action.DROP:
            what = f"kube-proxy drops {_destination(state)}: the client times out"
            return (state.ends(Verdict.DROPPED, "service", what, decision.why, obj),)
        case Action.DNAT:
            assert frontend is not None
            return _translate(state, frontend, decision)


def _is_mapped(context: Context, state: State) -> bool:
    """True if a pod of the node claims the destination as its hostPort."""
    where = (state.node, state.protocol, state.destination, state.port)
    owned = context.nodes[state.node].owns(state.destination)
    return owned and mapped_pod_at(context.cluster, *where) is not None


def _translate(state: State, frontend: Frontend, decision: Decision) -> tuple[State, ...]:
    """One state for each endpoint that may be chosen, all equally likely."""
    count = len(decision.endpoints)
    obj = frontend.service.reference
    prefix = f"{frontend.kind} {_destination(state)} becomes "
    made = []
    for endpoint in decision.endpoints:
        marked = decision.marks(endpoint, state.source)
        why = f"{decision.why}; 1 of {count}"
        if marked and not decision.masquerade:
            why += "; it chose itself, so the source is masqueraded (hairpin)"
        made.append(
            state.hop(
                "service",
                prefix + endpoint.key,
                why,
                obj,
                destination=endpoint.address,
                port=endpoint.port,
                probability=state.probability / count,
                marked=marked,
                translated_at=state.node,
                endpoint_node=endpoint.node,
            )
        )
    return tuple(made)


def host_port(context: Context, state: State) -> tuple[State, ...]:
    """The port mapping of the network plugin (`hostPort`), after kube-proxy's rules."""
    node = context.nodes[state.node]
    if state.translated_at or not node.owns(state.destination):
        return (state,)
    mapped = mapped_pod_at(
        context.cluster, state.node, state.protocol, state.destination, state.port
    )
    wanted = family(state.destination)
    addresses = map(canonical, mapped[0].addresses if mapped else ())
    address = next((a for a in addresses if family(a) is wanted), None)
    if mapped is None or not address:
        return (state,)
    pod, port = mapped
    what = f"hostPort {_destination(state)} becomes {socket_address(address, port)}"
    return (
        state.hop(
            "host-port",
            what,
            "the network plugin maps the pod's hostPort",
            pod.reference,
            destination=address,
            port=port,
            translated_at=state.node,
            marked=state.source == address or is_loopback(state.source),
        ),
    )


def route(context: Context, state: State) -> tuple[State, ...]:
    """The routing table: which node is next, or whether the packet is already there."""
    place = _place(context, state)
    if place.kind is PlaceKind.OUTSIDE:
        return (state.with_(next_node=OUTSIDE),)
    if place.kind is PlaceKind.EMPTY and place.node == state.node:
        what = f"no pod has {state.destination}: host unreachable"
        why = f"it lies in the pod CIDR of {state.node}, but no pod has it"
        return (state.ends(Verdict.UNROUTED, "route", what, why, f"Node {state.node}"),)
    if place.node not in context.nodes:
        what = f"nothing is known of node {place.node or '(none)'}"
        why = "the pod is on no node" if not place.node else "the node is not in the input"
        return (state.ends(Verdict.UNROUTED, "route", what, why),)
    return (state.with_(next_node=place.node),)


def source_nat(context: Context, state: State) -> tuple[State, ...]:
    """Postrouting: masquerade what kube-proxy marked, then what the network plugin wants.

    What comes from elsewhere for the node itself takes the input path and never gets here; what
    the node sends to itself does, on its way through `lo`.
    """
    place = _place(context, state)
    to_itself = place.kind is PlaceKind.NODE and state.next_node == state.node
    if to_itself and not (state.marked and context.nodes[state.node].owns(state.source)):
        return (state,)
    cause = _masquerade_cause(context, state, place)
    if not cause:
        return (state,)
    node = context.nodes[state.node]
    new = outgoing_source(context.cluster, node, place, state.destination)
    if new.address == state.source:
        return (state.with_(marked=False, masqueraded_at=state.node),)
    shown = new.address or "another address"
    return (
        state.hop(
            "source-nat",
            f"source {state.source} becomes {shown}",
            f"{cause}: {new.why}",
            f"Node {state.node}",
            source=new.address or state.source,
            source_is=new.kind,
            source_known=new.address is not None,
            marked=False,
            masqueraded_at=state.node,
        ),
    )


def _masquerade_cause(context: Context, state: State, place: Place) -> str:
    """Why the packet's source is rewritten here, "" if it is not.

    Case 1: kube-proxy marked it. Case 2: a node's own process to a pod: not a rewrite, but
    the source that routing picks. Case 3: a pod's packet that leaves the pod network.
    """
    if state.marked:
        return "kube-proxy's masquerade mark"
    network = context.cluster.pod_network
    origin = locate(context.cluster, state.source)
    if origin.node != state.node:
        return ""
    if origin.kind is PlaceKind.NODE:
        to_pod = place.kind is PlaceKind.POD and not state.translated_at
        return "a process of the node sends by route" if to_pod else ""
    if origin.kind is PlaceKind.POD:
        if place.kind is PlaceKind.OUTSIDE:
            return "pods leave the cluster with their node's address (egress masquerade)"
        if place.kind is PlaceKind.NODE and network.masquerades_to_nodes:
            return f"pod network {network.name} masquerades what leaves for other nodes"
    return ""


def forward(context: Context, state: State) -> tuple[State, ...]:
    """Deliver on this node, or send to the next one."""
    if state.next_node == OUTSIDE:
        return (state.with_(node=OUTSIDE, next_node=None, marked=False),)
    if state.next_node != state.node:
        return (_cross(context, state),)
    place = _place(context, state)
    if place.kind is PlaceKind.POD:
        return (_deliver_to_pod(context, state, place),)
    return (_deliver_to_node(context, state),)


def _cross(context: Context, state: State) -> State:
    """One link between nodes: the overlay for pods, the fabric for nodes."""
    assert state.next_node is not None
    to_pod = _place(context, state).kind is not PlaceKind.NODE
    overlay = context.cluster.pod_network.overlay
    way = f"overlay {overlay}" if to_pod and overlay.value in _TUNNELS else "fabric"
    what = f"to node {state.next_node} ({way})"
    why = f"{state.destination} is {'a pod' if to_pod else 'an address'} of that node"
    moved = state.hop("route", what, why, f"Node {state.next_node}")
    return moved.with_(
        node=state.next_node, next_node=None, crossings=state.crossings + 1, marked=False
    )


_TUNNELS = frozenset({"vxlan", "calico-tunnel"})


def _deliver_to_pod(context: Context, state: State, place: Place) -> State:
    pod = place.pod
    name = f"{pod.namespace}/{pod.name}" if pod else ""
    reached = Reached(state.destination, state.port, name, state.node)
    target = f"pod {name}" if name else "the endpoint"
    what = f"{target} receives it at {_destination(state)} from {_seen(state)}"
    why = "" if pod is None or _declares(pod.spec.containers, state) else _UNDECLARED
    return state.hop(
        "deliver",
        what,
        why,
        pod.reference if pod else "",
        verdict=Verdict.DELIVERED,
        reached=reached,
    )


_UNDECLARED = "no container declares this port: refused unless something listens all the same"


def _declares(containers: object, state: State) -> bool:
    """True if a container declares the port, or none declares any (declaring is optional)."""
    assert isinstance(containers, tuple) or containers is None
    ports = [port for container in containers or () for port in container.ports or ()]
    return not ports or any(
        port.container_port == state.port and port.protocol == state.protocol for port in ports
    )


def _deliver_to_node(context: Context, state: State) -> State:
    """A packet for the node itself: a host-network pod, else its own processes."""
    pod = host_pod_at(context.cluster, state.node, state.protocol, state.port)
    node = f"Node {state.node}"
    if pod is None and not state.translated_at:
        what = f"{_destination(state)} is the node's own: nothing known listens, refused"
        why = "no Service has it as node port here and no host-network pod declares it"
        return state.ends(Verdict.REJECTED, "deliver", what, why, node)
    name = f"{pod.namespace}/{pod.name}" if pod else ""
    reached = Reached(state.destination, state.port, name, state.node)
    what = f"{name or 'the node'} receives it at {_destination(state)} from {_seen(state)}"
    why = "host network: an address of the node itself"
    if state.marked:
        why += "; it never passes postrouting, so the masquerade mark has no effect"
    obj = pod.reference if pod else node
    return state.hop("deliver", what, why, obj, verdict=Verdict.DELIVERED, reached=reached)


def _place(context: Context, state: State) -> Place:
    if context.nodes[state.node].owns(state.destination):
        return Place(PlaceKind.NODE, state.node)
    return locate(context.cluster, state.destination, state.endpoint_node)


def _destination(state: State) -> str:
    return socket_address(state.destination, state.port)


def _seen(state: State) -> str:
    if state.source_known:
        return state.source
    return f"an address of node {state.masqueraded_at or state.node}"


NODE_STAGES: tuple[Stage, ...] = (service, host_port, route, source_nat, forward)
"""The way through a node: prerouting/output, routing, postrouting, and on."""
