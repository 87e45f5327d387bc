"""Server blocks at work: their plugins in order, and which block a question goes to.

Source: `core/dnsserver/server.go`, `ServeDNS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from kubehop.dns.chain.autopath import AutopathHandler
from kubehop.dns.chain.cache import CacheHandler
from kubehop.dns.chain.forward import ForwardHandler, Itself
from kubehop.dns.chain.handler import Ask, Handler
from kubehop.dns.chain.hosts import HostsHandler
from kubehop.dns.chain.kubernetes import KubernetesHandler
from kubehop.dns.chain.rewrite import RewriteHandler
from kubehop.dns.chain.small import AnyHandler, MinimalHandler
from kubehop.dns.chain.template import TemplateHandler
from kubehop.dns.chain.transfer import TransferHandler
from kubehop.dns.chain.values import Asked, Serve, Unwritten
from kubehop.dns.corefile.plugins.cache import Cache
from kubehop.dns.corefile.plugins.forward import Forward
from kubehop.dns.corefile.plugins.hosts import Hosts
from kubehop.dns.corefile.plugins.kubernetes import Kubernetes
from kubehop.dns.corefile.plugins.others import Autopath, Transfer
from kubehop.dns.corefile.plugins.rewrite import Rewrite
from kubehop.dns.corefile.plugins.template import Template
from kubehop.dns.corefile.registry import ORDER
from kubehop.dns.corefile.values import Plugin, ServerBlock
from kubehop.dns.message import Rcode
from kubehop.dns.zone import KubernetesZone, ZoneData

P = TypeVar("P", bound=Plugin)
NO_NEXT = Unwritten(Rcode.SERVFAIL, "no next plugin found")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the plugins of all blocks share.

    `own` are CoreDNS's addresses, `search` the search list of its own resolv.conf, `itself`
    tells whether a forward leads back to it.
    """

    data: ZoneData
    ask: Ask
    own: tuple[str, ...]
    search: tuple[str, ...]
    itself: Itself


class Block:
    """A server block whose plugins can be asked."""

    __slots__ = ("handlers", "options", "zone")

    def __init__(self, options: ServerBlock, around: Surroundings) -> None:
        self.options = options
        kubernetes = _all(options, Kubernetes)
        self.zone = KubernetesZone(kubernetes[0], around.data, around.own) if kubernetes else None
        self.handlers: tuple[Handler, ...] = tuple(
            handler
            for name in ORDER
            for handler in _MAKERS.get(name, _none)(options, self.zone, around)
        )

    def serve(self, asked: Asked, now: float, index: int = 0) -> Serve:
        """The answer of the plugins from `index` on."""
        if index == len(self.handlers):
            return _ends()
        return self.handlers[index].serve(asked, now, partial(self.serve, index=index + 1))


def _ends() -> Serve:
    yield from ()
    return NO_NEXT


def _all(block: ServerBlock, kind: type[P]) -> tuple[P, ...]:
    return tuple(plugin for plugin in block.plugins if isinstance(plugin, kind))


Maker = Callable[[ServerBlock, KubernetesZone | None, Surroundings], Iterable[Handler]]


def _none(_block: ServerBlock, _zone: KubernetesZone | None, _a: Surroundings) -> list[Handler]:
    return []


def _kubernetes(
    _block: ServerBlock, zone: KubernetesZone | None, around: Surroundings
) -> Iterable[Handler]:
    return [KubernetesHandler(zone, around.ask)] if zone is not None else []


def _cache(
    block: ServerBlock, _zone: KubernetesZone | None, _around: Surroundings
) -> Iterable[Handler]:
    """A cache comes before `rewrite`, which has a say in what it can keep."""
    rewrites = [RewriteHandler(plugin).kept_as for plugin in _all(block, Rewrite)]
    return [CacheHandler(plugin, *rewrites[:1]) for plugin in _all(block, Cache)]


def _forward(
    block: ServerBlock, _zone: KubernetesZone | None, around: Surroundings
) -> Iterable[Handler]:
    found = _all(block, Forward)
    for number, plugin in enumerate(found, 1):
        more = number < len(found)
        yield ForwardHandler(plugin, around.ask, around.itself, more)


def _named(name: str, block: ServerBlock) -> bool:
    return any(plugin.name == name for plugin in block.plugins)


_MAKERS: dict[str, Maker] = {
    "any": lambda block, _z, _a: [AnyHandler()] if _named("any", block) else [],
    "cache": _cache,
    "rewrite": lambda block, _z, _a: map(RewriteHandler, _all(block, Rewrite)),
    "autopath": lambda block, zone, around: [
        AutopathHandler(plugin, zone, around.search) for plugin in _all(block, Autopath)
    ],
    "minimal": lambda block, _z, _a: [MinimalHandler()] if _named("minimal", block) else [],
    "template": lambda block, _z, around: [
        TemplateHandler(found, around.ask) for found in [_all(block, Template)] if found
    ],
    "transfer": lambda block, zone, _a: [
        TransferHandler(found, zone) for found in [_all(block, Transfer)] if found
    ],
    "hosts": lambda block, _z, _a: map(HostsHandler, _all(block, Hosts)),
    "kubernetes": _kubernetes,
    "forward": _forward,
}


def route(zones: dict[str, Block], name: str, kind: str) -> Block | None:
    """The block of the longest zone that a folded name is in, None if there is none.

    A DS record belongs to the parent: the shortest zone is taken.
    """
    found: Block | None = None
    at = name
    while at:
        block = zones.get(at)
        if block is not None and kind != "DS":
            return block
        found = block or found
        at = at.partition(".")[2]
    return found or zones.get(".")
