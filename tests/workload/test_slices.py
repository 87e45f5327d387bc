"""Slices from pods and Endpoints, case by case of k8s.io/endpointslice."""

import pytest

from kubehop.model.meta import ObjectMeta
from kubehop.model.node import Node
from kubehop.model.pod import (
    Condition,
    Container,
    ContainerPort,
    Pod,
    PodIP,
    PodSpec,
    PodStatus,
)
from kubehop.model.service import (
    EndpointAddress,
    EndpointConditions,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    Service,
    ServicePort,
    ServiceSpec,
)
from kubehop.workload.slices import endpoint_of, mirror, slices_for

WEB = (Container("main", (ContainerPort(8080, "web"), ContainerPort(53, "dns", "UDP"))),)
NODES = {
    "n1": Node(metadata=ObjectMeta("n1", labels={"topology.kubernetes.io/zone": "z1"})),
    "n2": Node(metadata=ObjectMeta("n2", labels={"topology.kubernetes.io/zone": ""})),
}


def make_pod(
    name: str = "p",
    ips: tuple[str, ...] = ("10.0.0.1",),
    *,
    ready: bool = True,
    terminating: bool = False,
    phase: str = "Running",
    spec: PodSpec | None = None,
    namespace: str = "default",
) -> Pod:
    return Pod(
        metadata=ObjectMeta(
            name,
            namespace,
            labels={"app": "web"},
            deletion_timestamp="2026-01-01T00:00:00Z" if terminating else None,
        ),
        spec=spec or PodSpec(containers=WEB, node_name="n1"),
        status=PodStatus(
            phase=phase,
            pod_ips=tuple(map(PodIP, ips)),
            conditions=(Condition("Ready", "True" if ready else "False"),),
        ),
    )


def make_service(
    ports: tuple[ServicePort, ...] = (ServicePort(80, "http", target_port="web"),),
    *,
    cluster_ip: str | None = "10.43.0.9",
    publish: bool = False,
    families: tuple[str, ...] = ("IPv4",),
    selector: dict[str, str] | None = None,
) -> Service:
    return Service(
        metadata=ObjectMeta(
            "web", "default", labels={"team": "a", "kubernetes.io/service-name": "x"}
        ),
        spec=ServiceSpec(
            cluster_ip=cluster_ip,
            ip_families=families,  # type: ignore[arg-type]
            ports=ports,
            selector={"app": "web"} if selector is None else selector,
            publish_not_ready_addresses=publish,
        ),
    )


@pytest.mark.parametrize(
    ("ready", "terminating", "publish", "expected"),
    [
        (True, False, False, (True, True, False)),
        (False, False, False, (False, False, False)),
        (False, False, True, (True, False, False)),
        (True, True, False, (False, True, True)),
        (False, True, False, (False, False, True)),
        (True, True, True, (True, True, True)),
    ],
)
def test_conditions(
    ready: bool, terminating: bool, publish: bool, expected: tuple[bool, bool, bool]
) -> None:
    found = endpoint_of(
        make_pod(ready=ready, terminating=terminating), make_service(publish=publish), True
    )
    assert found == EndpointConditions(*expected)


@pytest.mark.parametrize(
    ("pod", "publish", "node_exists", "included"),
    [
        (make_pod(phase="Succeeded"), True, True, False),
        (make_pod(phase="Failed"), True, True, False),
        (make_pod(ips=(), phase="Pending"), True, True, False),
        (make_pod(phase="Pending", ready=False), False, True, True),
        (make_pod(), False, False, False),
        (make_pod(), True, False, True),
    ],
)
def test_inclusion(pod: Pod, publish: bool, node_exists: bool, included: bool) -> None:
    found = endpoint_of(pod, make_service(publish=publish), node_exists)
    assert (found is not None) == included


def sidecar(restart_policy: str | None) -> PodSpec:
    proxy = Container("proxy", (ContainerPort(9000, "admin"),), restart_policy)
    return PodSpec(containers=WEB, init_containers=(proxy,), node_name="n1")


@pytest.mark.parametrize(
    ("port", "spec", "expected"),
    [
        (ServicePort(80), None, [("", 80, "TCP")]),
        (ServicePort(80, target_port=8081), None, [("", 8081, "TCP")]),
        (ServicePort(80, target_port=0), None, [("", 80, "TCP")]),
        (ServicePort(80, "http", target_port="web"), None, [("http", 8080, "TCP")]),
        (ServicePort(80, "http", target_port="nothing"), None, []),
        (ServicePort(53, "dns", target_port="dns"), None, []),
        (ServicePort(53, "dns", "UDP", target_port="dns"), None, [("dns", 53, "UDP")]),
        (ServicePort(80, "a", target_port="admin"), sidecar("Always"), [("a", 9000, "TCP")]),
        (ServicePort(80, "a", target_port="admin"), sidecar(None), []),
    ],
)
def test_target_ports(
    port: ServicePort, spec: PodSpec | None, expected: list[tuple[str, int, str]]
) -> None:
    (only,) = slices_for(make_service((port,)), [make_pod(spec=spec)], NODES)
    assert [(p.name, p.port, p.protocol) for p in only.ports or ()] == expected
    assert len(only.endpoints or ()) == 1


def addresses(slices: tuple[EndpointSlice, ...]) -> list[tuple[str, list[str]]]:
    return [
        (found.address_type, [e.addresses[0] for e in found.endpoints or ()]) for found in slices
    ]


def test_pods_that_map_a_port_name_differently_do_not_share_a_slice() -> None:
    other = PodSpec(containers=(Container("c", (ContainerPort(9090, "web"),)),), node_name="n1")
    pods = [make_pod("a"), make_pod("b", ("10.0.0.2",), spec=other), make_pod("c", ("10.0.0.3",))]
    slices = slices_for(make_service(), pods, NODES)
    assert addresses(slices) == [("IPv4", ["10.0.0.1", "10.0.0.3"]), ("IPv4", ["10.0.0.2"])]
    assert [found.ports[0].port for found in slices if found.ports] == [8080, 9090]
    assert [found.name for found in slices] == ["web-1", "web-2"]


def test_one_family_per_ip_family_of_the_service() -> None:
    dual = make_pod(ips=("10.0.0.1", "FD00:0::1"))
    single = make_pod("q", ("10.0.0.2",))
    slices = slices_for(make_service(families=("IPv6", "IPv4")), [dual, single], NODES)
    assert addresses(slices) == [("IPv6", ["fd00::1"]), ("IPv4", ["10.0.0.1", "10.0.0.2"])]
    assert addresses(slices_for(make_service(), [dual], NODES)) == [("IPv4", ["10.0.0.1"])]


@pytest.mark.parametrize(
    ("pods", "sizes"), [(0, [0]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_slices_hold_100_endpoints_and_there_is_always_one(pods: int, sizes: list[int]) -> None:
    many = [make_pod(f"p{i}", (f"10.0.{i // 250}.{i % 250 + 1}",)) for i in range(pods)]
    slices = slices_for(make_service(), many, NODES)
    assert [len(found.endpoints or ()) for found in slices] == sizes
    assert all(bool(found.ports) == bool(pods) for found in slices)


def test_labels_are_copied_and_reserved_ones_are_set() -> None:
    (only,) = slices_for(make_service(), [], NODES)
    assert only.labels == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    (headless,) = slices_for(make_service(cluster_ip="None"), [], NODES)
    assert headless.labels["service.kubernetes.io/headless"] == ""


def test_fields_of_an_endpoint() -> None:
    spec = PodSpec(containers=WEB, node_name="n1", hostname="db-0", subdomain="web")
    (only,) = slices_for(make_service(), [make_pod(spec=spec)], NODES)
    (endpoint,) = only.endpoints or ()
    assert (endpoint.node_name, endpoint.zone, endpoint.hostname) == ("n1", "z1", "db-0")
    assert endpoint.target_ref
    assert (endpoint.target_ref.kind, endpoint.target_ref.name) == ("Pod", "p")
    elsewhere = PodSpec(containers=WEB, node_name="n2", hostname="db-0", subdomain="other")
    (only,) = slices_for(make_service(), [make_pod(spec=elsewhere)], NODES)
    (endpoint,) = only.endpoints or ()
    assert (endpoint.node_name, endpoint.zone, endpoint.hostname) == ("n2", None, None)


def test_other_pods_are_not_selected() -> None:
    assert addresses(slices_for(make_service(), [make_pod(namespace="other")], NODES)) == [
        ("IPv4", [])
    ]
    assert slices_for(make_service(selector={}), [make_pod()], NODES) == ()


def endpoints(*subsets: EndpointSubset, labels: dict[str, str] | None = None) -> Endpoints:
    return Endpoints(metadata=ObjectMeta("web", "default", labels=labels), subsets=subsets)


def test_mirror_keeps_readiness_ports_and_families_apart() -> None:
    made = mirror(
        endpoints(
            EndpointSubset(
                addresses=(EndpointAddress("10.0.0.1"), EndpointAddress("fd00::1")),
                not_ready_addresses=(EndpointAddress("10.0.0.2", node_name="n1"),),
                ports=(EndpointPort(8080, "http"),),
            ),
            EndpointSubset(addresses=(EndpointAddress("10.0.0.3"),), ports=(EndpointPort(9090),)),
        ),
        make_service(selector={}),
    )
    assert addresses(made) == [
        ("IPv4", ["10.0.0.1", "10.0.0.2"]),
        ("IPv6", ["fd00::1"]),
        ("IPv4", ["10.0.0.3"]),
    ]
    first, second = made[0].endpoints or ()
    assert first.conditions == EndpointConditions(ready=True)
    assert second.conditions == EndpointConditions(ready=False)
    assert second.node_name == "n1"
    assert [(p.name, p.port) for p in made[2].ports or ()] == [("", 9090)]


def test_mirror_of_nothing() -> None:
    assert addresses(mirror(endpoints(), make_service())) == [("IPv4", [])]
    skipped = endpoints(labels={"endpointslice.kubernetes.io/skip-mirror": "true"})
    assert mirror(skipped, make_service()) == ()
