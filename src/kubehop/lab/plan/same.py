"""What two plans have in common."""

from kubehop.lab.plan.values import Thing

Places = frozenset[int]
"""Of things in a plan."""


def changed_places(old: tuple[Thing, ...], new: tuple[Thing, ...]) -> tuple[Places, Places]:
    """Where `old` has what `new` has not, and the reverse.

    Like plans have long runs in common, and to compare is cheaper than to hash: of each kind only
    what is between the equal beginning and the equal end is looked up.
    """
    left: list[int] = []
    came: list[int] = []
    had, has = _by_kind(old), _by_kind(new)
    for kind in had.keys() | has.keys():
        before, after = had.get(kind, []), has.get(kind, [])
        first, last = _ends([old[at] for at in before], [new[at] for at in after])
        before, after = before[first : len(before) - last], after[first : len(after) - last]
        left += _missing(old, before, new, after)
        came += _missing(new, after, old, before)
    return frozenset(left), frozenset(came)


def _missing(
    things: tuple[Thing, ...], at: list[int], others: tuple[Thing, ...], there: list[int]
) -> list[int]:
    if not there:
        return at
    known = {others[place] for place in there}
    return [place for place in at if things[place] not in known]


def _by_kind(things: tuple[Thing, ...]) -> dict[type[Thing], list[int]]:
    found: dict[type[Thing], list[int]] = {}
    for at, thing in enumerate(things):
        found.setdefault(type(thing), []).append(at)
    return found


def _ends(one: list[Thing], other: list[Thing]) -> tuple[int, int]:
    """How many are equal at the beginning and, of the rest, at the end."""
    most = min(len(one), len(other))
    first = next((at for at in range(most) if one[at] != other[at]), most)
    most -= first
    last = next((at for at in range(most) if one[~at] != other[~at]), most)
    return first, last
