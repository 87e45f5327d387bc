"""`autopath`: the client's search list, walked here.

Source: `plugin/autopath/{autopath,cname}.go`, `plugin/kubernetes/autopath.go`.
"""

from dataclasses import replace

from kubehop.dns.chain.handler import Rest, Settles
from kubehop.dns.chain.values import Answer, Asked, Serve, Unwritten
from kubehop.dns.corefile.plugins.others import Autopath
from kubehop.dns.corefile.resolv import client_config
from kubehop.dns.corefile.zones import matched
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded, within
from kubehop.dns.zone import KubernetesZone


class AutopathHandler:
    """Answers a name of the first search domain with what any of the others has.

    `zone` is the kubernetes plugin of `@kubernetes`; `search` the domains of CoreDNS's own
    resolv.conf, which follow the client's three.
    """

    __slots__ = ("_search", "options", "zone")

    def __init__(
        self, options: Autopath, zone: KubernetesZone | None, search: tuple[str, ...]
    ) -> None:
        self.options = options
        self.zone = zone if options.source == "@kubernetes" else None
        own = client_config(options.text).search if options.text is not None else search
        self._search = tuple(map(folded, own))

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        name = folded(asked.question.name)
        search = self._search_list(name, asked.client)
        if not search or not within(name, search[0]):
            return (yield from rest(asked, now))
        if name == search[0]:
            return Unwritten(Rcode.SERVFAIL, f"trimzone: overshot qname: {asked.question.name}")
        base = asked.question.name[: -len(search[0]) - 1]
        first: Answer | None = None
        for domain in search:
            question = Question(_joined(base, domain), asked.question.type)
            answer = yield from rest(replace(asked, question=question), now)
            first = first or answer
            if isinstance(answer, Unwritten):
                if answer.error:
                    return answer
            elif answer.rcode is not Rcode.NXDOMAIN:
                return _named(answer, asked.question.name)
        assert first is not None, "the search list ends with the name itself"
        return Unwritten(first.rcode) if isinstance(first, Unwritten) else first

    def _search_list(self, name: str, client: str) -> tuple[str, ...]:
        """The client's domains, then the server's, then "" for the name itself."""
        if not matched(self.options.zones, name):
            return ()
        if self.options.source != "@kubernetes":
            return (*self._search, "") if self._search else ()
        zone = self.zone
        origin = zone.zone_of(name) if zone is not None else ""
        if zone is None or not origin or zone.options.pods != "verified":
            return ()
        pods = [pod for pod in zone.data.pods_at.get(client, ()) if zone.sight.pod_seen(pod)]
        if not pods:
            return ()
        below = "" if origin == "." else origin
        return (f"{pods[0][0]}.svc.{below}", f"svc.{below}", origin, *self._search, "")

    def settles(self, question: Question, name: str) -> Settles:
        """Every client has a search list of its own."""
        return Settles.VARIES if matched(self.options.zones, name) else Settles.PASSES


def _joined(base: str, domain: str) -> str:
    return f"{base}." if domain in ("", ".") else f"{base}.{domain}"


def _named(reply: Reply, name: str) -> Reply:
    """The answer with a CNAME from the name that was asked for to the one that has it."""
    other = next((r for r in reply.answer if folded(r.name) != folded(name)), None)
    if other is None:
        return reply
    cname = Record(name, other.ttl, "CNAME", other.name)
    return replace(reply, answer=(cname, *reply.answer))
