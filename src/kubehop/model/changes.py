"""What changed between two states of a cluster: what cluster DNS answers from, object by object."""

from collections.abc import Iterable
from dataclasses import dataclass

from kubehop.model.cluster import Cluster
from kubehop.model.kinds import KINDS
from kubehop.model.meta import Object

Key = tuple[str, str, str]
"""Kind, namespace ("" if cluster-scoped) and name."""

FOLLOWED = ("Namespace", "Service", "EndpointSlice", "Pod")
"""The kinds that a Change is about."""
EVERYTHING = frozenset(KINDS[name].plural for name in FOLLOWED)
"""`synced` of a source that has all there is."""


@dataclass(frozen=True, slots=True)
class Change:
    """Objects that are new or other than before, and the keys of those that are gone.

    No key is in both. Only the kinds in FOLLOWED. Where several changes became one, an object
    may be gone that came in between, or put that is as it was before: apply them as they are.
    """

    put: tuple[Object, ...] = ()
    gone: tuple[Key, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.put or self.gone)


@dataclass(frozen=True, slots=True)
class State:
    """What a source knows when it starts.

    `synced` has the plurals of the kinds of which every object is known ("services"): until
    then a missing name is not a wrong one. `corefile` is the text in the cluster's ConfigMap,
    None if there is none or it cannot be read.
    """

    cluster: Cluster
    synced: frozenset[str] = frozenset()
    corefile: str | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """What a source tells at once: the change, and what is true after it (see State)."""

    change: Change = Change()
    synced: frozenset[str] = frozenset()
    corefile: str | None = None


def corefile_in(cluster: Cluster) -> str | None:
    """The text of the Corefile in the ConfigMap kube-system/coredns, None without one."""
    return next(
        (
            (config_map.data or {}).get("Corefile")
            for config_map in cluster.config_maps
            if (config_map.namespace, config_map.name) == ("kube-system", "coredns")
        ),
        None,
    )


def key_of(obj: Object) -> Key:
    """How a Change names an object that is gone."""
    return type(obj).__name__, obj.namespace, obj.name


def between(old: Cluster, new: Cluster) -> Change:
    """What turns `old` into `new`; an equal object has not changed, whoever decoded it.

    An object that both hold costs nothing but a look at its identity.
    """
    tables = (
        (old.namespaces, new.namespaces),
        (old.services, new.services),
        (old.slices, new.slices),
        (old.pods, new.pods),
    )
    return joined(_between(before, after) for before, after in tables if before is not after)


def joined(changes: Iterable[Change]) -> Change:
    """The one Change that does what `changes` do one after the other."""
    found: dict[Key, Object | None] = {}
    for change in changes:
        found.update(dict.fromkeys(change.gone))
        found.update((key_of(obj), obj) for obj in change.put)
    return Change(
        tuple(obj for obj in found.values() if obj is not None),
        tuple(key for key, obj in found.items() if obj is None),
    )


def _between(before: tuple[Object, ...], after: tuple[Object, ...]) -> Change:
    had, has = set(map(id, before)), set(map(id, after))
    left = {key_of(obj): obj for obj in before if id(obj) not in has}
    came = {key_of(obj): obj for obj in after if id(obj) not in had}
    return Change(
        tuple(obj for key, obj in came.items() if left.get(key) != obj),
        tuple(key for key in left if key not in came),
    )
