"""The hosts file as resolvers read it: a name that it has is answered without any query.

glibc, musl, Go and c-ares consult it, and busybox nslookup 1.28 through them; dig, host, BIND's
nslookup and busybox nslookup 1.29 and newer never do.
"""

import enum
from dataclasses import dataclass

from kubehop.dns.resolv.scan import aton, ipv6, words


class Matching(enum.Enum):
    """How a family compares names: glibc and c-ares, musl, Go."""

    FOLDED = enum.auto()
    EXACT = enum.auto()
    ABSOLUTE = enum.auto()
    """Without case, and with or without a trailing dot."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: an address and the names that have it, the canonical one first."""

    address: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """What the file knows of a name."""

    addresses: tuple[str, ...]
    canonical: str


@dataclass(frozen=True, slots=True)
class Hosts:
    """The lines of a hosts file that have an address and a name."""

    entries: tuple[Entry, ...] = ()

    def find(self, name: str, types: tuple[str, ...], matching: Matching) -> Listed | None:
        """The addresses of `name` for "A" and "AAAA" in `types`, None if there is none."""
        wanted = _key(name, matching)
        lines = [e for e in self.entries if any(_key(n, matching) == wanted for n in e.names)]
        found = [e for e in lines if ("AAAA" if ":" in e.address else "A") in types]
        if not found:
            return None
        return Listed(tuple(dict.fromkeys(e.address for e in found)), found[0].names[0])

    def name_of(self, address: str) -> str | None:
        """The canonical name of an address, None if no line has it."""
        return next((e.names[0] for e in self.entries if e.address == address), None)


def parse(text: str) -> Hosts:
    """Read a hosts file; lines without an address are left out. Never raises."""
    entries = []
    for line in text.split("\n"):
        fields = words(line.partition("#")[0])
        address = (aton(fields[0]) or ipv6(fields[0])) if len(fields) > 1 else None
        if address is not None:
            entries.append(Entry(address, tuple(fields[1:])))
    return Hosts(tuple(entries))


def _key(name: str, matching: Matching) -> str:
    match matching:
        case Matching.EXACT:
            return name
        case Matching.FOLDED:
            return name.lower()
        case Matching.ABSOLUTE:
            return name.lower().removesuffix(".")


NO_HOSTS = Hosts()
