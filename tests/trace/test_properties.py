"""What holds for every packet in every cluster."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as struct_replace

from kubehop.model.addresses import family, first_of, socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.meta import Object
from kubehop.model.service import EndpointSlice
from kubehop.service.decide import Action, source_ranges
from kubehop.service.endpoints import Endpoint, backends
from kubehop.service.frontends import FrontendKind, frontend_table
from kubehop.service.nodes import ProxyNode, proxy_nodes
from kubehop.service.outsider import outside_address
from kubehop.service.packets import decide_packet
from kubehop.service.spread import Client, Row, spreads
from kubehop.trace.places import PlaceKind, locate
from kubehop.trace.values import Fate, Trace, Verdict
from kubehop.trace.walk import trace
from kubehop.workload.options import Options
from tests.strategies import CLUSTERS, OPTIONS, completed, objects

FEW = settings(max_examples=60)


def origins(cluster: Cluster) -> list[str]:
    pods = [
        f"pod/{pod.name}.{pod.namespace}"
        for pod in cluster.pods
        if pod.addresses and pod.node_name and pod.phase == "Running"
    ]
    return ["external", *pods, *(f"node/{node.name}" for node in cluster.nodes)]


def traces(cluster: Cluster) -> Iterator[Trace]:
    """Every origin to every Service by every kind of frontend, and to some addresses."""
    addresses = ["10.43.0.250:80", "192.168.0.10:22", "10.42.0.99:80", "198.51.100.1:81"]
    for origin in origins(cluster):
        for service in cluster.services:
            for via in FrontendKind:
                for port in service.ports:
                    target = f"svc/{service.name}.{service.namespace}:{port.name}"
                    try:
                        yield trace(cluster, origin, target, via=via)
                    except UsageError:
                        continue
        for address in addresses:
            yield trace(cluster, origin, address)


@FEW
@given(CLUSTERS)
def test_probabilities_sum_to_exactly_one_and_every_fate_has_ended(cluster: Cluster) -> None:
    for found in traces(cluster):
        assert sum((fate.probability for fate in found.fates), Fraction(0)) == 1
        for fate in found.fates:
            assert fate.probability > 0
            assert fate.verdict in set(Verdict)
            assert (fate.endpoint is not None) is (fate.verdict is Verdict.DELIVERED)
            assert fate.hops[0].stage == "origin"
            assert all(hop.what for hop in fate.hops)
            assert not any("circles" in hop.what for hop in fate.hops)


@FEW
@given(CLUSTERS)
def test_the_same_question_has_the_same_answer(cluster: Cluster) -> None:
    again = replace(cluster)
    assert list(traces(cluster)) == list(traces(again)) == list(traces(cluster))


def without_hops(found: Trace) -> Trace:
    """Hops tell one way of several that end alike; which one, the order of endpoints decides."""
    fates = tuple(replace(fate, hops=()) for fate in found.fates)
    return replace(found, fates=fates)


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[Object], list[Object]]:
    """The same objects twice; the second time in another order, endpoints of slices as well."""
    first = draw(objects())
    second = [
        struct_replace(found, endpoints=tuple(draw(st.permutations(found.endpoints or ()))))
        if isinstance(found, EndpointSlice)
        else found
        for found in draw(st.permutations(first))
    ]
    return first, second


@settings(max_examples=40)
@given(shuffled(), OPTIONS)
def test_the_order_of_the_input_changes_nothing(
    orders: tuple[list[Object], list[Object]], options: Options
) -> None:
    first, second = (completed(order, options) for order in orders)
    assert [*map(without_hops, traces(first))] == [*map(without_hops, traces(second))]
    for service in first.services:
        before, after = spreads(first, service), spreads(second, service)
        for one, other in zip(before, after, strict=True):
            assert dict(one.balance.shares) == dict(other.balance.shares)
            assert replace(one.balance, shares=()) == replace(other.balance, shares=())


def translated(cluster: Cluster, fate: Fate) -> tuple[str, Endpoint, bool, tuple[Endpoint, ...]]:
    """By the last Service hop: its node, the endpoint, whether a Local policy holds, and all."""
    hop = [hop for hop in fate.hops if hop.stage == "service"][-1]
    frontend = hop.what.split()[0]
    service = next(s for s in cluster.services if s.reference == hop.object)
    assert fate.endpoint is not None
    slices = cluster.slices_of(service)
    for port in service.ports:
        every = backends(slices, port, family(fate.endpoint.address)).endpoints
        key = socket_address(fate.endpoint.address, fate.endpoint.port)
        chosen = [endpoint for endpoint in every if endpoint.key == key]
        if chosen:
            spec = service.spec
            internal = frontend == FrontendKind.CLUSTER_IP
            policy = spec.internal_traffic_policy if internal else spec.external_traffic_policy
            return hop.node, chosen[0], policy == "Local", every
    raise AssertionError(f"{fate} is no endpoint of {service.reference}")


@FEW
@given(CLUSTERS)
def test_an_unready_endpoint_answers_only_where_its_set_has_no_ready_one(cluster: Cluster) -> None:
    """Cluster set: nothing is ready on any node. Local set: nothing is ready on that node."""
    for found in traces(cluster):
        for fate in found.fates:
            through_service = any(hop.stage == "service" for hop in fate.hops)
            if fate.verdict is not Verdict.DELIVERED or not through_service:
                continue
            node, endpoint, local_policy, every = translated(cluster, fate)
            if endpoint.ready:
                continue
            assert endpoint.draining
            nothing_ready = not any(other.ready for other in every)
            local = local_policy and endpoint.node == node
            assert nothing_ready or (
                local and not any(other.ready and other.node == node for other in every)
            )


def client_origin(cluster: Cluster, row: Row, node: ProxyNode) -> str | None:
    """A client of the row's kind at `node`; None if there is none."""
    match row.client:
        case Client.NODE:
            return f"node/{node.name}"
        case Client.EXTERNAL:
            outsider = outside_address(cluster, row.frontend.service, row.frontend.family)
            return f"external/{outsider}"
        case Client.POD:
            cidr = first_of(node.pod_cidrs, row.frontend.family)
            if cidr is None and source_ranges(row.frontend.service, row.frontend.family):
                return None  # whether they admit its pods, the objects do not tell
            return next(
                (
                    f"pod/{pod.name}.default"
                    for pod in cluster.pods
                    if pod.node_name == node.name
                    and not pod.host_network
                    and pod.phase == "Running"
                    and any(family(a) is row.frontend.family for a in pod.addresses)
                ),
                None,
            )


def agrees(cluster: Cluster, row: Row, node: ProxyNode) -> bool:
    """Whether a trace by `node` ends as the row says; True too where none can be asked."""
    frontend = row.frontend
    origin = client_origin(cluster, row, node)
    own = node.primary_of(frontend.family)
    address = frontend.address or own
    if origin is None or address is None or (row.client is Client.NODE and own is None):
        return True
    target = socket_address(address, frontend.port)
    found = trace(cluster, origin, target, protocol=frontend.protocol, node=node.name)
    if row.decision.action is not Action.DNAT:
        ending = Verdict.DROPPED if row.decision.action is Action.DROP else Verdict.REJECTED
        return found.probability(ending) == 1
    share = Fraction(1, len(row.endpoints))
    expected = {e.key: share for e in row.endpoints if _reachable(cluster, e)}
    got: dict[str, Fraction] = {}
    for fate in found.fates:
        if fate.endpoint is not None:
            key = socket_address(fate.endpoint.address, fate.endpoint.port)
            got[key] = got.get(key, Fraction(0)) + fate.probability
    lost = found.probability(Verdict.UNROUTED)
    return got == expected and sum(got.values(), lost) == 1


def _reachable(cluster: Cluster, endpoint: Endpoint) -> bool:
    """An endpoint is reached unless nobody has its address or its node is not known."""
    place = locate(cluster, endpoint.address, endpoint.node)
    if place.kind is PlaceKind.OUTSIDE:
        return True
    return place.kind is not PlaceKind.EMPTY and cluster.node(place.node) is not None


@settings(max_examples=80)
@given(CLUSTERS)
def test_the_spread_says_what_traces_say(cluster: Cluster) -> None:
    known = cluster.derived(proxy_nodes)
    for service in cluster.services:
        for spread in spreads(cluster, service):
            for row in spread.rows:
                for name in row.nodes.names:
                    assert agrees(cluster, row, known[name]), (row.client, row.frontend, name)


@FEW
@given(CLUSTERS, st.data())
def test_no_packet_at_all_raises(cluster: Cluster, data: st.DataObject) -> None:
    table = cluster.derived(frontend_table)
    v4 = ["127.0.0.1", "0.0.0.0", "255.255.255.255", "10.43.255.255", "192.168.0.10", "10.42.0.2"]
    v6 = ["::1", "::", "fd00:10:43::1", "fd00:192::1", "fd00:10:42::2"]
    for wanted in (v4, v6):
        own = [a for a in table.addresses if (":" in a) == (":" in wanted[0])]
        addresses = st.sampled_from([*wanted, *sorted(own)])
        for node in (*cluster.derived(proxy_nodes).values(), ProxyNode("unknown")):
            frontend, decision = decide_packet(
                cluster,
                node,
                data.draw(addresses),
                data.draw(addresses),
                data.draw(st.sampled_from(["TCP", "UDP", "SCTP", "ICMP"])),
                data.draw(st.sampled_from([0, 80, 30000, 30001, 30010, 65535])),
            )
            assert decision.why
            assert bool(decision.endpoints) is (decision.action is Action.DNAT)
            assert frontend is not None or decision.action is not Action.DNAT
