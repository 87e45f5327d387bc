"""Lists in single namespaces, for credentials that may not list in all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubehop.live.api import Api, Refused
from kubehop.live.lists import Objects, list_kind
from kubehop.live.threads import Grown
from kubehop.model.kinds import Kind
from kubehop.model.meta import Object


@dataclass(frozen=True, slots=True)
class Scoped:
    """The objects of a kind in the namespaces that could be listed; others are not known."""

    objects: Objects
    namespaces: tuple[str, ...]


def list_scoped(api: Api, kind: Kind, namespaces: Sequence[str], grown: Grown) -> Scoped | None:
    """The objects of `kind` in those of `namespaces` that may be listed; None if none may.

    `grown` is told how many objects there are. Raises ClusterError when the server fails.
    """
    objects: list[Object] = []
    allowed: list[str] = []

    def grown_here(more: int) -> None:
        grown(len(objects) + more)

    for namespace in namespaces:
        outcome = list_kind(api, kind, grown_here, namespace)
        if not isinstance(outcome, Refused):
            objects += outcome
            allowed.append(namespace)
    return Scoped(tuple(objects), tuple(allowed)) if allowed else None
