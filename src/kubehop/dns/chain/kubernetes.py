"""`kubernetes`: replies from the cluster's zones. Source: `plugin/kubernetes/handler.go`."""

from dataclasses import replace

from kubehop.dns.chain.handler import Ask, Rest, Settles
from kubehop.dns.chain.values import Answer, Asked, Serve, Unwritten
from kubehop.dns.corefile.zones import matched
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded
from kubehop.dns.zone import NODATA, Chase, Found, KubernetesZone, Outcome, Without


class KubernetesHandler:
    """Answers for the names of its zones; what is outside is asked of the whole server."""

    __slots__ = ("_ask", "zone")

    def __init__(self, zone: KubernetesZone, ask: Ask) -> None:
        self.zone = zone
        self._ask = ask

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        """Fallthrough comes before the question whether the API was read at all."""
        name = folded(asked.question.name)
        origin = self.zone.zone_of(name)
        if not origin:
            return (yield from rest(asked, now))
        outcome = self.zone.lookup(asked.question, origin)
        if isinstance(outcome, Chase):
            chased = yield from self._chased(outcome.parts, asked, now)
            return chased if outcome.shown else self._reply(NODATA, asked.question, origin)
        if outcome is Without.NAME and matched(self.zone.options.fallthrough, name):
            return (yield from rest(asked, now))
        return self._reply(outcome, asked.question, origin)

    def _chased(self, parts: tuple[Record | Question, ...], asked: Asked, now: float) -> Serve:
        """The parts with what the whole server says in the places of the questions."""
        answer, truncated = list[Record](), False
        for part in parts:
            if isinstance(part, Record):
                answer.append(part)
                continue
            again = replace(asked, question=part, depth=asked.depth + 1, serial=0)
            reply = yield from self._ask(again, now)
            answer += reply.answer
            truncated = truncated or reply.truncated
        return Reply(Rcode.NOERROR, tuple(answer), authoritative=True, truncated=truncated)

    def _reply(self, outcome: Outcome, question: Question, origin: str) -> Answer:
        if outcome is Without.REFUSED:
            return Unwritten(Rcode.REFUSED)
        if isinstance(outcome, Found):
            if not outcome.answer:
                return self.zone.denial(Rcode.NOERROR, question, origin)
            return Reply(Rcode.NOERROR, outcome.answer, (), outcome.additional, authoritative=True)
        rcode = Rcode.NXDOMAIN if self.zone.synced else Rcode.SERVFAIL
        return self.zone.denial(rcode, question, origin)

    def settles(self, question: Question, name: str) -> Settles:
        origin = self.zone.zone_of(name)
        if not origin:
            return Settles.PASSES
        outcome = self.zone.lookup(question, origin)
        if isinstance(outcome, Chase) or question.type in ("AXFR", "IXFR"):
            return Settles.VARIES
        if outcome is Without.NAME and matched(self.zone.options.fallthrough, name):
            return Settles.PASSES
        return Settles.FIXED
