"""Follow a packet until every possibility has ended."""

from collections.abc import Iterable
from fractions import Fraction

from kubehop.model.addresses import family, socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.service.frontends import FrontendKind
from kubehop.service.nodes import is_loopback, proxy_nodes
from kubehop.trace.aim import Shot, aim
from kubehop.trace.at_node import NODE_STAGES
from kubehop.trace.outside import outside
from kubehop.trace.places import PlaceKind, locate
from kubehop.trace.questions import Origin, address_for, find_node, parse_origin, parse_target
from kubehop.trace.source_address import source_for
from kubehop.trace.state import OUTSIDE, Context, State
from kubehop.trace.values import Fate, Hop, Trace, Verdict

MAX_LEGS = 8
"""Nodes and outsides that a packet may visit; a packet in a loop would visit more."""


def trace(
    cluster: Cluster,
    origin: str,
    target: str,
    *,
    protocol: str | None = None,
    via: FrontendKind | None = None,
    node: str = "",
    namespace: str = "default",
) -> Trace:
    """Every fate of the first packet of a connection from `origin` to `target`.

    `origin` and `target` in the words of `kubehop.trace.questions`; `via` picks a Service's
    frontend, `node` the node that a packet from outside arrives at. Raises UsageError for
    what the cluster does not have.
    """
    start = parse_origin(cluster, origin, namespace)
    aimed_at = parse_target(cluster, target, namespace)
    if node:
        find_node(cluster, node)
    shots = aim(cluster, start, aimed_at, protocol, via, node)
    return trace_shots(cluster, start, shots, target, node)


def trace_shots(
    cluster: Cluster, start: Origin, shots: tuple[Shot, ...], target: str, node: str = ""
) -> Trace:
    """Every fate of a packet from `start` that is sent to one of `shots`; `target` is how the
    user calls them."""
    context = Context(cluster, entry_node="" if start.node else node)
    done = [end for shot in shots for end in _follow(context, _depart(cluster, start, shot))]
    fates = _merge(_fate(context, state) for state in done)
    return Trace(start.label, target, shots[0].protocol, fates, _notes(cluster, fates))


def _depart(cluster: Cluster, origin: Origin, shot: Shot) -> State:
    """The packet as it leaves its sender."""
    in_pod = locate(cluster, origin.addresses[0]).kind is PlaceKind.POD
    if in_pod and is_loopback(shot.address):
        raise UsageError(f"{shot.address} is {origin.label}'s own: nothing leaves the pod")
    node = None if in_pod else cluster.derived(proxy_nodes).get(origin.node)
    if node is None:
        source = address_for(origin.addresses, shot.address)
    elif node.owns(shot.address):
        source = shot.address  # what a machine sends to itself comes from there (table "local")
    else:
        source = source_for(node.addresses, shot.address)
    if source is None:
        raise UsageError(f"{origin.label} has no {family(shot.address)} address")
    what = f"{source} sends to {socket_address(shot.address, shot.port)}"
    hop = Hop(origin.node, "origin", what, shot.why, origin.object)
    return State(
        source=source,
        destination=shot.address,
        protocol=shot.protocol,
        port=shot.port,
        client=source,
        node=origin.node,
        probability=shot.share,
        hops=(hop,),
        endpoint_node=shot.endpoint_node,
    )


def _follow(context: Context, start: State) -> list[State]:
    """All ends of `start`."""
    pending, done = [start], []
    for _ in range(MAX_LEGS):
        arrived = [end for state in pending for end in _leg(context, state)]
        done += [state for state in arrived if state.verdict is not None]
        pending = _together(state for state in arrived if state.verdict is None)
        if not pending:
            return done
    why = "it still travels after visiting that many places"
    return done + [s.ends(Verdict.UNROUTED, "route", "goes round in circles", why) for s in pending]


def _together(states: Iterable[State]) -> list[State]:
    """One state for those that differ only in how they came here: loops must not multiply."""
    found: dict[State, State] = {}
    for state in states:
        key = state.with_(hops=(), probability=Fraction(0))
        known = found.get(key)
        more = known.probability if known else Fraction(0)
        found[key] = (known or state).with_(probability=state.probability + more)
    return list(found.values())


def _leg(context: Context, state: State) -> tuple[State, ...]:
    """One place: outside, or one node with all its stages."""
    if state.node == OUTSIDE:
        return outside(context, state)
    if state.node not in context.nodes:
        why = "the input has no such node"
        return (state.ends(Verdict.UNROUTED, "route", f"node {state.node} is unknown", why),)
    states: tuple[State, ...] = (state,)
    for stage in NODE_STAGES:
        states = tuple(
            after
            for before in states
            for after in ((before,) if before.verdict else stage(context, before))
        )
    return states


def _fate(context: Context, state: State) -> Fate:
    assert state.verdict is not None
    delivered = state.verdict is Verdict.DELIVERED
    source = state.source if delivered and state.source_known else None
    return Fate(
        probability=state.probability,
        verdict=state.verdict,
        endpoint=state.reached,
        source_seen=source,
        source_is=state.source_is,
        client_address_kept=delivered and source == state.client,
        node_crossings=state.crossings,
        reply_returns=not delivered or reply_returns(context, state),
        entry_nodes=state.entry,
        hops=state.hops,
    )


def reply_returns(context: Context, state: State) -> bool:
    """True if the answer passes the node that rewrote the destination, to be written back.

    Case 1: nothing was rewritten. Case 2: that node also masqueraded, so the answer comes to
    it. Case 3: the endpoint is on that node. Case 4: the sender is. Else the answer goes
    straight to the sender, who does not know its address: the connection hangs.
    """
    where = state.translated_at
    if not where or state.masqueraded_at == where or state.node == where:
        return True
    return _node_of(context, state.source) == where


def _node_of(context: Context, address: str) -> str:
    place = locate(context.cluster, address)
    return place.node if place.kind is not PlaceKind.OUTSIDE else ""


def _merge(fates: Iterable[Fate]) -> tuple[Fate, ...]:
    """One fate per distinct outcome, in a stable order: likely ones first."""
    merged: dict[tuple[object, ...], list[Fate]] = {}
    for fate in fates:
        merged.setdefault(_outcome(fate), []).append(fate)
    return tuple(sorted(map(_join, merged.values()), key=_order))


def _outcome(fate: Fate) -> tuple[object, ...]:
    return (
        fate.verdict,
        fate.endpoint,
        fate.source_seen,
        fate.source_is,
        fate.node_crossings,
        fate.reply_returns,
        fate.hops[-1].why if fate.verdict is not Verdict.DELIVERED else "",
    )


def _join(fates: list[Fate]) -> Fate:
    first = fates[0]
    if len(fates) == 1:
        return first
    return Fate(
        sum((fate.probability for fate in fates), Fraction(0)),
        first.verdict,
        first.endpoint,
        first.source_seen,
        first.source_is,
        first.client_address_kept,
        first.node_crossings,
        first.reply_returns,
        tuple(dict.fromkeys(name for fate in fates for name in fate.entry_nodes)),
        first.hops,
    )


def _order(fate: Fate) -> tuple[object, ...]:
    endpoint = fate.endpoint
    return (
        -fate.probability,
        fate.verdict,
        (endpoint.pod, endpoint.address, endpoint.port) if endpoint else ("", "", 0),
        fate.source_seen or "",
        fate.entry_nodes,
    )


def _notes(cluster: Cluster, fates: tuple[Fate, ...]) -> tuple[str, ...]:
    """What a reader must know besides the fates."""
    notes = []
    lost = [fate for fate in fates if not fate.reply_returns]
    if lost:
        share = sum((fate.probability for fate in lost), Fraction(0))
        notes.append(
            f"in {share} of the cases the answer does not come back the way it went: "
            "the packet arrives, but the connection hangs"
        )
    if cluster.policies:
        count = len(cluster.policies)
        notes.append(f"{count} NetworkPolicies are in the input; they are not weighed here yet")
    return tuple(notes)
