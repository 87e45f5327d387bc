"""Where a Service's slices come from."""

import pytest

from kubehop.model.cluster import Cluster
from kubehop.workload.options import Options
from tests.workload.making import cluster, deployment, node, pod, service

SLICE = """
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: own, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: '', port: 9}]
endpoints: [{addresses: [10.9.9.9]}]
"""
ENDPOINTS = """
---
apiVersion: v1
kind: Endpoints
metadata: {{name: {}, labels: {{{}}}}}
subsets:
  - addresses: [{{ip: 10.8.8.8, nodeName: n1}}]
    notReadyAddresses: [{{ip: 10.8.8.9}}]
    ports: [{{port: 9}}]
"""
SKIP = "endpointslice.kubernetes.io/skip-mirror: 'true'"
MANUAL = "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 9}]}\n"
API_SERVER = MANUAL.replace("web", "kubernetes")
ZONE = "topology.kubernetes.io/zone: {}"


def addresses(made: Cluster) -> list[str]:
    return [e.addresses[0] for found in made.slices for e in found.endpoints or ()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (deployment("web") + service("web"), "10.42.0.2"),
        (deployment("web") + service("web") + SLICE, "10.9.9.9"),
        (deployment("web") + service("web") + ENDPOINTS.format("web", ""), "10.8.8.8 10.8.8.9"),
        (deployment("web") + service("web") + ENDPOINTS.format("web", SKIP), "10.42.0.2"),
        (deployment("web") + service("web") + ENDPOINTS.format("x", ""), "10.42.0.2"),
        (MANUAL + ENDPOINTS.format("web", ""), "10.8.8.8 10.8.8.9"),
        (MANUAL + ENDPOINTS.format("web", SKIP), ""),
        (API_SERVER + ENDPOINTS.format("kubernetes", SKIP), "10.8.8.8 10.8.8.9"),
        (MANUAL, ""),
        (service("web", "type: ExternalName, externalName: a.b"), ""),
    ],
)
def test_sources(text: str, expected: str) -> None:
    assert addresses(cluster(text)) == expected.split()


def test_slices_that_an_api_listed_are_all_there_are() -> None:
    text = deployment("web") + service("web")
    assert cluster(text, listed=["EndpointSlice"]).slices == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (deployment("web") + service("web"), "EndpointSlices of 1 Service built from pods"),
        (
            MANUAL + ENDPOINTS.format("web", ""),
            "EndpointSlices of 1 Service mirrored from Endpoints",
        ),
        (service("web"), "no pod in the input is behind Service default/web"),
        (MANUAL, "no selector and no endpoints in the input, none assumed: Service default/web"),
    ],
)
def test_what_is_said(text: str, line: str) -> None:
    assert line in cluster(text).assumptions


def hints(made: Cluster) -> list[list[str]]:
    return [
        [zone.name for zone in (e.hints and e.hints.for_zones) or ()]
        for found in made.slices
        for e in found.endpoints or ()
    ]


def test_hints_are_on_slices_that_are_made() -> None:
    text = deployment("web", 2) + service("web", "trafficDistribution: PreferClose")
    assert hints(cluster(text, Options(zones=2))) == [["zone-a"], ["zone-b"]]
    assert hints(cluster(text)) == [[], []]
    assert hints(cluster(text + SLICE, Options(zones=2))) == [[]]


def test_hints_are_on_endpoints_that_stand_for_slices_of_a_selector() -> None:
    nodes = node("n1", labels=ZONE.format("z1"))
    selecting = service("web", "trafficDistribution: PreferClose")
    by_hand = MANUAL.replace("ports", "trafficDistribution: PreferClose, ports")
    endpoints = ENDPOINTS.format("web", "")
    assert hints(cluster(nodes + selecting + endpoints)) == [["z1"], []]
    assert hints(cluster(nodes + by_hand + endpoints)) == [[], []]


def test_topology_mode_is_dealt_out_and_said_to_be_a_guess() -> None:
    auto = service("web").replace(
        "{name: web}", "{name: web, annotations: {service.kubernetes.io/topology-mode: Auto}}"
    )
    made = cluster(deployment("web", 4) + auto, Options(nodes=2, zones=2))
    assert sorted(hints(made)) == [["zone-a"], ["zone-a"], ["zone-b"], ["zone-b"]]
    assert (
        "topology-mode Auto, real slices may hint otherwise: Service default/web"
        in made.assumptions
    )


def test_a_pod_of_a_missing_node_is_left_out() -> None:
    seen = pod("a", "nodeName: gone", "phase: Running, podIP: 10.1.1.1")
    assert addresses(cluster(node("n1") + seen + service("web"))) == []
    publishing = service("web", "publishNotReadyAddresses: true")
    assert addresses(cluster(node("n1") + seen + publishing)) == ["10.1.1.1"]
