"""A Corefile as values: server blocks, and what every plugin in them is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A directive of a server block: its name, and the line it begins at.

    `notes` say, a line each, what of it kubehop does not model or could not read.
    """

    name: str
    line: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """What a server block answers for: a zone, folded and absolute, at a port."""

    zone: str
    port: int = 53
    transport: str = "dns"

    def __str__(self) -> str:
        return f"{self.transport}://{self.zone}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServerBlock:
    """`zone:port ... { plugins }`; the plugins in the order in which CoreDNS runs them.

    `listen` holds the addresses of `bind`, () for all of the host's.
    """

    keys: tuple[Key, ...]
    plugins: tuple[Plugin, ...]
    listen: tuple[str, ...] = ()
    line: int = 0

    @property
    def zones(self) -> tuple[str, ...]:
        return tuple(key.zone for key in self.keys)


@dataclass(frozen=True, slots=True)
class Corefile:
    """CoreDNS's configuration; `notes` say what is assumed, not modelled or not read."""

    blocks: tuple[ServerBlock, ...]
    notes: tuple[str, ...] = ()
