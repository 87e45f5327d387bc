"""What `service.decide` says of each class of source, as the bits of a mark.

The policy is asked, not written again: `decide` is given sets of one marker endpoint each and
sources of each class, and the bits follow from what it picks.
"""

from dataclasses import dataclass, replace

from kubehop.lab.plan.rules.marks import LOCAL, MASQUERADE, SHORT_CIRCUIT, UNLESS_POD
from kubehop.model.cluster import Cluster
from kubehop.model.proxy import DetectLocal, ProxyConfig
from kubehop.service.decide import Action, Decision, decide
from kubehop.service.endpoints import Endpoint
from kubehop.service.frontends import Frontend, FrontendKind
from kubehop.service.nodes import ProxyNode
from kubehop.service.sets import Endpoints, EndpointSets

_NODE = ProxyNode("node", "", ("192.0.2.1",), ("192.0.2.1",), ("198.51.100.0/24",))
_POD, _OWN, _OTHER = "198.51.100.1", "192.0.2.1", "203.0.113.1"
_ANY, _HERE = Endpoint("192.0.2.10", 1), Endpoint("192.0.2.11", 1)
_BOTH = EndpointSets((_ANY,), (_HERE,), has_any=True)
_EMPTY = EndpointSets((), (), has_any=True)
_NOTHING = EndpointSets((), (), has_any=False)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a frontend treats its packets: bits of the mark; and what happens where the set that
    applies is empty (`missing`), or no endpoint is usable anywhere (`nothing`)."""

    bits: int
    missing: Action
    nothing: Action


def behaviour(cluster: Cluster, frontend: Frontend) -> Behaviour:
    """The behaviour of a frontend; found out once for those that have their policies in common."""
    spec = frontend.service.spec
    known = cluster.derived(_known)
    key = (
        frontend.kind.external,
        spec.internal_traffic_policy,
        spec.external_traffic_policy,
    )
    if key not in known:
        known[key] = _asked(frontend, cluster.proxy)
    return known[key]


def _known(cluster: Cluster) -> dict[object, Behaviour]:
    """An empty table for `behaviour` to fill."""
    del cluster
    return {}


def _asked(frontend: Frontend, config: ProxyConfig) -> Behaviour:
    pod, own, other = (_ask(frontend, source, _BOTH, config) for source in (_POD, _OWN, _OTHER))
    bits = 0
    if other.endpoints == (_HERE,):
        bits |= LOCAL
    if pod.endpoints != other.endpoints:
        assert own.endpoints == pod.endpoints
        assert own.masquerade
        bits |= SHORT_CIRCUIT
    if other.masquerade:
        bits |= MASQUERADE if pod.masquerade else UNLESS_POD
    missing, nothing = (_ask(frontend, _OTHER, sets, config) for sets in (_EMPTY, _NOTHING))
    return Behaviour(bits, missing.action, nothing.action)


def local_set(frontend: Frontend, sets: EndpointSets, config: ProxyConfig) -> Endpoints:
    """The endpoints that a frontend with the bit LOCAL has for those whom the policy binds."""
    return _ask(frontend, _OTHER, sets, config).endpoints


def _ask(frontend: Frontend, source: str, sets: EndpointSets, config: ProxyConfig) -> Decision:
    """Source ranges are a filter of their own, so a load balancer's frontend is asked as an
    external IP. With a detector: rules know by a set of sources where there is none."""
    if frontend.kind is FrontendKind.LOAD_BALANCER:
        frontend = replace(frontend, kind=FrontendKind.EXTERNAL_IP)
    config = replace(config, detect_local=DetectLocal.NODE_CIDR)
    return decide(frontend, sets, source, _NODE, config)
