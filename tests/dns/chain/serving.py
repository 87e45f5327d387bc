"""A Corefile over a small cluster, and an upstream that knows what it is told."""

from collections.abc import Mapping

from kubehop.dns.chain import Asked, Serving, Upstream
from kubehop.dns.corefile import parse
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded
from kubehop.dns.zone import KINDS, ZoneData
from kubehop.model.cluster import Cluster
from tests.dns.zone.objects import cluster, external, pod, service, slice_of

C = "cluster.local."
CLIENT = "10.42.0.7"
WORLD = cluster(
    service("default/web", "10.43.0.1"),
    external("default/ext", "example.com"),
    external("default/host", "host.corp"),
    service("kube-system/kube-dns", "10.43.0.10"),
    slice_of("kube-system/kube-dns", "10.42.0.2"),
    pod("default/client", CLIENT),
)

Known = Mapping[str, str]
"""What an upstream answers by `NAME TYPE`: data, an rcode, or "silence"."""
EXAMPLE: Known = {"example.com. A": "93.184.216.34"}


class Asking:
    """Asks a Serving, and plays the upstream; `asked` are the wishes that it had."""

    def __init__(
        self,
        corefile: str,
        known: Known = EXAMPLE,
        *,
        found: Cluster = WORLD,
        files: Mapping[str, str] | None = None,
        synced: frozenset[str] = KINDS,
        own: tuple[str, ...] = (),
        resolv_conf: str = "",
    ) -> None:
        data = ZoneData.of(found, synced)
        config = parse(corefile, files=files)
        self.serving = Serving(config, data, own=own, resolv_conf=resolv_conf, serial=7)
        self.known = dict(known)
        self.asked: list[Upstream] = []
        self.now = 0.0

    def reply(self, question: str, **more: object) -> Reply:
        """The reply to `NAME TYPE`."""
        name, kind = question.split(" ")
        asked = Asked(Question(name, kind), **{"client": CLIENT, **more})  # type: ignore[arg-type]
        answering = self.serving.answer(asked, self.now)
        try:
            wish = next(answering)
            while True:
                self.asked.append(wish)
                wish = answering.send(self._upstream(wish.question))
        except StopIteration as done:
            found: Reply = done.value
            return found

    def ask(self, question: str, **more: object) -> list[str]:
        """Its rcode, and its records: `NAME TTL TYPE DATA`."""
        return text(self.reply(question, **more))

    def _upstream(self, question: Question) -> Reply | None:
        said = self.known.get(f"{folded(question.name)} {question.type}", "NXDOMAIN")
        if said == "silence":
            return None
        if said in Rcode.__members__:
            soa = Record(".", 60, "SOA", "a. b. 1 2 3 4 60")
            has_soa = said in ("NOERROR", "NXDOMAIN")
            return Reply(Rcode[said], authority=(soa,) if has_soa else (), recursive=True)
        records = tuple(Record(question.name, 300, question.type, d) for d in said.split(","))
        return Reply(Rcode.NOERROR, records, recursive=True)


def text(reply: Reply) -> list[str]:
    sections = (reply.answer, reply.authority, reply.additional)
    records = [f"{r.name} {r.ttl} {r.type} {r.data}" for s in sections for r in s]
    return [reply.rcode.name, *records]


def flags(reply: Reply) -> str:
    return " ".join(
        name for name, is_set in (("AA", reply.authoritative), ("RA", reply.recursive)) if is_set
    )


def kubernetes(options: str = "", zones: str = "cluster.local") -> str:
    return f"kubernetes {zones} {{\n{options}\n}}"


def block(*lines: str, key: str = ".") -> str:
    return "\n".join((f"{key} {{", *lines, "}"))
