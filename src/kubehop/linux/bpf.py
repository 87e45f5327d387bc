"""Classic BPF with labels, for packet sockets. linux/filter.h, Documentation/networking/filter.rst.

Encoding only; nothing is attached here.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

LDW, LDH, LDB = 0x20, 0x28, 0x30
"""Load 4, 2 or 1 octets at a place."""
JEQ, AND, RET = 0x15, 0x54, 0x06
NEXT = ""
"""Go on with the instruction that follows."""
_FARTHEST = 255


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction; `yes` and `no` are labels to go on at, NEXT the next instruction."""

    code: int
    value: int
    yes: str = NEXT
    no: str = NEXT
    label: str = ""


def assembled(lines: Sequence[Line]) -> bytes:
    """The array of `struct sock_filter`. Raises ValueError for a jump that is too far for it."""
    at = {line.label: index for index, line in enumerate(lines) if line.label}

    def jump(index: int, label: str) -> int:
        distance = at[label] - index - 1 if label else 0
        if not 0 <= distance <= _FARTHEST:
            raise ValueError(f"a jump of {distance} instructions to {label}")
        return distance

    return b"".join(
        struct.pack("=HBBI", line.code, jump(i, line.yes), jump(i, line.no), line.value)
        for i, line in enumerate(lines)
    )
