"""A Corefile over a cluster's data: something that can be asked."""

from collections.abc import Iterable, Iterator

from kubehop.dns.chain.blocks import Block, Surroundings, route
from kubehop.dns.chain.cache import CacheHandler
from kubehop.dns.chain.forward import ForwardHandler, Itself, by_address
from kubehop.dns.chain.handler import MAX_DEPTH, Settles, through
from kubehop.dns.chain.values import Answering, Asked
from kubehop.dns.corefile.resolv import client_config
from kubehop.dns.corefile.values import Corefile
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.names import folded
from kubehop.dns.zone import KubernetesZone, Why, ZoneData, explain, names, owner_of
from kubehop.model.changes import Change
from kubehop.model.cluster import Cluster

EVERYTHING = frozenset({"."})


class Serving:
    """CoreDNS with this Corefile, once for as long as the Corefile stays.

    `data` holds the cluster's objects and changes in place. `own` are CoreDNS's addresses:
    the NS records of the zone and a forward to itself depend on them. `resolv_conf` is the
    text of its own /etc/resolv.conf, for autopath; what `forward` reads is in the Corefile.
    `serial` is the SOA's: unix time of the last change, 0 before anything was read. `itself`
    tells which servers are this one, by default its own and the loopback addresses.
    """

    def __init__(
        self,
        corefile: Corefile,
        data: ZoneData,
        *,
        own: tuple[str, ...] = (),
        resolv_conf: str = "",
        serial: int = 0,
        itself: Itself | None = None,
    ) -> None:
        self.corefile = corefile
        self.data = data
        keys = [key for block in corefile.blocks for key in block.keys if key.transport == "dns"]
        self.ports = tuple(dict.fromkeys(key.port for key in keys))
        search = client_config(resolv_conf).search
        itself = itself or by_address(frozenset(own), frozenset(self.ports))
        around = Surroundings(data, self.answer, own, search, itself)
        self.blocks = tuple(Block(block, around) for block in corefile.blocks)
        self._routes: dict[int, dict[str, Block]] = {port: {} for port in self.ports}
        for block in self.blocks:
            for key in block.options.keys:
                if key.transport == "dns":
                    self._routes[key.port].setdefault(key.zone, block)
        self.notes = (*corefile.notes, *self._loops())
        self.serial = serial

    @property
    def serial(self) -> int:
        """The SOA's serial."""
        return self._serial

    @serial.setter
    def serial(self, serial: int) -> None:
        self._serial = serial
        for zone in self.zones:
            zone.serial = serial

    @property
    def zones(self) -> Iterable[KubernetesZone]:
        """What the kubernetes plugins answer from, block by block."""
        return (block.zone for block in self.blocks if block.zone is not None)

    def block(self, question: Question, port: int = 0) -> Block | None:
        """The server block that a question goes to; `port` as in `Asked`."""
        number = port or (self.ports[0] if self.ports else 0)
        return route(self._routes.get(number, {}), folded(question.name), question.type)

    def answer(self, asked: Asked, now: float) -> Answering:
        """The reply to a query, as a generator that yields what must be asked outside.

        `now` is in seconds of a clock that only goes forward. No block for the name is
        REFUSED; what no plugin wanted is SERVFAIL.
        """
        block = self.block(asked.question, asked.port)
        if block is None:
            return Reply(Rcode.REFUSED)
        if asked.depth > MAX_DEPTH:
            return Reply(Rcode.SERVFAIL)
        answer = yield from block.serve(asked, now)
        if isinstance(answer, Reply):
            return answer
        # Of two replies a client takes the first; who asks from inside has the last.
        return Reply(answer.rcode) if asked.depth else answer.seen

    def is_static(self, question: Question, port: int = 0) -> bool:
        """True if the answer is a matter of the question and the cluster's objects alone.

        It may be kept until `apply` names the question's owner (`owner_of`).
        """
        block = self.block(question, port)
        if block is None:
            return True
        return through(block.handlers, question, folded(question.name)) is Settles.FIXED

    def lasts(self, asked: Asked, now: float) -> float:
        """Until when the same query gets the very reply that it would get now; `now` if unsure.

        For what is not static: a cache that comes before all that could make a difference
        repeats what it has, to whoever asks.
        """
        block = self.block(asked.question, asked.port)
        name = folded(asked.question.name)
        for handler in block.handlers if block is not None else ():
            if isinstance(handler, CacheHandler):
                return handler.lasts(asked, now)
            if handler.settles(asked.question, name) is not Settles.PASSES:
                break
        return now

    def apply(self, change: Change) -> frozenset[str]:
        """Take in a change; which owners (`owner_of`) may be answered otherwise now.

        "." stands for all of them.
        """
        touched = self.data.apply(change)
        found = frozenset(name for zone in self.zones for name in names(zone, touched))
        return EVERYTHING if "." in found else found

    def owner_of(self, name: str) -> str:
        """The folded name under which `apply` reports that `name` may be answered otherwise.

        Names below a Service's (endpoints, ports) are reported under the Service's.
        """
        name = folded(name)
        for zone in self.zones:
            origin = zone.zone_of(name)
            if origin:
                return owner_of(name, origin)
        return name

    def unready(self) -> tuple[str, ...]:
        """The plugins for which `/ready` says 503: those that have not read what they need."""
        return ("kubernetes",) if any(not zone.synced for zone in self.zones) else ()

    def explain(self, question: Question, port: int = 0) -> Why:
        """Why a question is answered as it is, and the object responsible."""
        name, block = folded(question.name), self.block(question, port)
        if block is None:
            return Why("no server block of the Corefile has this name: REFUSED")
        for handler in block.handlers:
            # A cache repeats what a later plugin said.
            if isinstance(handler, CacheHandler):
                continue
            if handler.settles(question, name) is Settles.PASSES:
                continue
            if block.zone is not None and (origin := block.zone.zone_of(name)):
                return explain(block.zone, question, origin)
            kind = type(handler).__name__.removesuffix("Handler").lower()
            if isinstance(handler, ForwardHandler):
                servers = ", ".join((*handler.options.servers, *handler.options.files))
                return Why(f"not a name of the cluster: forwarded to {servers}")
            return Why(f"the {kind} plugin decides")
        return Why("no plugin of the server block wants this name: SERVFAIL")

    def _loops(self) -> Iterator[str]:
        """What `loop` would find at start, and what happens without it."""
        for block in self.blocks:
            has_loop = any(plugin.name == "loop" for plugin in block.options.plugins)
            for handler in block.handlers:
                if isinstance(handler, ForwardHandler) and handler.leads_back:
                    zone = handler.options.zone
                    ends = (
                        f'loop: CoreDNS stops with Loop detected for zone "{zone}"'
                        if has_loop
                        else "every query ends with SERVFAIL"
                    )
                    yield f"forward {zone} leads back to CoreDNS itself: {ends}"


def own_addresses(
    cluster: Cluster, service: tuple[str, str] = ("kube-system", "kube-dns")
) -> tuple[str, ...]:
    """The addresses of the first ready endpoint of cluster DNS, as one CoreDNS pod has them."""
    for endpoint_slice in cluster.slices:
        if (endpoint_slice.namespace, endpoint_slice.service_name) == service:
            for endpoint in endpoint_slice.endpoints or ():
                if endpoint.conditions is None or endpoint.conditions.ready is not False:
                    return endpoint.addresses
    return ()
