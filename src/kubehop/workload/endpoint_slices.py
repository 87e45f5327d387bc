"""EndpointSlices of the Services that have none in the input."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.inventory import Inventory
from kubehop.model.node import Node
from kubehop.model.service import (
    SKIP_MIRROR_LABEL,
    Endpoints,
    EndpointSlice,
    Service,
    SliceEndpoint,
)
from kubehop.workload import say
from kubehop.workload.draft import Draft
from kubehop.workload.hints import topology_auto, with_hints
from kubehop.workload.selecting import PodIndex
from kubehop.workload.slices import mirror, slices_for
from kubehop.workload.topology import Shares, zone_shares

API_SERVER = ("default", "kubernetes")
"""The Service whose slice the API server writes itself, equal to its Endpoints."""


def endpoint_slices_step(draft: Draft) -> Draft:
    """Draft with EndpointSlices; made for Services without any, unless an API listed them all.

    A Service with a selector has at least an empty slice in a real cluster, so that one without
    was not observed. Endpoints of its name are mirrored, else pods are selected.
    """
    known = draft.inventory.of(EndpointSlice)
    if "EndpointSlice" in draft.inventory.complete:
        return draft.having(slices=known)
    sliced = {(found.namespace, found.service_name) for found in known}
    bare = [
        service
        for service in draft.cluster.services
        if sort_key(service) not in sliced and service.spec.type != "ExternalName"
    ]
    if not bare:
        return draft.having(slices=known)
    material = Material.of(draft, bare)
    made = [(service, *made_for(service, material)) for service in bare]
    slices = (*known, *(found for _, _, group in made for found in group))
    return draft.having(*_lines(made), slices=tuple(sorted(slices, key=sort_key)))


@dataclass(frozen=True, slots=True)
class Material:
    """What slices are made from."""

    nodes: Mapping[str, Node]
    shares: Shares
    pods: PodIndex
    endpoints: Mapping[tuple[str, str], Endpoints]

    @classmethod
    def of(cls, draft: Draft, services: Iterable[Service]) -> "Material":
        """The material that a draft has for these Services."""
        return cls.among(draft.cluster, draft.inventory, services)

    @classmethod
    def among(
        cls, cluster: Cluster, inventory: Inventory, services: Iterable[Service]
    ) -> "Material":
        """The material that a cluster's pods and nodes, and the Endpoints given, are."""
        return cls(
            {node.name: node for node in cluster.nodes},
            zone_shares(cluster.nodes),
            PodIndex(cluster.pods, services),
            {sort_key(found): found for found in inventory.of(Endpoints)},
        )


def made_for(service: Service, material: Material) -> tuple[str, tuple[EndpointSlice, ...]]:
    """Where a Service's slices come from, in words, and the slices."""
    endpoints = material.endpoints.get(sort_key(service))
    mirrored = mirror(mirrorable(endpoints), service) if endpoints else ()
    if mirrored and not service.spec.selector:
        return "mirrored from Endpoints", mirrored
    if mirrored:
        zoned = [_with_zones(found, material.nodes) for found in mirrored]
        return "mirrored from Endpoints", with_hints(service, zoned, material.shares)
    slices = slices_for(service, material.pods.candidates(service), material.nodes)
    return "built from pods", with_hints(service, slices, material.shares)


def mirrorable(endpoints: Endpoints) -> Endpoints:
    """The API server's own without the label that only keeps the mirroring controller off."""
    if sort_key(endpoints) != API_SERVER:
        return endpoints
    labels = {k: v for k, v in endpoints.labels.items() if k != SKIP_MIRROR_LABEL}
    return replace(endpoints, metadata=replace(endpoints.metadata, labels=labels))


def _with_zones(found: EndpointSlice, nodes: Mapping[str, Node]) -> EndpointSlice:
    """Endpoints tell no zones; but behind a selector they stand for slices that do."""

    def zoned(endpoint: SliceEndpoint) -> SliceEndpoint:
        node = nodes.get(endpoint.node_name or "")
        return replace(endpoint, zone=node.zone or None) if node else endpoint

    return replace(found, endpoints=tuple(map(zoned, found.endpoints or ())))


def _lines(made: Iterable[tuple[Service, str, tuple[EndpointSlice, ...]]]) -> list[str]:
    sources: dict[str, int] = {}
    empty, unknown, dealt = [], [], []
    for service, source, slices in made:
        if not slices:
            unknown.append(service.reference)
            continue
        sources[source] = sources.get(source, 0) + 1
        if service.spec.selector and not any(found.endpoints for found in slices):
            empty.append(service.reference)
        if topology_auto(service):
            dealt.append(service.reference)
    lines = [
        f"EndpointSlices of {say.count(number, 'Service')} {source}"
        for source, number in sorted(sources.items())
    ]
    if empty:
        lines.append(f"no pod in the input is behind {say.some(empty)}")
    if unknown:
        lines.append(
            f"no selector and no endpoints in the input, none assumed: {say.some(unknown)}"
        )
    if dealt:
        lines.append(f"topology-mode Auto, real slices may hint otherwise: {say.some(dealt)}")
    return lines
