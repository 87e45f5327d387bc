"""A question in the cluster's zones to what is found, type by type.

Source: `plugin/kubernetes/handler.go`, `Services` of `kubernetes.go`, `backend_lookup.go`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kubehop.dns.corefile.plugins.kubernetes import Kubernetes
from kubehop.dns.corefile.zones import matched
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import absolute, folded, within
from kubehop.dns.zone import nameserver, records
from kubehop.dns.zone.data import ZoneData
from kubehop.dns.zone.find import Sight, Target, find
from kubehop.dns.zone.outcome import NODATA, Chase, Found, Outcome, Without
from kubehop.dns.zone.reverse import address_of, pointers

SCHEMA_VERSION = '"1.1.0"'
SCHEMA_TTL = 28800
MAX_CHAIN = 10
MAX_NAMES = 1000
"""Names followed for one question: endpoints that are names can lead to each other."""


class KubernetesZone:
    """What one kubernetes plugin answers from `data`; nothing here grows with the cluster.

    `own` are CoreDNS's addresses: NS names the Service that has them as endpoints. `serial`
    is the SOA's, unix time of the last change, 0 before anything was read; it may be set.
    """

    __slots__ = ("_sight", "_soa", "data", "options", "own", "serial")

    def __init__(
        self, options: Kubernetes, data: ZoneData, own: tuple[str, ...] = (), serial: int = 0
    ) -> None:
        self.options = options
        self.data = data
        self.own = own
        self.serial = serial
        self._soa: dict[tuple[str, int], Record] = {}
        self._sight = Sight(options, data, (options.endpoint_pod_names, options.labels))

    @property
    def sight(self) -> Sight:
        """What of the data this plugin sees."""
        return self._sight

    @property
    def synced(self) -> bool:
        """True once every kind that the plugin needs was read (`HasSynced`)."""
        needed = {"Service", "Namespace"}
        needed |= {"EndpointSlice"} if self.options.endpoints else set()
        needed |= {"Pod"} if self.options.pods == "verified" else set()
        return needed <= self.data.synced

    def zone_of(self, name: str) -> str:
        """The longest of its zones that a folded name is in, "" if it is in none."""
        return matched(self.options.zones, name)

    def lookup(self, question: Question, zone: str) -> Outcome:
        """What is found for a question in `zone` (`zone_of` its name)."""
        name = folded(question.name)
        handler = _HANDLERS.get(question.type, _existence)
        return handler(self, question, name, zone)

    def spelt(self, question: Question, zone: str) -> str:
        """`zone` in the case of the question: answers keep it."""
        return absolute(question.name)[-len(zone) :]

    def soa(self, zone: str) -> Record:
        """The SOA of a zone, as spelt; the usual spelling is kept at hand."""
        found = self._soa.get((zone, self.serial))
        if found is None:
            found = records.soa(zone, self.serial, self.options.ttl)
            if zone in self.options.zones:
                self._soa = {k: v for k, v in self._soa.items() if k[1] == self.serial}
                self._soa[zone, self.serial] = found
        return found

    def denial(self, rcode: Rcode, question: Question, zone: str) -> Reply:
        """NODATA, NXDOMAIN or SERVFAIL with the SOA that says how long to believe it."""
        soa = self.soa(self.spelt(question, zone))
        return Reply(rcode, authority=(soa,), authoritative=True)

    def targets(
        self, question: Question, name: str, zone: str, spelt: str = ""
    ) -> list[Target] | None:
        """`Services` for every type but TXT and NS; `spelt` is the zone as it was asked for."""
        if nameserver.is_default(name, spelt or self.spelt(question, zone)):
            found = nameserver.servers(self._sight, self.own, zone)
            return [Target(r.data, r.type, 0, "") for r in found if r.type == question.type]
        return find(self._sight, name, zone)


Handler = Callable[[KubernetesZone, Question, str, str], Outcome]


def _addresses(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    """A and AAAA; a name is followed as long as it stays in the zone."""
    targets = zone.targets(question, name, origin)
    if targets is None:
        return Without.NAME
    following = _Following(zone, origin, zone.spelt(question, origin))
    parts = tuple(following.resolved(question, name, targets))
    found = tuple(part for part in parts if isinstance(part, Record))
    if len(found) < len(parts):
        return Chase(parts)
    return Found(found) if found else NODATA


@dataclass(slots=True)
class _Following:
    """What a name stands for, and the names that it leads to; `spelt` is the zone as asked for."""

    zone: KubernetesZone
    origin: str
    spelt: str
    steps: int = MAX_NAMES

    def resolved(
        self, question: Question, name: str, targets: list[Target], chain: tuple[str, ...] = ()
    ) -> list[Record | Question]:
        """Addresses, and each name with what it stands for; `chain` are those that led here.

        A question stands for the whole server's answer.
        """
        ttl, kind = self.zone.options.ttl, question.type
        found: list[Record | Question] = [*records.addresses(question.name, kind, targets, ttl)]
        for host in [absolute(target.host) for target in targets if target.kind == "CNAME"]:
            # A name below its own target never ends, nor does a circle.
            if within(folded(host), name) or host in chain or len(chain) > MAX_CHAIN:
                continue
            if not self.steps:
                break
            self.steps -= 1
            below = self._below(Question(host, kind), (*chain, host))
            found += [records.cname(question.name, host, ttl), *below] if below else []
        return found

    def _below(self, question: Question, chain: tuple[str, ...]) -> list[Record | Question]:
        name = folded(question.name)
        if not within(name, self.origin):
            return [question]
        targets = self.zone.targets(question, name, self.origin, self.spelt) or []
        return self.resolved(question, name, targets, chain)


def _existence(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    """Types that no name has: is there any other data? CoreDNS looks for A, all the way."""
    outcome = _addresses(zone, Question(question.name, "A"), name, origin)
    match outcome:
        case Chase(parts):
            return Chase(parts, shown=False)
        case Found():
            return NODATA
    return outcome


def _mail(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    return Without.NAME if zone.targets(question, name, origin) is None else NODATA


def _alias(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    targets = zone.targets(question, name, origin)
    if targets is None:
        return Without.NAME
    first = targets[0] if targets else None
    if first is None or first.kind != "CNAME":
        return NODATA
    return Found((records.cname(question.name, first.host, zone.options.ttl),))


def _text(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    """`dns-version.<zone>`; elsewhere NODATA needs data: an empty name does not exist."""
    if name == (f"dns-version.{origin}" if origin != "." else "dns-version."):
        return Found((Record(question.name, SCHEMA_TTL, "TXT", SCHEMA_VERSION),))
    return NODATA if find(zone.sight, name, origin) else Without.NAME


def _service(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    targets = zone.targets(question, name, origin)
    if targets is None:
        return Without.NAME
    known = [target for target in targets if target.kind != "CNAME"]
    spelt = zone.spelt(question, origin)
    return Found(*records.services(question.name, spelt, known, zone.options.ttl))


def _pointer(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    address = address_of(name)
    if not address:
        return Without.NAME if find(zone.sight, name, origin) is None else NODATA
    found = pointers(zone.sight, question.name, address)
    return Found(found) if found else Without.NAME


def _authority(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    """Below the apex there is none, whether or not the name exists."""
    if name != origin:
        return NODATA
    return Found((zone.soa(zone.spelt(question, origin)),))


def _nameservers(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    """The apex, if it is asked for in lower case; other names have none."""
    spelt = zone.spelt(question, origin)
    if name != spelt:
        return _existence(zone, question, name, origin)
    glue = nameserver.servers(zone.sight, zone.own, spelt)
    hosts = dict.fromkeys(record.name for record in glue)
    ttl = zone.options.ttl
    return Found(tuple(Record(question.name, ttl, "NS", host) for host in hosts), glue)


def _transfer(zone: KubernetesZone, question: Question, name: str, origin: str) -> Outcome:
    return Without.REFUSED


_HANDLERS: dict[str, Handler] = {
    "A": _addresses,
    "AAAA": _addresses,
    "TXT": _text,
    "CNAME": _alias,
    "PTR": _pointer,
    "MX": _mail,
    "SRV": _service,
    "SOA": _authority,
    "NS": _nameservers,
    "AXFR": _transfer,
    "IXFR": _transfer,
}
