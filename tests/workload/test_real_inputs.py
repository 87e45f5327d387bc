"""Inputs of public projects become clusters that their controllers would make."""

import pytest

from kubehop.files import read_paths
from kubehop.model.cluster import Cluster
from kubehop.source.read import read
from kubehop.workload.complete import complete
from tests.shared_files import shared

DATA = shared("data")


def real(folder: str) -> Cluster:
    return complete(read(read_paths([str(DATA / folder)])))


def backends(made: Cluster) -> dict[str, list[str]]:
    """Each Service's endpoints, by the names of their pods."""
    return {
        found.name: [
            endpoint.target_ref.name or ""
            for endpoint_slice in made.slices_of(found)
            for endpoint in endpoint_slice.endpoints or ()
            if endpoint.target_ref
        ]
        for found in made.services
    }


def test_a_demo_shop_of_manifests() -> None:
    made = real("online-boutique")
    assert len(made.pods) == len(made.services) == 12
    assert all(pod.phase == "Running" and pod.node_name for pod in made.pods)
    found = backends(made)
    assert found["frontend"] == found["frontend-external"] == ["frontend-1"]
    assert all(len(pods) == 1 for pods in found.values())


def test_an_ingress_controller() -> None:
    made = real("ingress-nginx")
    assert set(map(tuple, backends(made).values())) == {("ingress-nginx-controller-1",)}
    balancer = made.service("ingress-nginx", "ingress-nginx-controller")
    assert balancer
    assert balancer.ingress
    assert balancer.spec.health_check_node_port
    (only,) = made.slices_of(balancer)
    assert [(port.name, port.port) for port in only.ports or ()] == [("http", 80), ("https", 443)]


def test_a_dump_without_nodes_and_slices() -> None:
    made = real("minikube")
    assert [(node.name, node.internal_ips) for node in made.nodes] == [
        ("minikube", ("192.168.49.2",))
    ]
    assert made.service_cidrs == ("10.96.0.0/12",)
    assert backends(made) == {
        "demo": ["demo-764c97f6fd-452fq"],
        "no-pods-selected": [],
        "ingress-nginx-controller": ["ingress-nginx-controller-6d5f55986b-5twct"],
        "ingress-nginx-controller-admission": [],
        "kube-dns": ["coredns-64897985d-ms7j4"],
    }


@pytest.mark.parametrize("folder", ["minikube", "minikube-calico"])
def test_what_was_observed_is_not_touched(folder: str) -> None:
    inventory = read(read_paths([str(DATA / folder)]))
    made = complete(inventory)
    assert made.pods == inventory.objects.get("Pod", ())
    assert made.services == inventory.objects.get("Service", ())
