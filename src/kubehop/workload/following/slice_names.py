"""Slices made anew in place of those that stand: the names that stay, and whether they differ."""

import itertools
import operator

from msgspec.structs import replace

from kubehop.model.addresses import canonical
from kubehop.model.service import EndpointConditions, EndpointSlice, Hints, SliceEndpoint

Slices = tuple[EndpointSlice, ...]


def settled(made: Slices, mine: Slices, others: Slices) -> Slices:
    """`made` in place of `mine`: with the names of those observed, and as they are if equal.

    Names of the form NAME-1 are our own: then they are counted as `complete` counts them.
    """
    numbered = {f"{s.service_name}-{n}" for s in made for n in range(1, len(mine) + 1)}
    names = {s.name for s in made} - {s.name for s in others}
    counted = {s.name for s in mine} <= numbered and len(names) == len(made)
    alike = operator.eq if counted else same
    named = made if counted else _renamed(made, mine, others)
    standing = {s.name: s for s in mine}
    return tuple(old if (old := standing.get(s.name)) and alike(old, s) else s for s in named)


def _renamed(made: Slices, mine: Slices, others: Slices) -> Slices:
    """With the names of slices that are there, those of the same family and ports first."""
    free, names = list(mine), {s.name for s in (*mine, *others)}
    named: dict[int, str] = {}
    for alike in (shape, lambda s: s.address_type):
        for at, found in enumerate(made):
            match = next((s for s in free if alike(s) == alike(found)), None)
            if at not in named and match is not None:
                free.remove(match)
                named[at] = match.name
    service = made[0].service_name if made else ""
    counted = (f"{service}-{number}" for number in itertools.count(1))
    spare = (name for name in counted if name not in names)
    return tuple(
        replace(s, metadata=replace(s.metadata, name=named.get(at) or next(spare)))
        for at, s in enumerate(made)
    )


def shape(found: EndpointSlice) -> tuple[object, ...]:
    """What endpoints must have in common to share a slice: family and ports."""
    ports = {(p.name or "", p.port, p.protocol or "TCP") for p in found.ports or ()}
    return found.address_type, frozenset(ports)


def same(one: EndpointSlice, other: EndpointSlice) -> bool:
    """True if both say the same of endpoints, in whatever order and spelling."""
    return shape(one) == shape(other) and _told(one) == _told(other)


def _told(found: EndpointSlice) -> dict[tuple[str, ...], tuple[object, ...]]:
    return {
        tuple(map(canonical, e.addresses)) if found.address_type != "FQDN" else e.addresses: (
            _conditions(e),
            e.node_name or "",
            e.zone or "",
            e.hostname or "",
            e.hints or Hints(),
        )
        for e in found.endpoints or ()
    }


def _conditions(endpoint: SliceEndpoint) -> tuple[bool, bool, bool]:
    """What unset means: ready, serving as ready, not terminating."""
    told = endpoint.conditions or EndpointConditions()
    ready = True if told.ready is None else told.ready
    serving = ready if told.serving is None else told.serving
    return ready, serving, bool(told.terminating)
