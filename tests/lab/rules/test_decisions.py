"""The maps against `service.decide_packet`, over generated clusters."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.lab.plan.rules import node_rulesets
from kubehop.lab.plan.rules.frame import PICKS
from kubehop.model.addresses import Family, canonical, family
from kubehop.model.cluster import Cluster
from kubehop.model.proxy import DetectLocal, ProxyMode
from kubehop.model.service import Service
from kubehop.service.decide import Action, Decision
from kubehop.service.endpoints import Endpoint
from kubehop.service.frontends import frontend_table
from kubehop.service.nodes import ProxyNode, proxy_nodes
from kubehop.service.outsider import EXTERNAL_CLIENT
from kubehop.service.packets import decide_packet
from kubehop.trace.places import PlaceKind, locate
from tests.clusters import (
    DRAINING,
    UNREADY,
    balanced,
    behind,
    cluster,
    endpoint,
    node,
    service,
)
from tests.lab.rules.evaluator import Outcome, Rules
from tests.strategies import CLUSTERS

IP = {Family.IPV4: "ip", Family.IPV6: "ip6"}
UNALLOCATED = ("10.43.255.250", "fd00:10:43::fffa")
LOOPBACK = ("127.0.0.1", "127.9.9.9", "::1")
SOURCES = (
    *EXTERNAL_CLIENT.values(),
    *("10.42.0.200", "10.42.4.200", "10.9.9.9", "192.168.0.77", "198.18.0.7", "198.51.100.1"),
    *("fd00:10:42:1::c8", "fd00:10:42:9::9", "2001:db8::77", "2001:db8:51::1"),
)


@st.composite
def with_affinity(draw: st.DrawFn) -> Cluster:
    """A cluster of which some Services have session affinity."""
    cluster = draw(CLUSTERS)
    kinds: st.SearchStrategy[Affinity] = st.sampled_from([None, "ClientIP"])
    services = tuple(_with(service, draw(kinds)) for service in cluster.services)
    return replace(cluster, services=services)


Affinity = Literal["ClientIP"] | None


def _with(service: Service, affinity: Affinity) -> Service:
    spec = msgspec.structs.replace(service.spec, session_affinity=affinity)
    return msgspec.structs.replace(service, spec=spec)


@given(with_affinity())
@settings(max_examples=60, deadline=None)
def test_maps_do_what_is_decided(cluster: Cluster) -> None:
    check(cluster)


RANGES = ["192.168.0.0/24", "10.42.0.0/24"]
HINTED = (
    endpoint("10.42.0.2", "n0", zones=["za"]),
    endpoint("10.42.1.2", "n1", zones=["zb"]),
    endpoint("10.42.2.2", "n2", zones=["zb"]),
)
BY_NODE = (
    endpoint("10.42.0.2", "n0", zones=["za"], nodes=["n0"]),
    endpoint("10.42.1.2", "n1", zones=["zb"], nodes=["n1", "n2"]),
)
ZONED = (node(0, "za"), node(1, "zb"), node(2, "zc"))
SPECIAL: dict[str, tuple[Service, tuple[Any, ...]]] = {
    "ranges": (balanced(loadBalancerSourceRanges=RANGES), (endpoint("10.42.1.2", "n1"),)),
    "ranges, empty": (balanced(loadBalancerSourceRanges=RANGES), ()),
    "ranges overlap": (
        balanced(loadBalancerSourceRanges=["10.42.0.0/16", *RANGES, "203.0.113.9/32"]),
        (endpoint("10.42.1.2", "n1"),),
    ),
    "ranges admit all": (
        balanced(loadBalancerSourceRanges=["0.0.0.0/0"]),
        (endpoint("10.42.1.2", "n1"),),
    ),
    "ranges, Local": (
        balanced(loadBalancerSourceRanges=RANGES, externalTrafficPolicy="Local"),
        (endpoint("10.42.1.2", "n1"),),
    ),
    "zones": (service(), HINTED),
    "zones, Local": (service(type="NodePort", externalTrafficPolicy="Local"), HINTED),
    "nodes": (service(), BY_NODE),
    "nodes, internal Local": (service(internalTrafficPolicy="Local"), BY_NODE),
    "external Local, internal Local": (
        balanced(externalTrafficPolicy="Local", internalTrafficPolicy="Local"),
        (endpoint("10.42.1.2", "n1"), endpoint("10.42.2.2", "n2", UNREADY)),
    ),
    "draining": (
        balanced(externalTrafficPolicy="Local"),
        (endpoint("10.42.1.2", "n1", DRAINING), endpoint("10.42.2.2", "n2", DRAINING)),
    ),
    "draining here, ready there": (
        balanced(externalTrafficPolicy="Local"),
        (endpoint("10.42.1.2", "n1", DRAINING), endpoint("10.42.2.2", "n2")),
    ),
    "host network": (
        service(type="NodePort", externalTrafficPolicy="Local"),
        (endpoint("192.168.0.11", "n1"), endpoint("192.168.0.12", "n2")),
    ),
    "many": (service(), tuple(endpoint(f"10.42.1.{at}", "n1") for at in range(2, 2 + PICKS + 9))),
    "affinity, Local": (
        balanced(externalTrafficPolicy="Local", sessionAffinity="ClientIP"),
        (endpoint("10.42.1.2", "n1"), endpoint("10.42.2.2", "n2")),
    ),
    "affinity, zones": (service(sessionAffinity="ClientIP"), HINTED),
}
CONFIGURED: dict[str, dict[str, Any]] = {
    "": {},
    "NodeCIDR": {"detect_local": DetectLocal.NODE_CIDR},
    "no detector": {"detect_local": DetectLocal.NONE},
    "masquerade all": {"masquerade_all": True},
    "all node addresses": {"nodeport_addresses": ("0.0.0.0/0",)},
    "some node addresses": {"nodeport_addresses": ("192.168.0.11/32", "127.9.0.0/16")},
    "no node hints": {"same_node_hints": False},
    "hints need an annotation": {"hints_need_annotation": True},
}


@pytest.mark.parametrize("configured", CONFIGURED)
@pytest.mark.parametrize("mode", ProxyMode)
@pytest.mark.parametrize("special", SPECIAL)
def test_maps_do_what_is_decided_of(special: str, mode: ProxyMode, configured: str) -> None:
    subject, endpoints = SPECIAL[special]
    check(
        cluster(*ZONED, subject, *behind(subject, *endpoints), mode=mode, **CONFIGURED[configured])
    )


@pytest.mark.parametrize("mode", ProxyMode)
def test_slices_that_disagree_about_an_endpoint(mode: ProxyMode) -> None:
    subject = balanced(externalTrafficPolicy="Local")
    first = behind(subject, endpoint("10.42.1.2", "n1", UNREADY))
    (second,) = behind(subject, endpoint("10.42.1.2", "n2"))
    named = msgspec.structs.replace(second.metadata, name="later")
    check(cluster(subject, *first, msgspec.structs.replace(second, metadata=named), mode=mode))


def check(of: Cluster) -> None:
    """Every packet, on every node, as the maps have it and as it is decided."""
    rulesets = node_rulesets(of)
    assert list(rulesets) == [found.name for found in of.nodes]
    for at in of.derived(proxy_nodes).values():
        of_family = {wanted: Rules(rulesets[at.name], IP[wanted]) for wanted in Family}
        for packet in _packets(of, at):
            rules = of_family[family(packet[0])]
            _, decision = decide_packet(of, at, *packet)
            assert rules.outcome(*packet) == _outcome(decision), (at.name, packet, decision)
            if decision.action is Action.DNAT:
                hairpins = {
                    f"{e.address} . {e.address}"
                    for e in decision.endpoints
                    if _meets_itself(of, e, at.name)
                }
                assert hairpins <= rules.named("hairpins").keys()


def _meets_itself(of: Cluster, endpoint: Endpoint, at: str) -> bool:
    """False for a pod of another node whose packets only come with that node's address."""
    place = locate(of, endpoint.address, endpoint.node)
    bound = of.pod_network.masquerades_to_nodes and place.kind is PlaceKind.POD
    return not (bound and place.node in of.derived(proxy_nodes)) or place.node == at


def _outcome(decision: Decision) -> Outcome:
    if decision.action is not Action.DNAT:
        return Outcome(decision.action)
    chosen = tuple(f"{e.address} . {e.port}" for e in decision.endpoints)
    return Outcome(decision.action, chosen, decision.masquerade)


def _packets(of: Cluster, node: ProxyNode) -> list[tuple[str, str, str, int]]:
    """Every frontend from every class of source, and what is beside the frontends."""
    table = of.derived(frontend_table)
    local = (*node.addresses, *LOOPBACK)
    others = [canonical(a) for other in of.nodes for a in other.internal_ips]
    destinations = {
        (address, protocol, port + more)
        for address, protocol, port in table.by_key
        for more in (0, 1)
    }
    reached = {
        (where, protocol, port)
        for address, protocol, port in destinations
        for where in ((*local, *others) if address in tuple(Family) else (address,))
    }
    reached |= {(address, "TCP", 80) for address in UNALLOCATED}
    sources = dict.fromkeys((*SOURCES, *local, *others, *_pods(of)))
    return [
        (source, destination, protocol, port)
        for destination, protocol, port in sorted(reached)
        for source in sources
        if ip_address(source).version == ip_address(destination).version
    ]


def _pods(of: Cluster) -> list[str]:
    return [canonical(a) for pod in of.pods for a in pod.addresses]
