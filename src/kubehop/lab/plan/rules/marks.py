"""What rules write into a packet's mark, and the numbers that stand for names.

A frontend's value is the number of its Service port, shifted by one, with four bits besides;
the lowest bit picks the Local set, so that number and bit together are the number of a set.
"""

import zlib
from collections.abc import Iterable

MASQUERADE = 0x8000_0000
"""Masquerade whatever the source; postrouting looks for this bit."""
UNLESS_POD = 0x4000_0000
"""Masquerade unless the source is one of `unmasqueraded`."""
SHORT_CIRCUIT = 0x2000_0000
"""Pods and the node itself get the Cluster set, the latter masqueraded."""
LOCAL = 1
SET = 0x1FFF_FFFF
"""The bits that are the number of a set."""

_BITS = 28


def numbers(names: Iterable[str], bits: int = _BITS) -> dict[str, int]:
    """A number of at most `bits` bits, not 0, for each name, wherever else the name turns up.

    It is a checksum of the name, so that a new name renumbers no other; of names with the same
    one, later ones take the next that is free.
    """
    found: dict[str, int] = {}
    taken = {0}
    for name in names:
        number = zlib.crc32(name.encode()) & ((1 << bits) - 1)
        while number in taken:
            number = (number + 1) & ((1 << bits) - 1)
        taken.add(number)
        found[name] = number
    return found
