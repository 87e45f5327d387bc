"""From one plan to another: what to take away, what to make, which rules to load.

A thing that the kernel takes away by itself needs no step, but one that both plans have must be
made again: see `fate`.
"""

import re
from collections.abc import Iterable, Iterator

from kubehop.lab.plan.drops import drops_text
from kubehop.lab.plan.fate import Fate, fate_of
from kubehop.lab.plan.rules import change_text, load_text
from kubehop.lab.plan.same import Places, changed_places
from kubehop.lab.plan.values import (
    Drop,
    Make,
    Nft,
    Plan,
    Remove,
    Rewrite,
    Ruleset,
    Sandbox,
    Step,
    Sysctl,
    Thing,
)

_TABLE = re.compile(r"^table (\S+) (\S+)", re.MULTILINE)


def difference(old: Plan, new: Plan) -> tuple[Step, ...]:
    """The steps that make a lab that is `old` one that is `new`; () if they are equal.

    1. what goes, last made first  2. what comes, in the plan's order  3. files of sandboxes that
    stay  4. rules: whole in new namespaces, else what changed  5. packets that faults drop.
    Settings (Sysctl) stay as they are when a plan no longer names them.
    """
    left, came = changed_places(old.things, new.things)
    fate = fate_of(old, new, left)
    return (
        *map(Remove, reversed([*_gone(old, left, fate)])),
        *map(Make, _made(new, came, fate)),
        *_rewritten(fate),
        *_rules(old, new, fate),
        *_drops(old, new, fate),
    )


def _gone(old: Plan, left: Places, fate: Fate) -> Iterator[Thing]:
    """What must be taken away: it goes, and goes with nothing else."""
    places = range(len(old.things)) if fate.disturbs() else sorted(left)
    for place in places:
        thing = old.things[place]
        if isinstance(thing, Sandbox):
            if thing.namespace in fate.dead:
                yield thing
        elif isinstance(thing, Sysctl) or fate.takes(thing):
            continue
        elif place in left or fate.renews(thing):
            yield thing


def _made(new: Plan, came: Places, fate: Fate) -> Iterator[Thing]:
    """What is not there, or not any more."""
    places = range(len(new.things)) if fate.disturbs() else sorted(came)
    for place in places:
        thing = new.things[place]
        if isinstance(thing, Sandbox):
            if thing.namespace not in fate.before or thing.namespace in fate.dead:
                yield thing
        elif place in came or fate.renews(thing) or fate.takes(thing):
            yield thing


def _rewritten(fate: Fate) -> Iterator[Rewrite]:
    for name, box in fate.after.items():
        if name in fate.before and name not in fate.dead and box != fate.before[name]:
            yield Rewrite(box)


def _rules(old: Plan, new: Plan, fate: Fate) -> Iterator[Nft]:
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


def _drops(old: Plan, new: Plan, fate: Fate) -> Iterator[Nft]:
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
