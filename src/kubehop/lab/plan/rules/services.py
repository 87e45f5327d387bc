"""What a Service contributes to the rules of nodes: its frontends, and the sets behind them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import collapse_addresses

from kubehop.lab.plan.rules.affinity import add_affinity
from kubehop.lab.plan.rules.frame import PICKS, name_of, pick_rule
from kubehop.lab.plan.rules.marks import LOCAL
from kubehop.lab.plan.rules.parts import ALL, Layer, Piece, Pieces
from kubehop.lab.plan.rules.policy import Behaviour, behaviour, local_set
from kubehop.model.addresses import Family, canonical, contains, family, network
from kubehop.model.cluster import Cluster
from kubehop.model.service import EndpointSlice, Service, ServicePort
from kubehop.service.decide import Action, policies, source_ranges
from kubehop.service.endpoints import Backends, backends
from kubehop.service.frontends import Frontend, FrontendKind
from kubehop.service.modes import MODES
from kubehop.service.nodes import ProxyNode, proxy_nodes
from kubehop.service.sets import Endpoints, EndpointSets, Policies, Usable, endpoint_sets, usable

VERDICTS = {Action.DROP: "drop", Action.REJECT: "goto rejecting"}


@dataclass(frozen=True, slots=True)
class Listening:
    """A Service port in one family, where it listens, and the number that stands for it."""

    service: Service
    port: ServicePort
    family: Family
    number: int
    frontends: tuple[Frontend, ...]

    @property
    def protocol(self) -> str:
        return self.port.protocol.lower()

    def name(self, what: str) -> str:
        """The key of a map in a Ruleset."""
        return name_of(self.family, what)


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind a Service port, before any node is looked at."""

    cluster: Cluster
    listening: Listening
    found: Backends
    usable: Usable
    policies: Policies

    def sets_at(self, node: ProxyNode) -> EndpointSets:
        """The endpoint sets on a node."""
        known = usable(self.found.at(node.name)) if self.found.copies else self.usable
        return endpoint_sets(known, self.policies, node.name, node.zone, self.cluster.proxy)


def contribution(
    cluster: Cluster, slices: tuple[EndpointSlice, ...], ports: Iterable[Listening]
) -> Pieces:
    """What the ports of one Service add: on every node, and on some."""
    made = Pieces()
    for listening in ports:
        found = backends(slices, listening.port, listening.family)
        governed = policies(listening.service, listening.port, listening.family, cluster.proxy)
        _add_port(made, Behind(cluster, listening, found, usable(found.endpoints), governed))
    return made


def _add_port(pieces: Pieces, behind: Behind) -> None:
    """Where slices disagree about an endpoint, nodes may disagree in everything."""
    listening, nodes = behind.listening, behind.cluster.derived(proxy_nodes)
    behaviours = [(f, behaviour(behind.cluster, f)) for f in listening.frontends]
    _add_frontends(pieces[ALL], listening, behaviours)
    _add_admitted(pieces, listening, nodes)
    if behind.found.copies:
        for name, node in nodes.items():
            sets = behind.sets_at(node)
            _add_reactions(pieces[Layer(node=name)], behind, behaviours, sets.has_any)
    else:
        usable_at_all = bool(behind.usable.ready or behind.usable.draining)
        _add_reactions(pieces[ALL], behind, behaviours, usable_at_all)
    for endpoint in (*behind.usable.ready, *behind.usable.draining):
        pieces.endpoints[endpoint.address, endpoint.node] = None
    if behind.policies.uses_cluster:
        for layer, node in _cluster_layers(behind, nodes):
            found = behind.sets_at(node).cluster or ()
            _add_set(pieces[layer], listening, listening.number << 1, found)
    local = next((f for f, found in behaviours if found.bits & LOCAL), None)
    if local is not None:
        for node in _local_nodes(behind, nodes):
            found = local_set(local, behind.sets_at(node), behind.cluster.proxy)
            layer = Layer(node=node.name)
            _add_set(pieces[layer], listening, listening.number << 1 | LOCAL, found)


Nodes = Mapping[str, ProxyNode]


def _cluster_layers(behind: Behind, nodes: Nodes) -> Iterable[tuple[Layer, ProxyNode]]:
    """Nodes that stand for those that have the Cluster set in common."""
    if behind.found.copies or behind.usable.by_node:
        return [(Layer(node=name), node) for name, node in nodes.items()]
    if behind.usable.by_zone:
        return {Layer(zone=node.zone): node for node in nodes.values()}.items()
    return [(ALL, node) for node in nodes.values()][:1]


def _local_nodes(behind: Behind, nodes: Nodes) -> Iterable[ProxyNode]:
    """Those that may have a Local set: others have no local endpoint."""
    if behind.found.copies or MODES[behind.cluster.proxy.mode].local_falls_back:
        return nodes.values()
    return [nodes[name] for name in behind.usable.local if name in nodes]


def _add_frontends(
    piece: Piece, listening: Listening, behaviours: list[tuple[Frontend, Behaviour]]
) -> None:
    for frontend, found in behaviours:
        value = f"{found.bits | listening.number << 1:#x}"
        piece.add(
            listening.name(_map_of(frontend, "frontends", "nodeports")), _key(frontend), value
        )


def _map_of(frontend: Frontend, addressed: str, node_port: str) -> str:
    return addressed if frontend.address else node_port


def _key(frontend: Frontend) -> str:
    ported = f"{frontend.protocol.lower()} . {frontend.port}"
    return f"{frontend.address} . {ported}" if frontend.address else ported


def _add_reactions(
    piece: Piece,
    behind: Behind,
    behaviours: list[tuple[Frontend, Behaviour]],
    usable_at_all: bool,
) -> None:
    """What becomes of a packet that no endpoint got. It may stand there where one does: what
    was translated is not addressed to the frontend any more."""
    listening = behind.listening
    filters = usable_at_all or MODES[behind.cluster.proxy.mode].filters_when_empty
    filtered = filters and source_ranges(listening.service, listening.family)
    for frontend, found in behaviours:
        action = found.missing if usable_at_all else found.nothing
        if found.bits & LOCAL or not usable_at_all:
            name = _map_of(frontend, "no-endpoints", "no-endpoint-ports")
            piece.add(listening.name(name), _key(frontend), VERDICTS[action])
        if filtered and frontend.kind is FrontendKind.LOAD_BALANCER:
            piece.add(listening.name("firewalled"), _key(frontend))


def _add_set(piece: Piece, listening: Listening, number: int, endpoints: Endpoints) -> None:
    """One set: how to choose, and what the choices are. An empty one is not there at all."""
    size, seconds = len(endpoints), listening.service.affinity_seconds
    if not size:
        return
    if seconds is not None:
        chain = add_affinity(piece, listening.family, number, endpoints, seconds)
        piece.add(listening.name("sets"), f"{number:#x}", f"goto {chain}")
        return
    if size > PICKS:
        piece.chains[listening.name(f"pick-{size}")] = (pick_rule(size),)
    piece.add(listening.name("sets"), f"{number:#x}", f"goto pick-{size}")
    name = listening.name("endpoints")
    for index, endpoint in enumerate(endpoints):
        piece.add(name, f"{number:#x} . {index}", f"{endpoint.address} . {endpoint.port}")


def _add_admitted(pieces: Pieces, listening: Listening, nodes: Nodes) -> None:
    """Sources that a load balancer's addresses admit: the ranges; and on a node that is in one
    of them, the load balancer's addresses themselves, which it may have bound (section 1.5)."""
    ranges = source_ranges(listening.service, listening.family)
    guarded = [f for f in listening.frontends if f.kind is FrontendKind.LOAD_BALANCER]
    if not ranges or not guarded:
        return
    name = listening.name("admitted")
    strangers = tuple(_strangers(listening, ranges))
    admitted = [node.name for node in nodes.values() if strangers and _within(ranges, node)]
    for frontend in guarded:
        for cidr in collapsed(ranges):
            pieces[ALL].add(name, f"{_key(frontend)} . {cidr}")
        for vip in strangers:
            for node in admitted:
                pieces[Layer(node=node)].add(name, f"{_key(frontend)} . {vip}")


def _within(ranges: list[str], node: ProxyNode) -> bool:
    primary = node.primary_of(family(ranges[0]))
    return primary is not None and any(contains(cidr, primary) for cidr in ranges)


def _strangers(listening: Listening, ranges: list[str]) -> Iterator[str]:
    """The Service's load balancer addresses that are in none of its ranges."""
    for ingress in listening.service.ingress:
        if ingress.ip and family(ingress.ip) is listening.family:
            address = canonical(ingress.ip)
            if not any(contains(cidr, address) for cidr in ranges):
                yield address


def collapsed(cidrs: Iterable[str]) -> list[str]:
    """The same addresses in networks that do not overlap: an interval set takes no others."""
    return [str(found) for found in collapse_addresses(map(network, cidrs))]  # type: ignore[type-var]
