"""Who answers for a Service, from every node and for every kind of client, with which share."""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from kubehop.model.addresses import Family
from kubehop.model.cluster import Cluster
from kubehop.model.proxy import ProxyConfig
from kubehop.model.service import Service, ServicePort
from kubehop.service.balancer import admitted
from kubehop.service.classes import NodeClass, node_classes
from kubehop.service.decide import Action, Decision, decide, policies, source_ranges
from kubehop.service.endpoints import Endpoint, backends
from kubehop.service.frontends import Frontend, FrontendKind, frontends
from kubehop.service.health import HealthCheck, endpoints_by_node, health_check
from kubehop.service.nodes import ProxyNode, is_pod_source, pod_address
from kubehop.service.outsider import outside_address
from kubehop.service.sets import EndpointSets, Usable, endpoint_sets, usable


class Client(enum.StrEnum):
    """The kinds of client, by where they are seen from the node that translates."""

    EXTERNAL = "external"
    POD = "pod"
    NODE = "node"


class Row(msgspec.Struct, frozen=True):
    """What one kind of client gets at one class of nodes through one kind of frontend.

    Endpoints are chosen uniformly, so each has the share 1/len(endpoints).
    """

    nodes: NodeClass
    client: Client
    frontend: Frontend
    decision: Decision

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.decision.endpoints if self.decision.action is Action.DNAT else ()

    def crossings(self, endpoint: Endpoint) -> int:
        """Links between nodes from the entry node to `endpoint`: the second hop is 1."""
        return 0 if endpoint.node == self.nodes.representative.name else 1

    def keeps_client(self, endpoint: Endpoint) -> bool:
        """True if `endpoint` sees the client's address: not marked, or the mark has no effect
        because the endpoint has an address of the entry node itself."""
        if not self.decision.masquerade:
            return True
        return self.client is not Client.NODE and self.nodes.representative.owns(endpoint.address)

    def crossing_count(self) -> int:
        """How many of the endpoints are on another node than the entry node."""
        homes = [endpoint.node for endpoint in self.endpoints]
        return len(homes) - homes.count(self.nodes.representative.name)

    def kept_count(self) -> int:
        """How many of the endpoints see the client's address."""
        if not self.decision.masquerade:
            return len(self.endpoints)
        return sum(map(self.keeps_client, self.endpoints))


@dataclass(frozen=True, slots=True)
class Balance:
    """Shares of new connections over the endpoints.

    `client` says whose: those from outside if the port has an external frontend, `via` which;
    else pods spread evenly over the nodes. `entry` are the classes of nodes by which they
    come. `unanswered` is the share that no endpoint gets, `second_hop` the share that crosses
    from the entry node to another, `client_kept` the share whose address the endpoint sees.
    """

    client: Client
    via: FrontendKind
    entry: tuple[NodeClass, ...]
    shares: tuple[tuple[Endpoint, Fraction], ...]
    unanswered: Fraction
    second_hop: Fraction
    client_kept: Fraction

    @property
    def imbalance(self) -> Fraction | None:
        """The largest share over the fair share; None if nobody answers."""
        answered = 1 - self.unanswered
        if not self.shares or not answered:
            return None
        return max(share for _, share in self.shares) * len(self.shares) / answered


@dataclass(frozen=True, slots=True)
class Spread:
    """The spread of one Service port in one family over all nodes."""

    service: Service
    port: ServicePort
    family: Family
    usable: Usable
    rows: tuple[Row, ...]
    balance: Balance
    health: tuple[tuple[NodeClass, HealthCheck], ...]


def spreads(cluster: Cluster, service: Service) -> tuple[Spread, ...]:
    """One Spread for every port and family in which the Service has a cluster IP."""
    listening = frontends(service, cluster.proxy.service_proxy_name)
    if not listening:
        return ()
    classes = node_classes(cluster, service)
    health = _health(cluster, service, classes)
    pairs = dict.fromkeys((f.family, f.service_port) for f in listening)
    return tuple(
        _spread(
            cluster,
            service,
            [f for f in listening if f.family is wanted and f.service_port is port],
            classes,
            health,
        )
        for wanted, port in pairs
    )


def _spread(
    cluster: Cluster,
    service: Service,
    listening: list[Frontend],
    classes: tuple[NodeClass, ...],
    health: tuple[tuple[NodeClass, HealthCheck], ...],
) -> Spread:
    wanted, port = listening[0].family, listening[0].service_port
    found = backends(cluster.slices_of(service), port, wanted)
    governed = policies(service, port, wanted, cluster.proxy)
    sorted_out = usable(found.endpoints)
    sets = [
        endpoint_sets(
            usable(found.at(node.name)) if found.copies else sorted_out,
            governed,
            node.name,
            node.zone,
            cluster.proxy,
        )
        for node in (node_class.representative for node_class in classes)
    ]
    rows = tuple(_rows(cluster, _one_of_each(listening), classes, sets))
    balance = _balance(cluster, rows, classes, sorted_out)
    return Spread(service, port, wanted, sorted_out, rows, balance, health)


def _one_of_each(listening: list[Frontend]) -> list[Frontend]:
    """One frontend of each kind: two addresses of a kind are treated alike."""
    return list({frontend.kind: frontend for frontend in reversed(listening)}.values())[::-1]


def _rows(
    cluster: Cluster,
    listening: list[Frontend],
    classes: tuple[NodeClass, ...],
    sets: list[EndpointSets],
) -> Iterable[Row]:
    """Outsiders meet the external frontends; pods and nodes the cluster IP as well."""
    config = cluster.proxy
    outsider = outside_address(cluster, listening[0].service, listening[0].family)
    for frontend in listening:
        filtered = frontend.kind is FrontendKind.LOAD_BALANCER and bool(
            source_ranges(frontend.service, frontend.family)
        )
        for client in Client:
            if client is Client.EXTERNAL and not frontend.kind.external:
                continue
            known: dict[object, Decision] = {}
            for node_class, found in zip(classes, sets, strict=True):
                node = node_class.representative
                source, kind = _seen(cluster, client, frontend.family, node, outsider)
                # The same sets, and a source that is of the same kind, mean the same decision.
                key = (id(found.cluster), id(found.local), source if filtered else kind)
                if key not in known:
                    known[key] = decide(frontend, found, source, node, config)
                yield Row(node_class, client, frontend, known[key])


Seen = tuple[str, tuple[bool | None, bool]]


def _seen(cluster: Cluster, client: Client, wanted: Family, node: ProxyNode, outsider: str) -> Seen:
    """A client's address at a node, and what that node takes it for; worked out once."""
    known = cluster.derived(_known)
    key = (client, wanted, node.name, outsider)
    if key not in known:
        config = cluster.proxy
        source = client_address(client, wanted, node, config, outsider)
        known[key] = source, (is_pod_source(source, node, config), node.owns(source))
    return known[key]


def _known(cluster: Cluster) -> dict[tuple[Client, Family, str, str], Seen]:
    """An empty table for `_seen` to fill."""
    del cluster
    return {}


def client_address(
    client: Client, wanted: Family, node: ProxyNode, config: ProxyConfig, outsider: str
) -> str:
    """An address that stands for a kind of client at `node`; never an endpoint's."""
    if client is Client.NODE:
        return node.primary_of(wanted) or outsider
    if client is Client.POD:
        return pod_address(node, wanted, config) or outsider
    return outsider


def _balance(
    cluster: Cluster, rows: tuple[Row, ...], classes: tuple[NodeClass, ...], found: Usable
) -> Balance:
    """Shares over the entry nodes: those that a load balancer admits, else all, equally."""
    client, via = _who(rows)
    entry = classes
    if rows and _behind_balancer(rows[0].frontend.service, via):
        entry = admitted(cluster, rows[0].frontend.service, classes)
    entering = {node_class.representative.name for node_class in entry}
    relevant = [
        row
        for row in rows
        if row.client is client
        and row.frontend.kind is via
        and row.nodes.representative.name in entering
    ]
    total = sum(row.nodes.count for row in relevant) or 1
    shares = _shares(relevant, total, found.ready or found.draining)
    return Balance(
        client,
        via,
        entry,
        tuple(shares.items()),
        unanswered=1 - sum(shares.values(), Fraction(0)),
        second_hop=_weighted(relevant, total, Row.crossing_count),
        client_kept=_weighted(relevant, total, Row.kept_count),
    )


def _behind_balancer(service: Service, via: FrontendKind) -> bool:
    """True if a load balancer picks the node: at its own VIP, or as a proxy to the node port."""
    proxied = any(i.ip_mode == "Proxy" or not i.ip for i in service.ingress)
    return via is FrontendKind.LOAD_BALANCER or (via is FrontendKind.NODE_PORT and proxied)


def _shares(
    rows: list[Row], total: int, endpoints: tuple[Endpoint, ...]
) -> dict[Endpoint, Fraction]:
    """The share of each endpoint; nodes that use the very same set are added up first."""
    weights: dict[int, int] = {}
    for row in rows:
        weights[id(row.endpoints)] = weights.get(id(row.endpoints), 0) + row.nodes.count
    shares = dict.fromkeys(endpoints, Fraction(0))
    for chosen in {id(row.endpoints): row.endpoints for row in rows}.values():
        for endpoint in chosen:
            share = Fraction(weights[id(chosen)], total * len(chosen))
            shares[endpoint] = shares.get(endpoint, Fraction(0)) + share
    return shares


def _weighted(rows: list[Row], total: int, hits: Callable[[Row], int]) -> Fraction:
    """The share of connections that meet one of the endpoints that `hits` counts in a row."""
    parts: dict[int, int] = {}
    for row in rows:
        size = len(row.endpoints)
        if size:
            parts[size] = parts.get(size, 0) + hits(row) * row.nodes.count
    return sum((Fraction(found, total * size) for size, found in parts.items()), Fraction(0))


def _who(rows: tuple[Row, ...]) -> tuple[Client, FrontendKind]:
    """Whose shares count, and through which frontend: what most traffic comes by."""
    kinds = {row.frontend.kind for row in rows}
    order = (FrontendKind.LOAD_BALANCER, FrontendKind.EXTERNAL_IP, FrontendKind.NODE_PORT)
    kind = next((kind for kind in order if kind in kinds), None)
    if kind is None:
        return Client.POD, FrontendKind.CLUSTER_IP
    return Client.EXTERNAL, kind


def _health(
    cluster: Cluster, service: Service, classes: tuple[NodeClass, ...]
) -> tuple[tuple[NodeClass, HealthCheck], ...]:
    """What each class of nodes answers on the health check node port; () without one."""
    if not service.spec.health_check_node_port:
        return ()
    local = endpoints_by_node(cluster, service)
    names = ((node_class, node_class.representative.name) for node_class in classes)
    answers = (
        (node_class, health_check(service, local.get(name, ()), name)) for node_class, name in names
    )
    return tuple((node_class, answer) for node_class, answer in answers if answer is not None)
