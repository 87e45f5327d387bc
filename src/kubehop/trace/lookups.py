"""A lookup from where a client is: its files, its queries, who answers each and why.

1. The kubelet's files for the client (`kubehop.dns.resolv`): what its resolver will read.
2. The resolver's machine (`kubehop.dns.lookup`) names the queries.
3. Each query takes the packet's way to its nameserver, and is answered there (`answerer`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from kubehop.dns.chain import Serving, own_addresses
from kubehop.dns.corefile.cluster import (
    DEFAULT_DOMAIN,
    cluster_domain,
    corefile_of,
    corefile_text,
    kubeadm,
)
from kubehop.dns.corefile.parse import parse
from kubehop.dns.corefile.values import Corefile
from kubehop.dns.lookup.drive import Step
from kubehop.dns.lookup.protocol import Outcome
from kubehop.dns.names import in_ascii
from kubehop.dns.outside import Outside, outside_for
from kubehop.dns.resolv import hosts as hosts_file
from kubehop.dns.resolv.hostname import pod_hostname
from kubehop.dns.resolv.kubelet import Event, KubeletDNS, pod_resolv_conf
from kubehop.dns.resolv.pod_hosts import node_hosts, pod_hosts
from kubehop.dns.service import api_service, dns_addresses, dns_service
from kubehop.dns.settings import DNSSettings
from kubehop.dns.zone import ZoneData
from kubehop.model.addresses import Family, family
from kubehop.model.changes import Change
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.meta import ObjectMeta
from kubehop.model.node import Node
from kubehop.model.pod import Pod, PodSpec
from kubehop.trace.answerer import Answerer
from kubehop.trace.lookup_notes import notes_on, shown, shown_outcome
from kubehop.trace.nameservers import Nameserver
from kubehop.trace.questions import Origin, node_origin
from kubehop.trace.upstreams import Upstreams, leads_back

if TYPE_CHECKING:
    from kubehop.dns.lookup.advice import Advice
    from kubehop.dns.lookup.resolvers import Resolver

NO_DNS_SERVICE = "no DNS Service in the input"
CORE_DNS_FILE = "/etc/resolv.conf"
ASSUMED_RESOLVERS = {Family.IPV4: "192.0.2.53", Family.IPV6: "2001:db8::53"}
"""Outside, where nothing tells of one (RFC 5737, 3849: the addresses stand for any)."""


@dataclass(frozen=True, slots=True)
class Files:
    """What a client's resolver reads; `why` says which rule made it, `events` what the kubelet
    would report, `problem` why the pod would never start. `hostname` is the kernel's: resolvers
    search its domain where resolv.conf has no search list."""

    resolv_conf: str
    hosts: str = ""
    hostname: str = ""
    why: str = ""
    events: tuple[Event, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A query, what it got, why it got that, the object responsible ("" if none), and who
    answers where it was sent."""

    step: Step
    why: str
    object: str
    met: Nameserver | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A lookup as it will go. `seconds` is infinite for one that never returns."""

    name: str
    origin: str
    resolver: "Resolver"
    files: Files
    steps: tuple[Answered, ...]
    outcome: Outcome
    seconds: float
    nameservers: tuple[Nameserver, ...]
    advice: "tuple[Advice, ...]" = ()
    notes: tuple[str, ...] = ()

    @property
    def queries(self) -> int:
        return len(self.steps)


class Names:
    """A cluster's names, with what was assumed about them; made once for many lookups."""

    def __init__(self, cluster: Cluster, settings: DNSSettings) -> None:
        self.cluster = cluster
        self._settings = settings
        self._assumed: dict[str, None] = {}

    @cached_property
    def _own(self) -> tuple[str, ...]:
        """The addresses of a pod of cluster DNS; a trace to an address never needs them."""
        service = dns_service(self.cluster)
        mine = (service.namespace, service.name) if service else ("", "")
        return own_addresses(self.cluster, mine)

    @cached_property
    def _upstreams(self) -> Upstreams:
        return Upstreams(self.cluster, self._own)

    @cached_property
    def corefile(self) -> Corefile:
        """What cluster DNS runs with. Raises InputError where CoreDNS would refuse it."""
        files = {CORE_DNS_FILE: self._core_dns_file}
        if self._settings.corefile is not None:
            return parse(self._settings.corefile, self._settings.corefile_name, files=files)
        if self._corefile_is_assumed:
            self._assume("no ConfigMap kube-system/coredns: kubeadm's Corefile assumed")
            domain = self._settings.cluster_domain or DEFAULT_DOMAIN.removesuffix(".")
            return parse(kubeadm(domain), "kubeadm's Corefile", files=files)
        return corefile_of(self.cluster, files=files)

    @property
    def _corefile_is_assumed(self) -> bool:
        return self._settings.corefile is None and corefile_text(self.cluster) is None

    @cached_property
    def domain(self) -> str:
        """The cluster domain, without a trailing dot."""
        return self._settings.cluster_domain or cluster_domain(self.corefile).removesuffix(".")

    @cached_property
    def _data(self) -> ZoneData:
        """The cluster's objects, and the API server's Service in any case."""
        found = ZoneData.of(self.cluster)
        if not self.cluster.services:
            self._assume("the input has no Services, so that none of their names is found")
        service = api_service(self.cluster)
        if service is not None:
            self._assume(f"{service.reference} assumed, at {service.cluster_ips[0]}")
            found.apply(Change((service,)))
        return found

    @cached_property
    def _core_dns_file(self) -> str:
        """CoreDNS has dnsPolicy Default: its resolv.conf is its node's."""
        pods = (self.cluster.pod_at(address) for address in self._own)
        return self._node_file(next((pod.node_name for pod in pods if pod), ""))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the input did not say, a line each, as far as it has mattered."""
        return tuple(self._assumed)

    def files(self, origin: Origin | None, namespace: str = "default") -> Files:
        """The files of a pod or of a node's own processes; without an origin, of any pod of
        `namespace` that sets nothing."""
        pod = origin_pod(self.cluster, origin)
        if origin is not None and not origin.node:
            assumed = _assumed_file(origin.addresses)
            return Files(assumed, why="a client outside has a resolver of its own")
        if origin is not None and pod is None:
            hosts = self._node_hosts(origin.node)
            file = self._node_file(origin.node)
            return Files(file, hosts, why="the node's own", hostname=origin.node)
        pod = pod or _any_pod(namespace)
        kubelet = KubeletDNS(self._cluster_dns(), self.domain, self._node_file(pod.node_name))
        names = pod_hostname(pod, self.domain, pod.node_name)
        made = pod_resolv_conf(pod, kubelet)
        return Files(
            resolv_conf=made.text,
            hosts=pod_hosts(pod, names, self._node_hosts(pod.node_name)),
            hostname=names.kernel,
            why=made.why,
            events=made.events,
            problem=made.problem or names.problem,
        )

    def lookup(
        self, name: str, origin: Origin | None, resolver: "Resolver", namespace: str = "default"
    ) -> Prediction:
        """What happens when a program at `origin` looks `name` up.

        Raises UsageError for a name that is not ASCII.
        """
        from kubehop.dns.lookup import advice as advising  # all resolvers: not for a lab's start

        name = in_ascii(name)
        files = self.files(origin, namespace)
        answerer = self._answerer(name, origin)
        hosts = hosts_file.parse(files.hosts)
        asked = advising.ask(
            resolver, name, files.resolv_conf, answerer.answer, hosts, files.hostname
        )
        # Now, for advice asks more.
        nameservers, notes = (
            tuple(answerer.met.values()),
            notes_on(files.problem, files.events, answerer),
        )
        steps = tuple(
            Answered(shown(s), *answerer.explain(s.query), answerer.nameserver(s.query))
            for s in asked.lookup.steps
        )
        return Prediction(
            name=name,
            origin=origin.label if origin else f"a pod of namespace {namespace}",
            resolver=resolver,
            files=files,
            steps=steps,
            outcome=shown_outcome(asked.lookup.outcome),
            seconds=asked.lookup.seconds,
            nameservers=nameservers,
            advice=advising.advice(asked),
            notes=notes,
        )

    def _answerer(self, name: str, origin: Origin | None) -> Answerer:
        # A server that nobody has asked yet: a cache would make the answer depend on the past.
        serving = Serving(
            self.corefile,
            self._data,
            own=self._own,
            resolv_conf=self._core_dns_file,
            itself=leads_back(self.cluster, self._own, self.corefile),
        )
        return Answerer(
            self.cluster,
            origin,
            serving,
            self._outside(name),
            self._upstreams,
            ports=None if self._corefile_is_assumed else serving.ports,
        )

    def _outside(self, name: str) -> Outside:
        return outside_for(
            (name, *self._targets),
            hosts=self._settings.hosts,
            mood=self._settings.mood,
            zones=(self.domain,),
            words=self._words,
        )

    @cached_property
    def _targets(self) -> tuple[str, ...]:
        """What ExternalName Services point to."""
        names = (service.spec.external_name for service in self.cluster.services)
        return tuple(dict.fromkeys(name for name in names if name))

    @cached_property
    def _words(self) -> frozenset[str]:
        """Names of namespaces and Services."""
        return frozenset(o.name for o in (*self.cluster.namespaces, *self.cluster.services))

    def _cluster_dns(self) -> tuple[str, ...]:
        if self._settings.cluster_dns is not None:
            return self._settings.cluster_dns
        addresses, assumed = dns_addresses(self.cluster)
        if assumed:
            service = dns_service(self.cluster)
            why = f"{service.reference} has no cluster IP" if service else NO_DNS_SERVICE
            self._assume(f"{why}: cluster DNS assumed at {', '.join(addresses)}")
        return addresses

    def _node_hosts(self, name: str) -> str:
        """The text of a node's /etc/hosts: no object tells it."""
        node = self.cluster.node(name)
        return node_hosts(name, node_origin(node).addresses) if node else ""

    def _node_file(self, name: str) -> str:
        """The text of a node's resolv.conf: said, annotated, or assumed."""
        if self._settings.node_resolv_conf is not None:
            return self._settings.node_resolv_conf
        node: Node | None = self.cluster.node(name) if name else None
        nodes = (node,) if node else self.cluster.nodes
        found = next((n.resolv_conf for n in nodes if n and n.resolv_conf is not None), None)
        if found is None:
            self._assume("the nodes' resolv.conf assumed: no search domain, a resolver outside")
            return self._assumed_node_file
        return found

    @cached_property
    def _assumed_node_file(self) -> str:
        return _assumed_file(a for n in self.cluster.nodes for a in n.internal_ips)

    def _assume(self, line: str) -> None:
        self._assumed[line] = None


def origin_pod(cluster: Cluster, origin: Origin | None) -> Pod | None:
    """The pod that an origin is, None if it is none."""
    if origin is None or not origin.label.startswith("pod/"):
        return None
    _, namespace, name = origin.label.split("/", 2)
    return cluster.pod(namespace, name)


def _assumed_file(addresses: Iterable[str]) -> str:
    """A resolv.conf with one resolver and no search list, for a host with these addresses."""
    families = {family(address) for address in addresses}
    only_ipv6 = families == {Family.IPV6}
    return f"nameserver {ASSUMED_RESOLVERS[Family.IPV6 if only_ipv6 else Family.IPV4]}\n"


def _any_pod(namespace: str) -> Pod:
    return Pod(metadata=ObjectMeta(name="pod", namespace=namespace), spec=PodSpec())


def resolver_named(name: str) -> "Resolver":
    """The resolver that a user names; raises UsageError with those there are."""
    from kubehop.dns.lookup.resolvers import RESOLVERS

    if name not in RESOLVERS:
        raise UsageError(f"no resolver {name!r}; there is: {', '.join(RESOLVERS)}")
    return RESOLVERS[name]
