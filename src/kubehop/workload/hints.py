"""Hints on endpoints: which nodes and zones should use them.

Source: k8s.io/endpointslice `reconciler.go`, `trafficdist/` and `topologycache/` (v0.37),
KEP-2433, KEP-4444, KEP-3015.
"""

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from kubehop.model.node import Node
from kubehop.model.service import EndpointSlice, Hints, Named, Service, SliceEndpoint
from kubehop.workload.topology import Shares, deal, zone_shares

SAME_ZONE = ("PreferClose", "PreferSameZone", "PreferSameNode")
SAME_NODE = ("PreferSameNode",)


class HintMethod(enum.StrEnum):
    """Which part of the controller decides on a Service's hints."""

    NONE = "none"
    TRAFFIC_DISTRIBUTION = "trafficDistribution"
    TOPOLOGY_CACHE = "topologycache"


@dataclass(frozen=True, slots=True)
class HintPlan:
    """The hints, parallel to the endpoints asked for, and why they are so."""

    method: HintMethod
    hints: tuple[Hints | None, ...]
    why: str


def hints_for(
    service: Service, endpoints: Sequence[SliceEndpoint], nodes: Iterable[Node]
) -> HintPlan:
    """The hints that all endpoints of one Service and one address family get."""
    return plan(service, endpoints, zone_shares(nodes))


def plan(service: Service, endpoints: Sequence[SliceEndpoint], shares: Shares) -> HintPlan:
    """`hints_for` with the zones' CPU shares known.

    1. annotation topology-mode Auto: dealt out by CPU, trafficDistribution ignored
    2. a known trafficDistribution: the endpoint's own zone, and its own node for PreferSameNode
    3. else none
    Endpoints that are not ready get none.
    """
    if topology_auto(service):
        return _by_cpu(endpoints, shares)
    distribution = service.spec.traffic_distribution
    if distribution not in SAME_ZONE:
        why = f"trafficDistribution {distribution} is not known" if distribution else ""
        nothing = (None,) * len(endpoints)
        return HintPlan(HintMethod.NONE, nothing, why or "the Service asks for none")
    hints = tuple(_own(endpoint, distribution in SAME_NODE) for endpoint in endpoints)
    return HintPlan(HintMethod.TRAFFIC_DISTRIBUTION, hints, f"trafficDistribution {distribution}")


def with_hints(
    service: Service, slices: Iterable[EndpointSlice], shares: Shares
) -> tuple[EndpointSlice, ...]:
    """All slices of a Service with their hints, which are dealt out per address type."""
    alike: dict[str, list[EndpointSlice]] = {}
    for found in slices:
        alike.setdefault(found.address_type, []).append(found)
    return tuple(hinted for group in alike.values() for hinted in _hinted(service, group, shares))


def _hinted(
    service: Service, slices: list[EndpointSlice], shares: Shares
) -> Iterator[EndpointSlice]:
    decided = plan(service, [e for found in slices for e in found.endpoints or ()], shares)
    if decided.method is HintMethod.NONE:
        yield from slices
        return
    hints = iter(decided.hints)
    for found in slices:
        endpoints = tuple(replace(e, hints=next(hints)) for e in found.endpoints or ())
        yield replace(found, endpoints=endpoints)


def topology_auto(service: Service) -> bool:
    """True if the annotation asks for CPU-proportional hints; the older spelling wins."""
    annotations = service.metadata.annotations
    if annotations is None:
        return False
    older, newer = annotations.topology_aware_hints, annotations.topology_mode
    return (newer if older is None else older) in ("Auto", "auto")


def _ready(endpoint: SliceEndpoint) -> bool:
    return bool(endpoint.conditions and endpoint.conditions.ready)


def _own(endpoint: SliceEndpoint, same_node: bool) -> Hints | None:
    if not _ready(endpoint):
        return None
    zones = (Named(endpoint.zone),) if endpoint.zone else None
    nodes = (Named(endpoint.node_name),) if same_node and endpoint.node_name else None
    return Hints(for_zones=zones, for_nodes=nodes) if zones or nodes else None


def _by_cpu(endpoints: Sequence[SliceEndpoint], shares: Shares) -> HintPlan:
    dealt = deal([endpoint.zone or "" for endpoint in endpoints if _ready(endpoint)], shares)
    zones = iter(dealt.zones)
    hints = tuple(
        Hints(for_zones=(Named(next(zones)),)) if dealt.zones and _ready(endpoint) else None
        for endpoint in endpoints
    )
    return HintPlan(HintMethod.TOPOLOGY_CACHE, hints, dealt.why or "topology-mode Auto")
