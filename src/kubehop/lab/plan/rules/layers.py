"""Elements of many rulesets that have most in common: each part is kept, and written, once."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from kubehop.lab.plan.rules.parts import Elements

Names = Mapping[str, Mapping[str, str]]


class Shared:
    """Elements by name, compared as an object: what nodes share is the same object."""

    __slots__ = ("elements",)

    def __init__(self, elements: Names) -> None:
        self.elements = elements


class Layers(Mapping[str, Mapping[str, str]]):
    """The elements of a ruleset, as parts that have no key in common."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Shared, ...]) -> None:
        self.parts = parts

    def __getitem__(self, name: str) -> Mapping[str, str]:
        found = [part.elements[name] for part in self.parts if name in part.elements]
        if not found:
            raise KeyError(name)
        if len(found) == 1:
            return found[0]
        return {key: value for elements in found for key, value in elements.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for part in self.parts for name in part.elements))

    def __len__(self) -> int:
        return len(set(iter(self)))


def parts_of(elements: Names) -> tuple[Shared, ...]:
    """The parts of any mapping; one that is not layered is one part."""
    return elements.parts if isinstance(elements, Layers) else (Shared(elements),)


Difference = tuple[Elements, Elements]
"""Elements that go, and those that come; a changed value does both."""


def difference(old: Names, new: Names) -> list[Difference]:
    """What leads from `old` to `new`, part by part; the same object is not looked at."""
    before, after = parts_of(old), parts_of(new)
    if len(before) != len(after):
        before, after = (Shared(dict(old)),), (Shared(dict(new)),)
    pairs = zip(before, after, strict=True)
    return [_changed(one, other) for one, other in pairs if one is not other]


@lru_cache(maxsize=8)
def _changed(old: Shared, new: Shared) -> Difference:
    """Remembered for the next node, which has most parts in common with the last one."""
    gone: Elements = {}
    made: Elements = {}
    for name in dict.fromkeys((*old.elements, *new.elements)):
        before, after = old.elements.get(name, {}), new.elements.get(name, {})
        lost = {key: "" for key, value in before.items() if after.get(key) != value}
        found = {key: value for key, value in after.items() if before.get(key) != value}
        if lost:
            gone[name] = lost
        if found:
            made[name] = found
    return gone, made
