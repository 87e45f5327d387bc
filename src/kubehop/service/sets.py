"""Which endpoints a node may use: the Cluster set and the Local set (`pkg/proxy/topology.go`)."""

from collections.abc import Callable
from dataclasses import dataclass

from kubehop.model.proxy import ProxyConfig
from kubehop.service.endpoints import Endpoint

Endpoints = tuple[Endpoint, ...]
Keys = Callable[[Endpoint], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Policies:
    """A Service port's policies, in the words of `pkg/proxy/serviceport.go`.

    `externally_accessible`: it has a node port, a load balancer address or an external IP.
    `hints_allowed` is only ever False for a kube-proxy that wants an annotation for hints.
    """

    internal_local: bool = False
    external_local: bool = False
    externally_accessible: bool = False
    hints_allowed: bool = True

    @property
    def uses_cluster(self) -> bool:
        """External frontends need the Cluster set even under Local: for the short-circuit."""
        return not self.internal_local or self.externally_accessible

    @property
    def uses_local(self) -> bool:
        return self.internal_local or (self.external_local and self.externally_accessible)


@dataclass(frozen=True, slots=True)
class EndpointSets:
    """The sets of one Service port on one node; None: the port never uses that set.

    `has_any` is False when no endpoint is usable on any node: REJECT instead of DROP.
    """

    cluster: Endpoints | None
    local: Endpoints | None
    has_any: bool

    @property
    def all(self) -> Endpoints:
        """Every endpoint that the node must be able to reach."""
        return tuple(dict.fromkeys((*(self.cluster or ()), *(self.local or ()))))


@dataclass(frozen=True, slots=True)
class Usable:
    """The endpoints of one Service port that any node could use, sorted out once.

    `by_zone` and `by_node` hold ready endpoints by their hints, and are None unless *every*
    ready endpoint has a hint of that kind: one without disables it for the whole port.
    `local` holds, by node, its ready endpoints or else its draining ones.
    """

    ready: Endpoints
    draining: Endpoints
    local: dict[str, Endpoints]
    by_zone: dict[str, Endpoints] | None
    by_node: dict[str, Endpoints] | None


def usable(endpoints: Endpoints) -> Usable:
    """Sort out `endpoints`; those neither ready nor draining are never used."""
    ready = tuple(e for e in endpoints if e.ready)
    draining = tuple(e for e in endpoints if e.draining)
    return Usable(
        ready,
        draining,
        local=_grouped(draining, _own_node) | _grouped(ready, _own_node),
        by_zone=_grouped(ready, _zones) if all(e.for_zones for e in ready) else None,
        by_node=_grouped(ready, _nodes) if all(e.for_nodes for e in ready) else None,
    )


def endpoint_sets(
    found: Usable, policies: Policies, node: str, zone: str, config: ProxyConfig
) -> EndpointSets:
    """Categorise endpoints for the kube-proxy of `node` in `zone` (reference, section 2)."""
    cluster = local = None
    if policies.uses_cluster:
        cluster = _hinted(found, policies, node, zone, config) or found.draining
    if policies.uses_local:
        local = found.local.get(node, ())
    return EndpointSets(cluster, local, has_any=bool(found.ready or found.draining))


def _hinted(
    found: Usable, policies: Policies, node: str, zone: str, config: ProxyConfig
) -> Endpoints:
    """Ready endpoints after hints.

    Step 1: every one has a node hint and one is hinted for this node: those.
    Step 2: every one has a zone hint and one is hinted for this zone: those.
    Step 3: all.
    """
    if policies.hints_allowed:
        if config.same_node_hints and found.by_node and node in found.by_node:
            return found.by_node[node]
        if zone and found.by_zone and zone in found.by_zone:
            return found.by_zone[zone]
    return found.ready


def _own_node(endpoint: Endpoint) -> tuple[str, ...]:
    return (endpoint.node,) if endpoint.node else ()


def _zones(endpoint: Endpoint) -> tuple[str, ...]:
    return endpoint.for_zones


def _nodes(endpoint: Endpoint) -> tuple[str, ...]:
    return endpoint.for_nodes


def _grouped(endpoints: Endpoints, keys: Keys) -> dict[str, Endpoints]:
    groups: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        for key in dict.fromkeys(keys(endpoint)):
            groups.setdefault(key, []).append(endpoint)
    return {key: tuple(group) for key, group in groups.items()}
