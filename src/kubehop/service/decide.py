"""What kube-proxy does with the first packet of a connection on one node.

One decision for a packet that has met a frontend (`decide`), one for a packet that has not
(`decide_unmatched`). Reference: kube-proxy, sections 3 and 8; `pkg/proxy/*/proxier.go`.
"""

import enum
from dataclasses import dataclass

from kubehop.model.addresses import Family, canonical, contains, family
from kubehop.model.proxy import ProxyConfig
from kubehop.model.service import Service, ServicePort
from kubehop.service.endpoints import Endpoint
from kubehop.service.frontends import (
    Frontend,
    FrontendKind,
    FrontendTable,
    externally_accessible,
)
from kubehop.service.modes import MODES
from kubehop.service.nodes import ProxyNode, is_pod_source
from kubehop.service.sets import EndpointSets, Policies


class Action(enum.StrEnum):
    """What happens: DNAT to one endpoint, uniformly; ICMP reject; silent drop; nothing."""

    DNAT = "dnat"
    REJECT = "reject"
    DROP = "drop"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Decision:
    """kube-proxy's decision and its reason.

    `masquerade` says that the packet is *marked*; which address it gets, if any, is decided
    where it leaves the node. A hairpin choice is marked besides: see `marks`.
    """

    action: Action
    why: str
    endpoints: tuple[Endpoint, ...] = ()
    masquerade: bool = False

    def marks(self, endpoint: Endpoint, source: str) -> bool:
        """True if the packet is marked for masquerade when `endpoint` is the one chosen."""
        return self.masquerade or endpoint.address == source


def policies(service: Service, port: ServicePort, wanted: Family, config: ProxyConfig) -> Policies:
    """The policies of a Service port in one family."""
    spec, annotations = service.spec, service.metadata.annotations
    older = annotations and annotations.topology_aware_hints
    mode = annotations.topology_mode if annotations and older is None else older
    return Policies(
        internal_local=spec.internal_traffic_policy == "Local",
        external_local=spec.external_traffic_policy == "Local",
        externally_accessible=externally_accessible(service, port, wanted),
        hints_allowed=not config.hints_need_annotation or mode in ("Auto", "auto"),
    )


def decide(
    frontend: Frontend,
    sets: EndpointSets,
    source: str,
    node: ProxyNode,
    config: ProxyConfig,
) -> Decision:
    """The fate of a packet from `source` at `frontend`, on `node`.

    Step 1: load balancer source ranges. Step 2: nothing usable on any node: REJECT.
    Step 3: the frontend's policy picks the set and the masquerade mark. Step 4: an empty set
    although endpoints exist elsewhere: DROP.
    """
    if frontend.kind is FrontendKind.LOAD_BALANCER:
        blocked = _blocked(frontend.service, source, node, sets.has_any, config)
        if blocked is not None:
            return blocked
    if not sets.has_any:
        return Decision(Action.REJECT, "no endpoint is ready on any node")
    if frontend.kind.external:
        chosen = _external(frontend, sets, source, node, config)
    else:
        chosen = _internal(frontend.service, sets, source, node, config)
    if chosen.endpoints:
        return chosen
    if MODES[config.mode].local_falls_back:
        return Decision(Action.REJECT, f"{chosen.why}; the virtual server has no real server")
    return Decision(Action.DROP, f"{chosen.why}, and none is on this node")


def _blocked(
    service: Service, source: str, node: ProxyNode, has_any: bool, config: ProxyConfig
) -> Decision | None:
    """The DROP of `loadBalancerSourceRanges`, None if the source is admitted (section 1.5)."""
    ranges = source_ranges(service, family(source))
    if not ranges or any(contains(cidr, source) for cidr in ranges):
        return None
    if not has_any and not MODES[config.mode].filters_when_empty:
        return None
    # A node that has the VIP bound uses it as source; admitted if the node itself is.
    own = node.primary_of(family(source))
    is_vip = any(i.ip and canonical(i.ip) == source for i in service.ingress)
    if is_vip and own and any(contains(cidr, own) for cidr in ranges):
        return None
    why = f"its source is in none of loadBalancerSourceRanges {', '.join(ranges)}"
    return Decision(Action.DROP, why)


def source_ranges(service: Service, wanted: Family) -> list[str]:
    """Those of `loadBalancerSourceRanges` that count in a family."""
    ranges = service.spec.load_balancer_source_ranges or ()
    return [cidr.strip() for cidr in ranges if family(cidr) is wanted]


def _internal(
    service: Service, sets: EndpointSets, source: str, node: ProxyNode, config: ProxyConfig
) -> Decision:
    """ClusterIP: internalTrafficPolicy applies, externalTrafficPolicy never does."""
    masquerade = config.masquerade_all or is_pod_source(source, node, config) is False
    if service.spec.internal_traffic_policy != "Local":
        why = "internalTrafficPolicy Cluster: any endpoint"
        return Decision(Action.DNAT, why, sets.cluster or (), masquerade)
    if not sets.local and MODES[config.mode].local_falls_back:
        why = "internalTrafficPolicy Local without local endpoint: ipvs sends it elsewhere"
        return Decision(Action.DNAT, why, sets.cluster or (), masquerade)
    why = "internalTrafficPolicy Local: only endpoints of this node"
    return Decision(Action.DNAT, why, sets.local or (), masquerade)


def _external(
    frontend: Frontend,
    sets: EndpointSets,
    source: str,
    node: ProxyNode,
    config: ProxyConfig,
) -> Decision:
    """nodePort, external IP and load balancer IP: only externalTrafficPolicy applies."""
    rules = MODES[config.mode]
    if frontend.service.spec.external_traffic_policy != "Local":
        why = "externalTrafficPolicy Cluster: any endpoint, source masqueraded"
        return Decision(Action.DNAT, why, sets.cluster or (), masquerade=True)
    if rules.short_circuits and is_pod_source(source, node, config):
        why = "externalTrafficPolicy Local does not bind pods: any endpoint (short-circuit)"
        return Decision(Action.DNAT, why, sets.cluster or ())
    if rules.short_circuits and node.owns(source):
        why = "externalTrafficPolicy Local does not bind the node itself: any endpoint"
        return Decision(Action.DNAT, why, sets.cluster or (), masquerade=True)
    if not sets.local and rules.local_falls_back:
        why = "externalTrafficPolicy Local without local endpoint: ipvs sends it elsewhere"
        return Decision(Action.DNAT, why, sets.cluster or ())
    why = "externalTrafficPolicy Local: only endpoints of this node, source kept"
    return Decision(Action.DNAT, why, sets.local or ())


def decide_unmatched(
    destination: str,
    table: FrontendTable,
    service_cidrs: tuple[str, ...],
    config: ProxyConfig,
) -> Decision:
    """The fate of a packet that no frontend matches (section 8, rows 3 and 4)."""
    rules = MODES[config.mode]
    guarded = table.addresses if rules.binds_service_addresses else table.cluster_ips
    if rules.rejects_undefined_ports and destination in guarded:
        return Decision(Action.REJECT, "the Service has no such port or protocol")
    if rules.drops_unallocated and any(contains(c, destination) for c in service_cidrs):
        return Decision(Action.DROP, "an address of the Service range that no Service has")
    return Decision(Action.NONE, "no Service listens there: kube-proxy does nothing")
