"""From one plan to another: what to take away, what to make, which rules to load.

A thing that the kernel takes away by itself needs no step, but one that both plans have must be
made again. What takes what with it:

1. A sandbox, everything in it.
2. An end of a link, the other end; a device, all that is on it. A sandbox takes its links.
3. The last IPv4 address of a device, its IPv4 routes and neighbours (`fib_disable_ip`), but
   for `lo`, which keeps 127.0.0.1.
4. An IPv4 address, the routes with it as source (`fib_sync_down_addr`).

The first address of a device is the one that the kernel picks as source, so where the order of
the addresses changes all of them are taken away and made again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubehop.lab.plan.addressing import LO
from kubehop.lab.plan.drops import drops_text
from kubehop.lab.plan.rules import change_text, load_text
from kubehop.lab.plan.values import (
    Address,
    Drop,
    Lookup,
    Make,
    Neighbour,
    Nft,
    Plan,
    Remove,
    Rewrite,
    Route,
    Ruleset,
    Sandbox,
    Step,
    Sysctl,
    Thing,
    Veth,
    Vxlan,
)

Device = tuple[str, str]
"""Namespace and name."""
_TABLE = re.compile(r"^table (\S+) (\S+)", re.MULTILINE)


def difference(old: Plan, new: Plan) -> tuple[Step, ...]:
    """The steps that make a lab that is `old` one that is `new`; () if they are equal.

    1. what goes, last made first  2. what comes, in the plan's order  3. files of sandboxes that
    stay  4. rules: whole in new namespaces, else what changed  5. packets that faults drop.
    Settings (Sysctl) stay as they are when a plan no longer names them.
    """
    fate = _fate(old, new)
    gone = [thing for thing in old.things if fate.is_removed(thing)]
    made = [thing for thing in new.things if fate.is_made(thing)]
    return (
        *map(Remove, reversed(gone)),
        *map(Make, made),
        *_rewritten(fate),
        *_rules(old, new, fate),
        *_drops(old, new, fate),
    )


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of things: `dead` namespaces, `lost` devices, devices that have lost all of
    their IPv4 (`silenced`), addresses to make `again` and their texts by namespace (`taken`)."""

    old: frozenset[Thing]
    new: frozenset[Thing]
    before: Mapping[str, Sandbox]
    after: Mapping[str, Sandbox]
    dead: frozenset[str]
    lost: frozenset[Device]
    silenced: frozenset[Device]
    again: frozenset[Thing]
    taken: frozenset[tuple[str, str]]

    def is_removed(self, thing: Thing) -> bool:
        """True if it must be taken away: it goes, and goes with nothing else."""
        if isinstance(thing, Sandbox):
            return thing.namespace in self.dead
        if isinstance(thing, Sysctl):
            return False
        return (thing not in self.new or thing in self.again) and not self._vanishes(thing)

    def is_made(self, thing: Thing) -> bool:
        """True if it is not there, or not any more."""
        if isinstance(thing, Sandbox):
            return thing.namespace not in self.before or thing.namespace in self.dead
        return thing not in self.old or thing in self.again or self._vanishes(thing)

    def _vanishes(self, thing: Thing) -> bool:
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


def _fate(old: Plan, new: Plan) -> _Fate:
    before, after = _sandboxes(old), _sandboxes(new)
    had, has = frozenset(old.things), frozenset(new.things)
    dead = frozenset(
        name for name, box in before.items() if name not in after or _is_other(box, after[name])
    )
    lost = frozenset(_lost(old, has, dead))
    again, silenced = _readdressed(old, new, lost)
    leaving = (t for t in old.things if isinstance(t, Address) and (t not in has or t in again))
    taken = frozenset((t.namespace, t.address.partition("/")[0]) for t in leaving)
    return _Fate(had, has, before, after, dead, lost, silenced, again, taken)


def _sandboxes(plan: Plan) -> dict[str, Sandbox]:
    return {thing.namespace: thing for thing in plan.things if isinstance(thing, Sandbox)}


def _is_other(old: Sandbox, new: Sandbox) -> bool:
    """True if one cannot become the other: only the text of its files can change."""
    return old.hostname != new.hostname or _paths(old) != _paths(new)


def _paths(sandbox: Sandbox) -> list[str]:
    return [path for path, _ in sandbox.files]


def _lost(old: Plan, has: frozenset[Thing], dead: frozenset[str]) -> Iterator[Device]:
    for thing in old.things:
        if isinstance(thing, Veth):
            if thing not in has or thing.namespace in dead or thing.peer_namespace in dead:
                yield thing.namespace, thing.device
                yield thing.peer_namespace, thing.peer_device
        elif isinstance(thing, Vxlan) and (thing not in has or thing.namespace in dead):
            yield thing.namespace, thing.device


Group = tuple[str, str, bool]
"""Namespace, device, and whether of IPv6."""


def _readdressed(
    old: Plan, new: Plan, lost: frozenset[Device]
) -> tuple[frozenset[Thing], frozenset[Device]]:
    """Addresses to be taken away and made again, and devices left without IPv4 in between."""
    had, has = _addresses(old), _addresses(new)
    again: set[Thing] = set()
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


def _rewritten(fate: _Fate) -> Iterator[Rewrite]:
    for name, box in fate.after.items():
        if name in fate.before and name not in fate.dead and box != fate.before[name]:
            yield Rewrite(box)


def _rules(old: Plan, new: Plan, fate: _Fate) -> Iterator[Nft]:
    for name, ruleset in new.rulesets.items():
        had = old.rulesets.get(name) if name not in fate.dead else None
        if had is not ruleset:
            text = load_text(ruleset) if had is None else change_text(had, ruleset)
            if text:
                yield Nft(name, text)
    for name, ruleset in old.rulesets.items():
        if name not in new.rulesets and name in fate.after and name not in fate.dead:
            yield Nft(name, _without(ruleset))


def _without(ruleset: Ruleset) -> str:
    """The text that takes away the tables of a ruleset."""
    return "".join(f"delete table {kind} {name}\n" for kind, name in _tables(ruleset))


def _tables(ruleset: Ruleset) -> Iterable[tuple[str, str]]:
    return dict.fromkeys((match[1], match[2]) for match in _TABLE.finditer(ruleset.frame))


def _drops(old: Plan, new: Plan, fate: _Fate) -> Iterator[Nft]:
    """The table of faults, whole, where it changes."""
    had, has = _by_namespace(old.drops), _by_namespace(new.drops)
    for name in sorted({*had, *has}):
        before = had.get(name, frozenset()) if name not in fate.dead else frozenset()
        after = has.get(name, frozenset())
        if before != after and name in fate.after:
            yield Nft(name, drops_text(after))


def _by_namespace(drops: Iterable[Drop]) -> dict[str, frozenset[Drop]]:
    found: dict[str, set[Drop]] = {}
    for drop in drops:
        found.setdefault(drop.namespace, set()).add(drop)
    return {name: frozenset(its) for name, its in found.items()}
