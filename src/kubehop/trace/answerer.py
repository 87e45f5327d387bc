"""What comes back for a query, wherever it was sent: cluster DNS, outside, or nobody.

The path of the packet comes first (`nameservers`); then cluster DNS answers with its Corefile
and the cluster's objects (`kubehop.dns.chain`), and what it forwards is taken to be answered by
`kubehop.dns.outside`.
"""

import math
from dataclasses import dataclass, field

from kubehop.dns.chain import Asked, Serving, Upstream
from kubehop.dns.lookup.drive import Late
from kubehop.dns.lookup.protocol import Query, Silence, Transport
from kubehop.dns.message import Question, Reply
from kubehop.dns.names import folded
from kubehop.dns.outside import Outside
from kubehop.dns.wire.compiled import fit
from kubehop.model.cluster import Cluster
from kubehop.trace.nameservers import Answers, Nameserver, nameserver
from kubehop.trace.questions import Origin


@dataclass(slots=True)
class Answerer:
    """Answers queries from one origin; remembers the nameservers that it met, by protocol.

    `client` is the source address that cluster DNS sees, which autopath goes by.
    """

    cluster: Cluster
    origin: Origin | None
    serving: Serving
    outside: Outside
    client: str = ""
    met: dict[tuple[str, str], Nameserver] = field(default_factory=dict)
    left: dict[str, None] = field(default_factory=dict)
    """Folded names that were asked for outside, in order."""

    def answer(self, query: Query) -> Reply | Silence | Late:
        """What the query gets, and after how many seconds."""
        match self.nameserver(query).answers:
            case Answers.UNREACHABLE:
                return Silence.UNREACHABLE
            case Answers.SILENT:
                return Silence.SILENT
            case Answers.OUTSIDE:
                reply = self._outside(query.question)
                return Silence.SILENT if reply is None else _fitted(query, reply)
            case Answers.CLUSTER:
                return self._cluster_dns(query)

    def nameserver(self, query: Query) -> Nameserver:
        """Who answers where the query is sent."""
        protocol = "TCP" if query.transport is Transport.TCP else "UDP"
        key = (query.server, protocol)
        if key not in self.met:
            self.met[key] = nameserver(self.cluster, self.origin, query.server, protocol)
        return self.met[key]

    def explain(self, query: Query) -> tuple[str, str]:
        """Why the query gets what it gets, and the object responsible ("" if none)."""
        found = self.nameserver(query)
        match found.answers:
            case Answers.CLUSTER:
                why = self.serving.explain(query.question)
                return why.text, why.object
            case Answers.OUTSIDE:
                return "a resolver outside of the cluster", ""
            case _:
                return found.what, found.object

    def _outside(self, question: Question) -> Reply | None:
        self.left[folded(question.name)] = None
        return self.outside.answer(question)

    def _cluster_dns(self, query: Query) -> Reply | Late:
        asked = Asked(query.question, self.client, query.transport.value, query.payload)
        machine, waited = self.serving.answer(asked, 0.0), 0.0
        try:
            wish = next(machine)
            while True:
                reply = self._outside(wish.question)
                waited += _patience(wish) if reply is None else 0.0
                wish = machine.send(reply)
        except StopIteration as end:
            fitted = _fitted(query, end.value)
            return Late(fitted, waited) if waited else fitted


def _patience(wish: Upstream) -> float:
    """How long `forward` tries for: whole tries, the last begun before the time is up."""
    return math.ceil(wish.timeout / wish.read) * wish.read


def _fitted(query: Query, reply: Reply) -> Reply:
    """What of the reply gets through the query's transport."""
    if query.transport is Transport.UDP:
        return fit(query.question, reply, payload=query.payload)
    return fit(query.question, reply, payload=query.payload, transport="tcp")
