"""What holds for every cluster, whatever the input."""

from hypothesis import given
from hypothesis import strategies as st

from kubehop.model.cluster import Cluster
from kubehop.workload.complete import complete
from kubehop.workload.fit import admitted
from kubehop.workload.options import Options
from tests.workload.making import again, cluster, deployment, node, pod, service

ZONE = "topology.kubernetes.io/zone: z{}, disk: {}"
SELECTORS = ("", "nodeSelector: {disk: ssd}", "nodeSelector: {disk: hdd}", "hostNetwork: true")
TAINT = "taints: [{key: own, effect: NoSchedule}], "
SERVICES = (
    "",
    "type: NodePort",
    "type: LoadBalancer, externalTrafficPolicy: Local",
    "clusterIP: None",
    "trafficDistribution: PreferClose",
    "trafficDistribution: PreferSameNode, publishNotReadyAddresses: true",
    "ipFamilyPolicy: PreferDualStack",
    "ipFamilies: [IPv6]",
)
STATUS = ("", "phase: Running", "phase: Pending", "phase: Running, podIP: 10.7.0.{}")


@st.composite
def nodes(draw: st.DrawFn) -> list[str]:
    return [
        node(
            f"n{n}",
            draw(st.sampled_from(["", TAINT]))
            + draw(st.sampled_from(["", f"podCIDR: 10.42.{n}.0/24", f"podCIDR: 10.1.{n}.0/29"])),
            ZONE.format(draw(st.integers(0, 2)), draw(st.sampled_from(["ssd", "tape"]))),
            f"192.0.2.{n + 1}",
        )
        for n in range(draw(st.integers(0, 4)))
    ]


@st.composite
def documents(draw: st.DrawFn) -> list[str]:
    """Manifests and observed objects of a small cluster, in any mixture."""
    return [
        *draw(nodes()),
        *(
            deployment(f"d{n}", draw(st.integers(0, 6)), pod=draw(st.sampled_from(SELECTORS)))
            for n in range(draw(st.integers(0, 4)))
        ),
        *(
            service(f"d{n}", draw(st.sampled_from(SERVICES)))
            for n in range(draw(st.integers(0, 6)))
        ),
        *(
            pod(
                f"p{n}",
                draw(st.sampled_from(["", "nodeName: n0", "nodeName: n1", "nodeName: gone"])),
                draw(st.sampled_from(STATUS)).format(n),
            )
            for n in range(draw(st.integers(0, 4)))
        ),
    ]


OPTIONS = st.builds(Options, nodes=st.integers(1, 5), zones=st.integers(0, 3))


def completed(texts: list[str], options: Options) -> Cluster:
    return cluster("".join(texts), options)


def permuted(texts: list[str]) -> st.SearchStrategy[tuple[list[str], list[str]]]:
    return st.tuples(st.just(texts), st.permutations(texts))


@given(documents().flatmap(permuted), OPTIONS)
def test_the_order_of_documents_changes_nothing(
    orders: tuple[list[str], list[str]], options: Options
) -> None:
    assert completed(orders[0], options) == completed(orders[1], options)


@given(documents(), OPTIONS)
def test_a_complete_cluster_stays_as_it_is(texts: list[str], options: Options) -> None:
    once = completed(texts, options)
    twice = complete(again(once), options)
    assert twice.nodes == once.nodes
    assert twice.pods == once.pods
    assert twice.services == once.services
    assert twice.slices == once.slices


@given(documents(), OPTIONS)
def test_pods_are_where_they_may_be(texts: list[str], options: Options) -> None:
    made = completed(texts, options)
    for found in made.pods:
        if found.name.startswith("d"):
            names = {n.name for n in admitted(found.spec, made.nodes)[0]}
            assert found.node_name in names if names else found.phase == "Pending"


@given(documents(), OPTIONS)
def test_addresses_are_given_once(texts: list[str], options: Options) -> None:
    made = completed(texts, options)
    pods = [ip for found in made.pods if not found.host_network for ip in found.addresses]
    machines = [ip for found in made.nodes for ip in found.internal_ips]
    services = [ip for found in made.services for ip in found.cluster_ips]
    balancers = [entry.ip for found in made.services for entry in found.ingress]
    everything = [*pods, *machines, *services, *balancers]
    assert len(everything) == len(set(everything))
    ports = [p.node_port for found in made.services for p in found.ports if p.node_port]
    ports += [n for s in made.services if (n := s.spec.health_check_node_port)]
    assert len(ports) == len(set(ports))


@given(documents(), OPTIONS)
def test_slices_are_well_formed(texts: list[str], options: Options) -> None:
    made = completed(texts, options)
    zones = {found.zone for found in made.nodes}
    names = {found.name for found in made.nodes}
    for found in made.slices:
        assert len(found.endpoints or ()) <= 100
        for endpoint in found.endpoints or ():
            hints = endpoint.hints
            assert {zone.name for zone in (hints and hints.for_zones) or ()} <= zones - {""}
            assert {name.name for name in (hints and hints.for_nodes) or ()} <= names
    selecting = {s.name for s in made.services if s.spec.selector}
    assert {found.service_name for found in made.slices} == selecting


@given(documents(), OPTIONS)
def test_replicas_are_spread_evenly_over_the_nodes_that_admit_them(
    texts: list[str], options: Options
) -> None:
    made = completed(texts, options)
    owners = {found.name.partition("-")[0] for found in made.pods if found.name.startswith("d")}
    for owner in owners:
        pods = [found for found in made.pods if found.name.startswith(f"{owner}-")]
        fitting = admitted(pods[0].spec, made.nodes)[0]
        counts = [sum(p.node_name == n.name for p in pods) for n in fitting]
        assert max(counts, default=0) - min(counts, default=0) <= 1


@given(documents())
def test_assumptions_are_few_and_short(texts: list[str]) -> None:
    made = completed(texts, Options())
    assert len(made.assumptions) <= 20
    assert all(line and len(line) < 300 and "\n" not in line for line in made.assumptions)
