"""What DNS servers of a lab answer from: the cluster's names as CoreDNS has them, or the public
ones outside; and who is told of the queries."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from kubehop.dns.chain import Answering, Asked, Serving
from kubehop.dns.chain.blocks import Block
from kubehop.dns.corefile.cluster import (
    DEFAULT_DOMAIN,
    corefile_of,
    corefile_text,
    kubeadm,
    mounted_files,
)
from kubehop.dns.corefile.parse import parse
from kubehop.dns.corefile.values import Corefile
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.names import folded
from kubehop.dns.outside import Outside
from kubehop.dns.settings import DNSSettings
from kubehop.dns.zone import ZoneData
from kubehop.dnsserver.values import Chain
from kubehop.lab.plan.values import Nameserver
from kubehop.model.changes import Change
from kubehop.model.cluster import Cluster
from kubehop.trace.upstreams import leads_back

RESOLV_CONF = "/etc/resolv.conf"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A query as it came to a DNS server: to which pod ("" outside), from whom, and over what."""

    pod: str
    client: str
    transport: str
    question: Question


Log = Callable[[Arrived], None]


def corefile_for(cluster: Cluster, server: Nameserver, settings: DNSSettings) -> Corefile:
    """What CoreDNS runs with there, as `kubehop.trace.lookups.Names.corefile` has it.

    Raises InputError for a Corefile that CoreDNS would refuse.
    """
    files = {RESOLV_CONF: server.resolv_conf}
    if server.corefile:
        return parse(server.corefile, f"Corefile of {server.pod}", files=_mounted(cluster, files))
    if settings.corefile is not None:
        return parse(settings.corefile, settings.corefile_name, files=files)
    if is_assumed(cluster, settings):
        domain = settings.cluster_domain or DEFAULT_DOMAIN.removesuffix(".")
        return parse(kubeadm(domain), "kubeadm's Corefile", files=files)
    return corefile_of(cluster, files=files)


def is_assumed(cluster: Cluster, settings: DNSSettings) -> bool:
    """True if nothing says what cluster DNS runs with."""
    return settings.corefile is None and corefile_text(cluster) is None


def _mounted(cluster: Cluster, files: dict[str, str]) -> dict[str, str]:
    return mounted_files(cluster) | files


def serving(cluster: Cluster, corefile: Corefile, data: ZoneData, server: Nameserver) -> Serving:
    """The chain of a pod of cluster DNS: a forward to itself stays in it, as it is predicted."""
    return Serving(
        corefile,
        data,
        own=server.addresses,
        resolv_conf=server.resolv_conf,
        itself=leads_back(cluster, server.addresses, corefile),
        serial=int(time.time()),  # noqa: TID251 - the SOA's serial is the time
    )


class OutsideChain:
    """A resolver outside: a table of names, and nothing else exists."""

    def __init__(self, zone: Outside) -> None:
        self._zone = zone
        self.serial = 0

    def answer(self, asked: Asked, now: float) -> Answering:
        """The reply; a zone that is silent says SERVFAIL here, for it cannot be silent."""
        yield from ()
        return self._zone.answer(asked.question) or Reply(Rcode.SERVFAIL)

    def is_static(self, question: Question, port: int = 0) -> bool:
        return True

    def lasts(self, asked: Asked, now: float) -> float:
        return now

    def owner_of(self, name: str) -> str:
        return folded(name)

    def block(self, question: Question, port: int = 0) -> Block | None:
        return None

    def apply(self, change: Change) -> frozenset[str]:
        return frozenset()

    def unready(self) -> tuple[str, ...]:
        return ()


class Logging:
    """A chain that tells of every query when it comes, in the order in which they come.

    Nothing is kept as octets, for then queries would be answered before they get here.
    """

    def __init__(self, chain: Chain, pod: str, log: Log) -> None:
        self._chain, self._pod, self._log = chain, pod, log

    @property
    def serial(self) -> int:
        return self._chain.serial

    @serial.setter
    def serial(self, serial: int) -> None:
        self._chain.serial = serial

    def answer(self, asked: Asked, now: float) -> Answering:
        self._log(Arrived(self._pod, asked.client, asked.transport, asked.question))
        return self._chain.answer(asked, now)

    def is_static(self, question: Question, port: int = 0) -> bool:
        return False

    def lasts(self, asked: Asked, now: float) -> float:
        return now

    def owner_of(self, name: str) -> str:
        return self._chain.owner_of(name)

    def block(self, question: Question, port: int = 0) -> Block | None:
        return self._chain.block(question, port)

    def apply(self, change: Change) -> frozenset[str]:
        return self._chain.apply(change)

    def unready(self) -> tuple[str, ...]:
        return self._chain.unready()
