"""EndpointSlices of the Services that a change reaches, as the controllers reconcile them.

1. A Service with a selector owns the slices that carry its controller's label, or none of
   another's. They are made of the pods as they are now, as soon as the Service, one of its pods,
   of their nodes, or one of these slices changes.
2. What a slice holds of pods that the input never had stays: nobody knows that they are gone.
3. Slices that were observed keep their names, and stay as they are where they say the same.
4. A Service without a selector keeps what it was given; Endpoints are mirrored when they change.

Sources: k8s.io/endpointslice `reconciler.go`, `pkg/controller/endpointslice`,
`pkg/controller/endpointslicemirroring`.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from kubehop.model.addresses import canonical
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.inventory import Inventory
from kubehop.model.meta import Object
from kubehop.model.pod import Pod
from kubehop.model.service import (
    Endpoints,
    EndpointSlice,
    Service,
    SliceEndpoint,
)
from kubehop.workload.cutting import MANAGED_BY_LABEL, MAX_ENDPOINTS
from kubehop.workload.endpoint_slices import Material, made_for, mirrorable
from kubehop.workload.following.slice_names import Slices, settled, shape
from kubehop.workload.following.state import Name, Turn
from kubehop.workload.hints import topology_auto, with_hints
from kubehop.workload.slices import (
    CONTROLLER,
    MIRRORING_CONTROLLER,
    mirror,
    selects,
    slices_for,
)

T = TypeVar("T", bound=Object)

OWN = frozenset({"", CONTROLLER, MIRRORING_CONTROLLER})
"""Who manages the slices of a Service with a selector; "" where the input does not say."""


def slices_step(turn: Turn) -> Turn:
    """The slices of every Service that the change reaches, made anew; of those gone, none."""
    before = turn.before.cluster
    services = reached(turn)
    alive = {sort_key(service) for service in turn.cluster.services}
    gone = {sort_key(service) for service in before.services} - alive
    if not services and not gone:
        return turn
    makers = Makers.of(turn, services)
    dropped = {id(s) for key in gone for s in _by_service(turn.cluster, key) if _owned(s)}
    made: list[EndpointSlice] = []
    for service in services:
        own = turn.cluster.slices_of(service)
        made += makers.slices(service, own)
        dropped.update(map(id, own))
    kept = [found for found in turn.cluster.slices if id(found) not in dropped]
    slices = tuple(sorted((*kept, *made), key=sort_key))
    return turn if slices == turn.cluster.slices else turn.having(slices=slices)


def _by_service(cluster: Cluster, key: Name) -> Slices:
    namespace, name = key
    return tuple(s for s in cluster.slices if (s.namespace, s.service_name) == (namespace, name))


def _owned(found: EndpointSlice) -> bool:
    """True if it goes with its Service: a controller made it, or it names the Service as owner."""
    managed = found.labels.get(MANAGED_BY_LABEL) in (CONTROLLER, MIRRORING_CONTROLLER)
    return managed or any(o.kind == "Service" for o in found.metadata.owner_references or ())


def reached(turn: Turn) -> list[Service]:
    """The Services whose slices a change may make different."""
    before, now = turn.before.cluster, turn.cluster
    names = {sort_key(service) for service in changed(before.services, now.services)}
    names |= {(s.namespace, s.service_name) for s in changed(before.slices, now.slices)}
    names |= {
        sort_key(found)
        for found in changed(turn.before.inventory.of(Endpoints), turn.inventory.of(Endpoints))
    }
    nodes = {node.name for node in changed(before.nodes, now.nodes)}
    pods = changed(before.pods, now.pods)
    if nodes:
        pods += [pod for pod in now.pods if pod.node_name in nodes]
    if pods:
        selectors = _Selectors(now.services)
        names |= {sort_key(service) for pod in pods for service in selectors.selecting(pod)}
    return [
        service
        for service in now.services
        if sort_key(service) in names or (nodes and topology_auto(service))
    ]


def changed(before: Sequence[T], now: Sequence[T]) -> list[T]:
    """Objects of either that are not equal in both."""
    if before is now:
        return []
    had, has = set(map(id, before)), set(map(id, now))
    old = {sort_key(obj): obj for obj in before if id(obj) not in has}
    new = {sort_key(obj): obj for obj in now if id(obj) not in had}
    return [obj for key, obj in old.items() if new.get(key) != obj] + [
        obj for key, obj in new.items() if old.get(key) != obj
    ]


class _Selectors:
    """Services by one label that each selects by, so that a pod finds its own quickly."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services: dict[tuple[str, str, str], list[Service]] = {}
        for service in services:
            for label, value in (service.spec.selector or {}).items():
                self._services.setdefault((service.namespace, label, value), []).append(service)
                break

    def selecting(self, pod: Pod) -> Iterator[Service]:
        """Those that select the pod."""
        for label, value in pod.labels.items():
            for service in self._services.get((pod.namespace, label, value), ()):
                if selects(service, pod):
                    yield service


@dataclass(frozen=True, slots=True)
class Makers:
    """The controllers that make slices, and what they make them of.

    `seen` are the names of all pods before and after the change; `addresses` those that pods
    had before; `mirrored` the names of the Endpoints that were there before.
    """

    material: Material
    seen: frozenset[Name]
    addresses: frozenset[str]
    mirrored: frozenset[Name]
    all_seen: bool

    @classmethod
    def of(cls, turn: Turn, services: Sequence[Service]) -> "Makers":
        """Those of a change, for these Services."""
        before = turn.before
        return cls.among(
            turn.cluster, turn.inventory, services, before.cluster.pods, before.inventory
        )

    @classmethod
    def among(
        cls,
        cluster: Cluster,
        inventory: Inventory,
        services: Sequence[Service],
        earlier: Iterable[Pod],
        given: Inventory,
    ) -> "Makers":
        """Those of a cluster that had the pods `earlier` before, and was `given` Endpoints."""
        earlier = tuple(earlier)
        return cls(
            Material.among(cluster, inventory, services),
            frozenset(map(sort_key, (*cluster.pods, *earlier))),
            frozenset(canonical(a) for pod in earlier for a in pod.addresses),
            frozenset(map(sort_key, given.of(Endpoints))),
            "Pod" in inventory.complete,
        )

    def slices(self, service: Service, own: Slices) -> Slices:
        """The slices of a Service that has `own`, as they have to be."""
        if service.spec.type == "ExternalName":
            return own
        if not service.spec.selector:
            return self._by_hand(service, own)
        if not own and sort_key(service) in self.material.endpoints:
            return made_for(service, self.material)[1]
        others = tuple(s for s in own if s.labels.get(MANAGED_BY_LABEL, "") not in OWN)
        mine = tuple(s for s in own if s.labels.get(MANAGED_BY_LABEL, "") in OWN)
        return (*others, *settled(self._selected(service, mine), mine, others))

    def _selected(self, service: Service, mine: Slices) -> Slices:
        pods = self.material.pods.candidates(service)
        made = slices_for(service, pods, self.material.nodes)
        kept = [(s, e) for s in mine for e in s.endpoints or () if not self._known(s, e)]
        return with_hints(service, _with_unseen(made, kept), self.material.shares)

    def _known(self, found: EndpointSlice, endpoint: SliceEndpoint) -> bool:
        """True if it stands for a pod of which the input tells, or told, more than that."""
        target = endpoint.target_ref
        if self.all_seen:
            return True
        if target and target.kind == "Pod" and target.name:
            return (target.namespace or found.namespace, target.name) in self.seen
        return any(canonical(a) in self.addresses for a in endpoint.addresses)

    def _by_hand(self, service: Service, own: Slices) -> Slices:
        """What people and Endpoints give; mirrored slices go with their Endpoints."""
        key = sort_key(service)
        endpoints = self.material.endpoints.get(key)
        if endpoints is None and key not in self.mirrored:
            return own
        mine = tuple(s for s in own if s.labels.get(MANAGED_BY_LABEL) == MIRRORING_CONTROLLER)
        others = tuple(s for s in own if s not in mine)
        if endpoints is None:
            return others
        made = mirror(endpoints if others else mirrorable(endpoints), service)
        return (*others, *settled(made, mine, others))


def _with_unseen(made: Slices, kept: Iterable[tuple[EndpointSlice, SliceEndpoint]]) -> Slices:
    """With endpoints that nobody knows more of, in slices of their family and ports."""
    slices = list(made)
    had = {a for s in made for e in s.endpoints or () for a in e.addresses}
    for found, endpoint in kept:
        if had.issuperset(map(canonical, endpoint.addresses)):
            continue
        at = next((n for n, s in enumerate(slices) if _fits(s, found)), None)
        if at is None:
            slices.append(replace(found, endpoints=(endpoint,)))
        else:
            endpoints = (*(slices[at].endpoints or ()), endpoint)
            slices[at] = replace(slices[at], endpoints=endpoints)
    filled = {s.address_type for s in slices if s.endpoints}
    return tuple(s for s in slices if s.endpoints or s.address_type not in filled)


def _fits(one: EndpointSlice, other: EndpointSlice) -> bool:
    return shape(one) == shape(other) and len(one.endpoints or ()) < MAX_ENDPOINTS


def unlike(cluster: Cluster, inventory: Inventory) -> list[Service]:
    """Services with slices in the input that are not what their pods, as known, would give."""
    observed = {(s.namespace, s.service_name) for s in inventory.of(EndpointSlice)}
    if not observed:
        return []
    services = [s for s in cluster.services if s.spec.selector and sort_key(s) in observed]
    makers = Makers.among(cluster, inventory, services, cluster.pods, inventory)
    return [
        service
        for service in services
        if any(
            one is not other
            for one, other in itertools.zip_longest(
                sorted(makers.slices(service, cluster.slices_of(service)), key=sort_key),
                cluster.slices_of(service),
            )
        )
    ]
