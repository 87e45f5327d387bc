"""The Cluster set and the Local set (reference: kube-proxy, section 2)."""

import pytest

from kubehop.model.proxy import ProxyConfig
from kubehop.service.endpoints import Endpoint
from kubehop.service.sets import EndpointSets, Policies, endpoint_sets, usable

CLUSTER = Policies()
ITP = Policies(internal_local=True)
ETP = Policies(external_local=True, externally_accessible=True)


def ready(name: str, node: str = "", zones: str = "", nodes: str = "") -> Endpoint:
    hints = tuple(zones.split()), tuple(nodes.split())
    return Endpoint(name, 80, node, for_zones=hints[0], for_nodes=hints[1])


def draining(name: str, node: str = "", zones: str = "") -> Endpoint:
    return Endpoint(name, 80, node, ready=False, terminating=True, for_zones=tuple(zones.split()))


def unready(name: str, node: str = "") -> Endpoint:
    return Endpoint(name, 80, node, ready=False, serving=False)


A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"

# (endpoints, policies) -> (Cluster set, Local set, has any) on node n in zone z
SETS: list[tuple[list[Endpoint], Policies, str | None, str | None, bool]] = [
    # the rule: "usesCluster := not iTPLocal, or externally accessible"
    ([ready(A, "n"), ready(B, "m")], CLUSTER, f"{A} {B}", None, True),
    ([ready(A, "n"), ready(B, "m")], ITP, None, A, True),
    ([ready(A, "n"), ready(B, "m")], ETP, f"{A} {B}", A, True),
    (
        [ready(A, "n"), ready(B, "m")],
        Policies(internal_local=True, externally_accessible=True),
        f"{A} {B}",
        A,
        True,
    ),
    # the rule: "usesLocal := iTPLocal, or (eTPLocal and externally accessible)"
    ([ready(A, "n")], Policies(external_local=True), A, None, True),
    # the rule: "If R is empty: ST of all nodes, hints ignored"
    ([draining(A, "n", "z"), draining(B, "m", "y")], CLUSTER, f"{A} {B}", None, True),
    ([draining(A), ready(B)], CLUSTER, B, None, True),
    # the rule: "Anything else is never used"
    ([unready(A, "n")], CLUSTER, "", None, False),
    ([unready(A, "n")], ETP, "", "", False),
    # the rule: "local endpoints of R; if none, local ST; if none, empty"
    ([draining(A, "n"), ready(B, "m")], ETP, B, A, True),
    ([draining(A, "n"), ready(C, "n"), ready(B, "m")], ETP, f"{C} {B}", C, True),
    ([draining(A, "m")], ITP, None, "", True),
    # the rule: "Hints are never applied" to the Local set
    ([ready(A, "n", "y"), ready(B, "m", "z")], ETP, B, A, True),
    # the rule: zone hints, every ready endpoint one, one for this zone
    ([ready(A, zones="z"), ready(B, zones="y")], CLUSTER, A, None, True),
    ([ready(A, zones="z"), ready(B)], CLUSTER, f"{A} {B}", None, True),
    ([ready(A, zones="x"), ready(B, zones="y")], CLUSTER, f"{A} {B}", None, True),
    ([ready(A, zones="z"), ready(B, zones="y"), unready(C)], CLUSTER, A, None, True),
    # the rule: node hints first, then zone hints
    ([ready(A, zones="z", nodes="n"), ready(B, zones="z", nodes="m")], CLUSTER, A, None, True),
    ([ready(A, zones="z", nodes="l"), ready(B, zones="y", nodes="m")], CLUSTER, A, None, True),
    ([ready(A, zones="z", nodes="n"), ready(B, zones="y")], CLUSTER, A, None, True),
    # a name that is there twice is there once
    ([ready(A, zones="z z"), ready(B, nodes="n n", zones="y")], CLUSTER, A, None, True),
    ([], CLUSTER, "", None, False),
    ([], ITP, None, "", False),
]


@pytest.mark.parametrize(("endpoints", "policies", "cluster", "local", "has_any"), SETS)
def test_sets(
    endpoints: list[Endpoint],
    policies: Policies,
    cluster: str | None,
    local: str | None,
    has_any: bool,
) -> None:
    found = endpoint_sets(usable(tuple(endpoints)), policies, "n", "z", ProxyConfig())
    assert names(found) == (cluster, local)
    assert found.has_any is has_any


def names(found: EndpointSets) -> tuple[str | None, ...]:
    sets = (found.cluster, found.local)
    return tuple(None if one is None else " ".join(e.address for e in one) for one in sets)


def test_a_node_without_zone_never_matches() -> None:
    endpoints = usable((ready(A, zones="z"), Endpoint(B, 80, for_zones=("",))))
    assert names(endpoint_sets(endpoints, CLUSTER, "n", "", ProxyConfig()))[0] == f"{A} {B}"


def test_node_hints_need_their_gate() -> None:
    endpoints = usable((ready(A, nodes="n"), ready(B, nodes="m")))
    off = ProxyConfig(same_node_hints=False)
    assert names(endpoint_sets(endpoints, CLUSTER, "n", "z", off))[0] == f"{A} {B}"
    assert names(endpoint_sets(endpoints, CLUSTER, "n", "z", ProxyConfig()))[0] == A


def test_hints_may_need_an_annotation() -> None:
    endpoints = usable((ready(A, zones="z"), ready(B, zones="y")))
    without = Policies(hints_allowed=False)
    assert names(endpoint_sets(endpoints, without, "n", "z", ProxyConfig()))[0] == f"{A} {B}"


def test_all_is_the_union() -> None:
    endpoints = usable((ready(A, "n"), draining(B, "n"), ready(C, "m")))
    found = endpoint_sets(endpoints, ETP, "n", "", ProxyConfig())
    assert [e.address for e in found.all] == [A, C]
    assert EndpointSets(None, None, has_any=False).all == ()
