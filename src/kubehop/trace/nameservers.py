"""A nameserver as a client reaches it: a query is a packet like any other.

1. An address that nothing in the cluster answers leaves it: resolvers outside. The node-local
   cache answers on its node, at the address of cluster DNS too (kube-proxy mode ipvs: only at
   its own).
2. A packet that kube-proxy rejects, or that reaches a pod which serves no DNS, comes back as an
   ICMP error; one that is dropped, or whose answer is lost, is silence.
3. What reaches an endpoint of the DNS Service is answered by cluster DNS. Where that is only
   sometimes so, the likeliest fate counts, and the others are told.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from kubehop.dns.service import NODE_LOCAL, dns_addresses, dns_endpoints, dns_service
from kubehop.model.addresses import canonical, socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.pod import Pod
from kubehop.model.proxy import ProxyMode
from kubehop.service.nodes import is_loopback
from kubehop.trace.places import PlaceKind, locate
from kubehop.trace.questions import Origin
from kubehop.trace.values import Fate, Trace, Verdict
from kubehop.trace.walk import trace

PORT = 53
CACHE_LABEL = ("k8s-app", "node-local-dns")
"""Of the pods of the node-local DNS cache (KEP-1024)."""
UNSPECIFIED = ("0.0.0.0", "::")  # noqa: S104 - compared, never bound
"""As a destination the kernel takes them for the host itself."""


class Answers(enum.StrEnum):
    """Who answers what is sent to a nameserver, if anybody."""

    CLUSTER = "cluster DNS"
    OUTSIDE = "a resolver outside"
    UNREACHABLE = "nobody: refused"
    SILENT = "nobody: silence"


@dataclass(frozen=True, slots=True)
class Nameserver:
    """Who answers at `address`, by which way, and why; `share` of the packets fare so.

    `port` is the one that the packet arrives at, 0 if its way is not known; `clients` are the
    source addresses that may be seen there, the likeliest first, "" for one not known.
    """

    address: str
    answers: Answers
    what: str
    why: str = ""
    object: str = ""
    share: Fraction = Fraction(1)
    port: int = 0
    clients: tuple[str, ...] = ()


def nameserver(
    cluster: Cluster, origin: Origin | None, address: str, protocol: str = "UDP"
) -> Nameserver:
    """What becomes of a query from `origin` to port 53 of `address`.

    Without an origin the way is not looked at, only whose address it is.
    """
    if "%" in address:
        return _on_link(cluster, origin, address)
    address = canonical(address)
    assumed = _cached(cluster, origin, address) or _assumed(cluster, address)
    if assumed is not None:
        return assumed
    if origin is None:
        return _by_owner(cluster, address)
    if not origin.node:
        return Nameserver(address, Answers.OUTSIDE, "a client outside asks its own resolver")
    if is_loopback(address) or address in UNSPECIFIED:
        return _own(cluster, origin, address)
    try:
        answer = trace(cluster, origin.label, socket_address(address, PORT), protocol=protocol)
    except UsageError as error:
        return Nameserver(address, Answers.UNREACHABLE, "no packet can be sent there", str(error))
    return _likeliest(cluster, address, answer)


def _cached(cluster: Cluster, origin: Origin | None, address: str) -> Nameserver | None:
    """The node-local cache of the origin's node, if a pod of it is there and ready."""
    if origin is None or (cluster.proxy.mode is ProxyMode.IPVS and address != NODE_LOCAL):
        return None
    pod = cluster.derived(_caches).get(origin.node)
    if pod is None or address not in (NODE_LOCAL, *dns_addresses(cluster)[0]):
        return None
    what = f"the node-local DNS cache of node {origin.node} answers"
    return Nameserver(address, Answers.CLUSTER, what, "", pod.reference)


def _caches(cluster: Cluster) -> dict[str, Pod]:
    key, value = CACHE_LABEL
    found = (pod for pod in cluster.pods if pod.labels.get(key) == value)
    return {pod.node_name: pod for pod in found if pod.host_network and pod.ready}


def _assumed(cluster: Cluster, address: str) -> Nameserver | None:
    """Addresses that no object in the input answers, but cluster DNS does by custom."""
    if address == NODE_LOCAL:
        return Nameserver(address, Answers.CLUSTER, "the node-local DNS cache is assumed to answer")
    addresses, assumed = dns_addresses(cluster)
    if assumed and address in addresses and dns_service(cluster) is None:
        what = "cluster DNS is assumed to answer here"
        return Nameserver(address, Answers.CLUSTER, what, "the input has no DNS Service")
    return None


def _on_link(cluster: Cluster, origin: Origin | None, address: str) -> Nameserver:
    """A link-local address with its zone (RFC 4007): a router on the link of the nodes."""
    if origin is None or not origin.node or _in_pod(cluster, origin):
        what = f"{address} is on a link of the node's, which a pod is not on"
        return Nameserver(address, Answers.SILENT, what)
    return Nameserver(address, Answers.OUTSIDE, f"{address} is on a link of the node's")


def _in_pod(cluster: Cluster, origin: Origin) -> bool:
    return locate(cluster, origin.addresses[0]).kind is PlaceKind.POD


def _own(cluster: Cluster, origin: Origin, address: str) -> Nameserver:
    """A loopback address: the node's stub resolver (systemd-resolved) for whoever shares its
    network; in a pod's own network nothing listens there."""
    if _in_pod(cluster, origin):
        what = f"{address} is the pod itself, and nothing is known to listen there"
        return Nameserver(address, Answers.UNREACHABLE, what, "", origin.object)
    what = f"{address} is a resolver of the node's own"
    return Nameserver(address, Answers.OUTSIDE, what, "", origin.object)


def _by_owner(cluster: Cluster, address: str) -> Nameserver:
    service = dns_service(cluster)
    mine = {canonical(ip) for ip in service.cluster_ips} if service else set()
    if address in mine | dns_endpoints(cluster):
        assert service is not None
        return Nameserver(
            address, Answers.CLUSTER, f"{address} is cluster DNS", "", service.reference
        )
    return Nameserver(address, Answers.OUTSIDE, f"{address} is not cluster DNS")


def _likeliest(cluster: Cluster, address: str, answer: Trace) -> Nameserver:
    shares: dict[Answers, Fraction] = defaultdict(Fraction)
    examples: dict[Answers, Fate] = {}
    for fate in answer.fates:
        met = _met(cluster, fate)
        shares[met] += fate.probability
        examples.setdefault(met, fate)
    best = max(shares, key=lambda met: shares[met])
    last = examples[best].hops[-1]
    service = next((hop for hop in examples[best].hops if hop.stage == "service"), last)
    reached = examples[best].endpoint
    return Nameserver(
        address,
        best,
        last.what,
        last.why,
        service.object,
        shares[best],
        port=reached.port if reached else 0,
        clients=_clients(fate for fate in answer.fates if _met(cluster, fate) is best),
    )


def _clients(fates: Iterable[Fate]) -> tuple[str, ...]:
    shares: dict[str, Fraction] = defaultdict(Fraction)
    for fate in fates:
        shares[fate.source_seen or ""] += fate.probability
    return tuple(sorted(shares, key=lambda seen: -shares[seen]))


def _met(cluster: Cluster, fate: Fate) -> Answers:
    reached = fate.endpoint
    match fate.verdict:
        case Verdict.REJECTED:
            return Answers.UNREACHABLE
        case Verdict.DROPPED:
            return Answers.SILENT
        case Verdict.UNROUTED | Verdict.UNRESOLVED:
            return Answers.SILENT
        case Verdict.DELIVERED:
            assert reached is not None
            if not fate.reply_returns:
                return Answers.SILENT
            if canonical(reached.address) in dns_endpoints(cluster):
                return Answers.CLUSTER
            inside = bool(reached.pod or reached.node)
            return Answers.UNREACHABLE if inside else Answers.OUTSIDE
