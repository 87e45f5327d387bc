"""Assumptions in words: short lines, grouped, never one per object."""

from collections.abc import Sequence

NAMED = 4
"""Up to so many things are named one by one; more are counted."""


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 pod`, `2 pods`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def some(names: Sequence[str]) -> str:
    """All names if there are few, else the first ones and how many more: `a, b and 7 more`."""
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: NAMED - 1])} and {len(names) - NAMED + 1} more"
