"""A message under construction, which knows the names it holds (RFC 1035 4.1.4)."""

from kubehop.dns.wire.names import MAX_OCTETS, pack, pack_label, split

MAX_POINTER = 1 << 14
"""Only what starts before this offset can be pointed to."""


class Writer:
    """Octets so far. Names are compressed as CoreDNS's library does: spelt alike, or not at all."""

    __slots__ = ("octets", "offsets")

    def __init__(self, octets: bytes = b"") -> None:
        self.octets = bytearray(octets)
        self.offsets: dict[str, int] = {}

    def name(self, name: str, compress: bool = True) -> None:
        """Append a name; without `compress` in full, though later names may point to it.

        Raises WireError.
        """
        octets, offsets = self.octets, self.offsets
        rest = name if name.endswith(".") else f"{name}."
        if len(rest) >= MAX_OCTETS:
            pack(rest)  # the labels alone do not show that it is too long
        for label in split(rest):
            at = offsets.get(rest)
            if at is None:
                if len(octets) < MAX_POINTER:
                    offsets[rest] = len(octets)
            elif compress:
                octets += (0xC000 | at).to_bytes(2, "big")
                return
            octets += pack_label(label)
            rest = rest[len(label) + 1 :]
        octets.append(0)
