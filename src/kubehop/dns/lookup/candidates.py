"""Which names a resolver would ask for, in order, and why: the rule that most of them share.

ndots counts DOTS. `whoami.default.svc.cluster.local` has four, so with ndots:5 the whole search
list is tried before the name as it was typed; only a trailing dot stops that.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from kubehop.dns.names import MAX_LABEL, MAX_NAME, absolute, fits, labels


class Unfit(enum.Enum):
    """Why a text is no name at all."""

    EMPTY_LABEL = enum.auto()
    LONG_LABEL = enum.auto()
    LONG_NAME = enum.auto()


def unfit(text: str) -> Unfit | None:
    """What one who reads the text from its beginning stumbles over first, None for a name."""
    room = MAX_NAME + 1
    for label in labels(text) if text != "." else ():
        room -= len(label) + 1
        if not label or len(label) > MAX_LABEL:
            return Unfit.LONG_LABEL if label else Unfit.EMPTY_LABEL
        if room < 0:
            return Unfit.LONG_NAME
    return None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An absolute name, why it is tried, and whether it is the name as typed."""

    name: str
    why: str
    typed: bool = False

    @property
    def sendable(self) -> bool:
        """False if it does not fit a query: a label over 63 octets, or 255 in all."""
        return self.name == "." or fits(self.name)


def dots(name: str) -> int:
    """What ndots is compared with."""
    return name.count(".")


def as_typed(name: str, why: str) -> Candidate:
    """The name as it was typed, absolute."""
    return Candidate(absolute(name), f"as typed: {why}", typed=True)


def enough_dots(name: str, ndots: int) -> Candidate:
    """The name as typed, because it has the dots for it."""
    return as_typed(name, f"{_count(dots(name))}, and ndots is {ndots}")


def rooted(name: str) -> Candidate:
    """The name as typed, because it ends in a dot."""
    return as_typed(name, "it ends in a dot, so nothing is searched")


def too_few_dots(name: str, ndots: int) -> Candidate:
    """The name as typed, after the search list."""
    return as_typed(name, f"last, with {_count(dots(name))} where ndots is {ndots}")


def searched(name: str, search: Sequence[str]) -> list[Candidate]:
    """The name under each domain of the search list; `.` stands for the root."""
    return [
        Candidate(under(name, domain), f"search domain {number} of {len(search)}: {domain}")
        for number, domain in enumerate(search, 1)
    ]


def under(name: str, domain: str) -> str:
    """`name` in `domain`, absolute; the domain may have its dot or be the root."""
    domain = domain.removeprefix(".").removesuffix(".")
    return f"{name}.{domain}." if domain else absolute(name)


def in_order(name: str, search: Sequence[str], ndots: int) -> list[Candidate]:
    """As typed first if it has the dots, then the search list, else the other way round."""
    if name.endswith("."):
        return [rooted(name)]
    if dots(name) >= ndots:
        return [enough_dots(name, ndots), *searched(name, search)]
    return [*searched(name, search), too_few_dots(name, ndots)]


def _count(number: int) -> str:
    return f"{number} dot{'' if number == 1 else 's'}"
