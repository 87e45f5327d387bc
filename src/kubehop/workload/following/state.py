"""What is followed: a cluster, what it was made of, and a change of it in the making."""

import dataclasses
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from typing import Any

from kubehop.model.addresses import Family, family
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.inventory import Inventory
from kubehop.model.meta import Object
from kubehop.workload.draft import Draft
from kubehop.workload.options import Options
from kubehop.workload.owners import Key

Name = tuple[str, str]
"""Namespace and name."""

FIELDS = {
    "Node": "nodes",
    "Namespace": "namespaces",
    "Pod": "pods",
    "Service": "services",
    "EndpointSlice": "slices",
    "NetworkPolicy": "policies",
    "ConfigMap": "config_maps",
}
"""Where a Cluster keeps each kind; the other kinds are in the inventory only."""


@dataclass(frozen=True, slots=True)
class Following:
    """A cluster that lives: what was given and changed since, and what controllers made of it.

    `inventory` holds what people gave: workloads, Services and the rest as they were applied
    and scaled. `cluster` holds what stands: pods, addresses and EndpointSlices, which stay until
    something has to change them. `assumed` are the assumptions of the start; those of the last
    change follow them in `cluster.assumptions`.
    """

    inventory: Inventory
    options: Options
    cluster: Cluster
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One change on its way through the controllers.

    `touched` are the workloads to look at, `renewed` those of which no pod may stay.
    """

    before: Following
    inventory: Inventory
    cluster: Cluster
    touched: frozenset[Key] = frozenset()
    renewed: frozenset[Key] = frozenset()
    lines: tuple[str, ...] = ()

    @classmethod
    def of(cls, before: Following) -> "Turn":
        """Nothing changed yet."""
        return cls(before, before.inventory, before.cluster)

    def having(self, *lines: str, **fields: Any) -> "Turn":
        """With these fields of its cluster replaced and these assumptions added."""
        cluster = dataclasses.replace(self.cluster, **fields)
        return replace(self, cluster=cluster, lines=self.lines + lines)

    def touching(self, *keys: Key) -> "Turn":
        """With these workloads to be looked at."""
        return replace(self, touched=self.touched | set(keys))

    def given(self, objects: Iterable[Object]) -> "Turn":
        """With these objects, all of one kind, in the inventory: new or instead of others."""
        found = {sort_key(obj): obj for obj in objects}
        if not found:
            return self
        kind = type(next(iter(found.values()))).__name__
        merged = merged_with(self.inventory.objects.get(kind, ()), found.values())
        return self._with_given(kind, merged)

    def standing(self, objects: Iterable[Object]) -> "Turn":
        """With these objects, all of one kind, in the cluster: new or instead of others."""
        found = tuple(objects)
        if not found:
            return self
        where = FIELDS[type(found[0]).__name__]
        return self.having(**{where: merged_with(getattr(self.cluster, where), found)})

    def without(self, kind: str, names: Set[Name]) -> "Turn":
        """Without the objects of a kind that have these names, in inventory and cluster."""
        turn = self
        kept = _except(self.inventory.objects.get(kind, ()), names)
        if len(kept) != len(self.inventory.objects.get(kind, ())):
            turn = self._with_given(kind, kept)
        where = FIELDS.get(kind)
        return (
            turn.having(**{where: _except(getattr(turn.cluster, where), names)}) if where else turn
        )

    def _with_given(self, kind: str, objects: tuple[Object, ...]) -> "Turn":
        every = {**self.inventory.objects, kind: objects}
        return replace(self, inventory=replace(self.inventory, objects=every))

    def draft(self) -> Draft:
        """The draft that the steps of `complete` take: Services as they stand are its input."""
        families = tuple(dict.fromkeys(map(family, self.cluster.service_cidrs)))
        objects = {**self.inventory.objects, "Service": self.cluster.services}
        known = {node.name for node in self.inventory.objects.get("Node", ())}
        imaginary = any(node.name not in known and node.pod_cidrs for node in self.cluster.nodes)
        return Draft(
            Inventory(objects),
            self.before.options,
            self.cluster,
            families or (Family.IPV4,),
            imaginary,
        )


def merged_with(old: Iterable[Any], new: Iterable[Any]) -> tuple[Any, ...]:
    """`old` with `new` instead of those of the same name, in the order of a Cluster."""
    found = {sort_key(obj): obj for obj in old}
    found.update((sort_key(obj), obj) for obj in new)
    return tuple(found[key] for key in sorted(found))


def _except(objects: tuple[Object, ...], names: Set[Name]) -> tuple[Object, ...]:
    return tuple(obj for obj in objects if sort_key(obj) not in names)
