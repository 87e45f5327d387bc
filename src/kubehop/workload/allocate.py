"""Numbers and addresses for objects by the hash of their names.

Adding an object must not move what others have got; a counter would. On a collision the next
free one is taken, so that only colliding objects depend on each other, in sorted order.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from kubehop.model.addresses import contains, network, parse


@dataclass
class Range:
    """Numbers from `first` to `last`, inclusive, each given once."""

    first: int
    last: int
    used: set[int] = field(default_factory=set)

    def take(self, name: str) -> int | None:
        """The first free number at or after the one `name` hashes to; None if all are used."""
        size = self.last - self.first + 1
        start = zlib.crc32(name.encode())
        for step in range(size):
            number = self.first + (start + step) % size
            if number not in self.used:
                self.used.add(number)
                return number
        return None


class Addresses:
    """Addresses of a CIDR that are not `used`; the first `reserved` only by their place."""

    def __init__(self, cidr: str, used: Iterable[str], reserved: int = 0) -> None:
        net = network(cidr)
        self._base = net.network_address
        taken = {int(parse(a)) - int(self._base) for a in used if contains(cidr, a)}
        self._offsets = Range(reserved + 1, net.num_addresses - 2, taken)

    def take(self, name: str) -> str | None:
        """The address `name` hashes to, or the next free one; None if none is left."""
        offset = self._offsets.take(name)
        return None if offset is None else str(self._base + offset)

    def take_at(self, place: int) -> str | None:
        """The address at this place of the CIDR; None if it is used or outside."""
        if place in self._offsets.used or place > self._offsets.last:
            return None
        self._offsets.used.add(place)
        return str(self._base + place)
