"""What the kernel takes away by itself when something goes.

1. With a sandbox goes everything in it.
2. With an end of a link the other end, with a device all that is on it. With a sandbox its links.
3. With the last IPv4 address of a device its IPv4 routes and neighbours (`fib_disable_ip`), but
   for `lo`, which keeps 127.0.0.1.
4. With an IPv4 address the routes that have it as source (`fib_sync_down_addr`).

The first address of a device is the one that the kernel picks as source, so where the order of
the addresses changes all of them are taken away and made again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubehop.lab.plan.addressing import LO
from kubehop.lab.plan.same import Places
from kubehop.lab.plan.values import (
    Address,
    Lookup,
    Neighbour,
    Plan,
    Route,
    Sandbox,
    Sysctl,
    Thing,
    Veth,
    Vxlan,
)

Device = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of things: `dead` namespaces, `lost` devices, devices that have lost all of
    their IPv4 (`silenced`), addresses to make `again` and their texts by namespace (`taken`)."""

    before: Mapping[str, Sandbox]
    after: Mapping[str, Sandbox]
    dead: frozenset[str]
    lost: frozenset[Device]
    silenced: frozenset[Device]
    again: frozenset[Address]
    taken: frozenset[tuple[str, str]]

    def disturbs(self) -> bool:
        """True if the kernel may take away what both plans have."""
        return bool(self.dead or self.lost or self.silenced or self.again or self.taken)

    def takes(self, thing: Thing) -> bool:
        """True if the kernel takes it away with something else."""
        if thing.namespace in self.dead:
            return True
        if isinstance(thing, Veth):
            return thing.peer_namespace in self.dead
        if isinstance(thing, Sandbox | Vxlan | Sysctl | Lookup):
            return False
        on = (thing.namespace, thing.device)
        if on in self.lost:
            return True
        if isinstance(thing, Neighbour):
            return on in self.silenced and ":" not in thing.address
        if isinstance(thing, Route) and ":" not in thing.to:
            return on in self.silenced or (thing.namespace, thing.source) in self.taken
        return False

    def renews(self, thing: Thing) -> bool:
        """True for an address that is taken away and made again for the order of all."""
        return bool(self.again) and isinstance(thing, Address) and thing in self.again


def fate_of(old: Plan, new: Plan, left: Places) -> Fate:
    """The fate of a lab that is `old` and becomes `new`; `left` are the things that go."""
    before, after = _sandboxes(old), _sandboxes(new)
    dead = frozenset(
        name for name, box in before.items() if name not in after or _is_other(box, after[name])
    )
    lost = frozenset(_lost(old, left, dead))
    again, silenced = _readdressed(old, new, lost)
    gone = (old.things[at] for at in left)
    leaving = (*(t for t in gone if isinstance(t, Address)), *again)
    taken = frozenset((t.namespace, t.address.partition("/")[0]) for t in leaving)
    return Fate(before, after, dead, lost, silenced, again, taken)


def _sandboxes(plan: Plan) -> dict[str, Sandbox]:
    return {thing.namespace: thing for thing in plan.things if isinstance(thing, Sandbox)}


def _is_other(old: Sandbox, new: Sandbox) -> bool:
    """True if one cannot become the other: only the text of its files can change."""
    return old.hostname != new.hostname or _paths(old) != _paths(new)


def _paths(sandbox: Sandbox) -> list[str]:
    return [path for path, _ in sandbox.files]


def _lost(old: Plan, left: Places, dead: frozenset[str]) -> Iterator[Device]:
    for at, thing in enumerate(old.things):
        if isinstance(thing, Veth):
            if at in left or thing.namespace in dead or thing.peer_namespace in dead:
                yield thing.namespace, thing.device
                yield thing.peer_namespace, thing.peer_device
        elif isinstance(thing, Vxlan) and (at in left or thing.namespace in dead):
            yield thing.namespace, thing.device


Group = tuple[str, str, bool]
"""Namespace, device, and whether of IPv6."""


def _readdressed(
    old: Plan, new: Plan, lost: frozenset[Device]
) -> tuple[frozenset[Address], frozenset[Device]]:
    """Addresses to be taken away and made again, and devices left without IPv4 in between."""
    had, has = _addresses(old), _addresses(new)
    again: set[Address] = set()
    silenced: set[Device] = set()
    for (namespace, device, is_ipv6), addresses in had.items():
        if (namespace, device) in lost:
            continue
        wanted = has.get((namespace, device, is_ipv6), {})
        kept = [address for address in addresses if address in wanted]
        if kept != list(wanted)[: len(kept)]:
            again.update(kept)
            kept = []
        if not kept and not is_ipv6 and device != LO:
            silenced.add((namespace, device))
    return frozenset(again), frozenset(silenced)


def _addresses(plan: Plan) -> dict[Group, dict[Address, None]]:
    found: dict[Group, dict[Address, None]] = {}
    for thing in plan.things:
        if isinstance(thing, Address):
            key = (thing.namespace, thing.device, ":" in thing.address)
            found.setdefault(key, {})[thing] = None
    return found
