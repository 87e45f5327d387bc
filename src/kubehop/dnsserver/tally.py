"""Counting at next to no cost: one addition to a list a query."""

from dataclasses import dataclass

SIZES = (0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000)
"""Upper ends of CoreDNS's buckets of response sizes, in octets (plugin/metrics/vars)."""
SECONDS = tuple(0.00025 * 2**n for n in range(16))
"""Upper ends of CoreDNS's buckets of durations (plugin.TimeBuckets)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells counted queries apart: type and rcode as numbers, the bucket of the size."""

    type: int
    rcode: int
    size: int

    @classmethod
    def of(cls, type: int, reply: bytes) -> "Kind":
        """That of a reply to a question of this type."""
        return cls(type, reply[3] & 15, bucket(SIZES, len(reply)))


def bucket(ends: tuple[float, ...], value: float) -> int:
    """The index of the first end that is not below `value`; the last bucket has no end."""
    return next((n for n, end in enumerate(ends) if value <= end), len(ends))


class Tally:
    """What came in over one transport and address family.

    `hits` counts queries by the number of their kind; `octets` are those of all replies;
    `seconds` and `batches` say how long queries took, those of one batch alike.
    """

    def __init__(self, transport: str, family: str) -> None:
        self.transport, self.family = transport, family
        self.hits: list[int] = []
        self.octets = 0
        self.seconds = 0.0
        self.durations = [0] * (len(SECONDS) + 1)
        self.dropped = 0

    def took(self, seconds: float, queries: int) -> None:
        """`queries` were answered together in `seconds`."""
        self.durations[bucket(SECONDS, seconds / queries)] += queries
        self.seconds += seconds


class Kinds:
    """Numbers for kinds, the same in every tally."""

    def __init__(self) -> None:
        self.known: list[Kind] = []
        self.tallies: list[Tally] = []
        self._numbers: dict[Kind, int] = {}

    def tally(self, transport: str, family: str) -> Tally:
        made = Tally(transport, family)
        made.hits = [0] * len(self.known)
        self.tallies.append(made)
        return made

    def number(self, kind: Kind) -> int:
        number = self._numbers.get(kind)
        if number is None:
            number = self._numbers[kind] = len(self.known)
            self.known.append(kind)
            for tally in self.tallies:
                tally.hits.append(0)
        return number
