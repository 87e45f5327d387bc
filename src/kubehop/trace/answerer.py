"""What comes back for a query, wherever it was sent: cluster DNS, outside, or nobody.

The path of the packet comes first (`nameservers`); then cluster DNS answers with its Corefile
and the cluster's objects (`kubehop.dns.chain`), and what it forwards is taken to be answered by
`kubehop.dns.outside`.
"""

import math
from dataclasses import dataclass, field, replace

from kubehop.dns.chain import Asked, Serving, Upstream
from kubehop.dns.lookup.drive import Late
from kubehop.dns.lookup.protocol import Query, Silence, Transport
from kubehop.dns.message import Question, Reply
from kubehop.dns.names import folded
from kubehop.dns.outside import Outside
from kubehop.dns.wire.compiled import fit
from kubehop.model.cluster import Cluster
from kubehop.trace.nameservers import Answers, Nameserver, nameserver
from kubehop.trace.questions import Origin, address_for
from kubehop.trace.upstreams import Lost, Upstreams

SYN_SECONDS = 127.0
"""Until connect() fails: six retries, each after twice the time (tcp(7), tcp_syn_retries).

Linux 6.5 and newer send four more in the first seconds (tcp_syn_linear_timeouts)."""


@dataclass(slots=True)
class Answerer:
    """Answers queries from one origin; remembers the nameservers that it met, by protocol.

    `ports` are those that the Corefile of cluster DNS listens on, None if that is not known.
    """

    cluster: Cluster
    origin: Origin | None
    serving: Serving
    outside: Outside
    upstreams: Upstreams
    ports: tuple[int, ...] | None = None
    met: dict[tuple[str, str], Nameserver] = field(default_factory=dict)
    left: dict[str, None] = field(default_factory=dict)
    """Folded names that were asked for outside, in order."""
    unreachable: dict[str, None] = field(default_factory=dict)
    """Why servers that the Corefile forwards to do not answer."""

    def answer(self, query: Query) -> Reply | Silence | Late:
        """What the query gets, and after how many seconds."""
        match self.nameserver(query).answers:
            case Answers.UNREACHABLE:
                return Silence.UNREACHABLE
            case Answers.SILENT:
                return _silence(query)
            case Answers.OUTSIDE:
                reply = self._outside(query.question)
                return _silence(query) if reply is None else _fitted(query, reply)
            case Answers.CLUSTER:
                return self._cluster_dns(query)

    def nameserver(self, query: Query) -> Nameserver:
        """Who answers where the query is sent."""
        protocol = "TCP" if query.transport is Transport.TCP else "UDP"
        key = (query.server, protocol)
        if key not in self.met:
            found = nameserver(self.cluster, self.origin, query.server, protocol)
            self.met[key] = self._listening(found)
        return self.met[key]

    def _listening(self, found: Nameserver) -> Nameserver:
        """Cluster DNS answers at the ports of its Corefile."""
        if found.answers is not Answers.CLUSTER or self.ports is None or not found.port:
            return found
        if found.port in self.ports:
            return found
        listed = f"listens on port {', '.join(map(str, self.ports))}"
        why = f"the Corefile {listed if self.ports else 'has no server block for plain DNS'}"
        return replace(found, answers=Answers.UNREACHABLE, why=why)

    def explain(self, query: Query) -> tuple[str, str]:
        """Why the query gets what it gets, and the object responsible ("" if none)."""
        found = self.nameserver(query)
        match found.answers:
            case Answers.CLUSTER:
                why = self.serving.explain(query.question, self._port(found))
                return why.text, why.object
            case Answers.OUTSIDE:
                return "a resolver outside of the cluster", ""
            case _:
                return found.what, found.object

    def _outside(self, question: Question) -> Reply | None:
        self.left[folded(question.name)] = None
        return self.outside.answer(question)

    def _cluster_dns(self, query: Query) -> Reply | Late:
        found = self.nameserver(query)
        asked = Asked(
            query.question,
            self._client(found),
            query.transport.value,
            payload=query.payload,
            port=self._port(found),
        )
        machine, waited = self.serving.answer(asked, 0.0), 0.0
        try:
            wish = next(machine)
            while True:
                reply, patience = self._forwarded(wish)
                waited += patience
                wish = machine.send(reply)
        except StopIteration as end:
            fitted = _fitted(query, end.value)
            return Late(fitted, waited) if waited else fitted

    def _client(self, found: Nameserver) -> str:
        """The source address that cluster DNS sees, which autopath goes by."""
        if found.clients:
            return found.clients[0]
        return address_for(self.origin.addresses if self.origin else (), found.address) or ""

    def _port(self, found: Nameserver) -> int:
        """The port that decides about the server block; 0 for the first one's."""
        return found.port if self.ports else 0

    def _forwarded(self, wish: Upstream) -> tuple[Reply | None, float]:
        """What an upstream says, and how long cluster DNS waits in vain."""
        lost = [found for server in wish.servers if (found := self._lost(server, wish))]
        if lost and len(lost) == len(wish.servers):
            refused = all(one.silence is Silence.UNREACHABLE for one in lost)
            return None, 0.0 if refused else _patience(wish)
        reply = self._outside(wish.question)
        return reply, _patience(wish) if reply is None else 0.0

    def _lost(self, server: str, wish: Upstream) -> Lost | None:
        found = self.upstreams.lost(server, wish.transport)
        if found is not None:
            self.unreachable[found.why] = None
        return found


def _silence(query: Query) -> Silence | Late:
    """Nothing comes back: over TCP nobody accepts, and the kernel gives up at last."""
    if query.transport is Transport.TCP:
        return Late(Silence.UNREACHABLE, SYN_SECONDS)
    return Silence.SILENT


def _patience(wish: Upstream) -> float:
    """How long `forward` tries for: whole tries, the last begun before the time is up."""
    return math.ceil(wish.timeout / wish.read) * wish.read


def _fitted(query: Query, reply: Reply) -> Reply:
    """What of the reply gets through the query's transport."""
    if query.transport is Transport.UDP:
        return fit(query.question, reply, payload=query.payload)
    return fit(query.question, reply, payload=query.payload, transport="tcp")
