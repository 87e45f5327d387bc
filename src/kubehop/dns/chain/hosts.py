"""`hosts`: names from a hosts file. Source: `plugin/hosts/hosts.go`."""

from kubehop.dns.chain.handler import Rest, Settles
from kubehop.dns.chain.values import Answer, Asked, Serve, Unwritten
from kubehop.dns.corefile.plugins.hosts import Hosts
from kubehop.dns.corefile.zones import matched
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import absolute, folded
from kubehop.dns.zone.reverse import address_of


class HostsHandler:
    """Answers from its entries; a name without any is handed on, or SERVFAIL."""

    __slots__ = ("options",)

    def __init__(self, options: Hosts) -> None:
        self.options = options

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        answer = self._answer(asked.question, folded(asked.question.name))
        if answer is None:
            return (yield from rest(asked, now))
        return answer

    def _answer(self, question: Question, name: str) -> Answer | None:
        """None if the next plugin is asked."""
        options = self.options
        if question.type == "PTR":
            names = options.names.get(address_of(name), ())
            return self._reply(name, "PTR", tuple(map(absolute, names))) if names else None
        if not matched(options.zones, name):
            return None
        table = {"A": options.a, "AAAA": options.aaaa}.get(question.type, {})
        if name in options.a or name in options.aaaa:
            return self._reply(name, question.type, table.get(name, ()))
        # A hosts file has no SOA for an NXDOMAIN.
        through = matched(options.fallthrough, name)
        return None if through else Unwritten(Rcode.SERVFAIL)

    def _reply(self, name: str, kind: str, found: tuple[str, ...]) -> Reply:
        """Owners are in lower case, however they were asked for."""
        records = tuple(Record(name, self.options.ttl, kind, data) for data in found)
        return Reply(Rcode.NOERROR, records, authoritative=True)

    def settles(self, question: Question, name: str) -> Settles:
        return Settles.PASSES if self._answer(question, name) is None else Settles.FIXED
