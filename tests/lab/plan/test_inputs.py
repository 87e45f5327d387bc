"""What a lab adds to inputs that lack cluster DNS and the API server."""

from dataclasses import replace

import pytest

from kubehop import example
from kubehop.dns.service import dns_service
from kubehop.files import read_paths
from kubehop.lab.plan.inputs import begin, with_cluster_dns
from kubehop.model.addresses import network
from kubehop.model.inventory import Inventory
from kubehop.source.read import read
from kubehop.workload.complete import complete
from kubehop.workload.following import scaled
from kubehop.workload.options import Options
from tests.shared_files import shared
from tests.workload.making import deployment, inventory, node, service

DATA = shared("data")


def endpoints(given: Inventory, namespace: str, name: str) -> list[str]:
    made = begin(given).cluster
    found = made.service(namespace, name)
    assert found
    return [a for s in made.slices_of(found) for e in s.endpoints or () for a in e.addresses]


def test_nothing_at_all_gets_both() -> None:
    begun = begin(Inventory())
    assert begun.cluster.assumptions[-2:] == (
        "cluster DNS assumed: Service kube-system/kube-dns, Deployment kube-system/coredns",
        "the API server assumed: Service default/kubernetes, EndpointSlice default/kubernetes",
    )
    dns = dns_service(begun.cluster)
    assert dns
    assert dns.cluster_ips == ("10.43.0.10",)
    assert len(endpoints(Inventory(), "kube-system", "kube-dns")) == 2
    assert endpoints(Inventory(), "default", "kubernetes") == ["192.168.0.10"]
    assert len(scaled(begun, "Deployment", "kube-system", "coredns", 3).cluster.pods) == 3


def test_the_example_lacks_nothing() -> None:
    given = read([(example.NAME, example.manifest())])
    assert with_cluster_dns(given) == (given, ())


@pytest.mark.parametrize("folder", ["online-boutique", "ingress-nginx", "minikube-calico"])
def test_all_else_is_as_without(folder: str) -> None:
    given = read(read_paths([str(DATA / folder)]))
    alone, begun = complete(given), begin(given).cluster
    for kind in ("nodes", "pods", "services", "slices"):
        assert all(obj in getattr(begun, kind) for obj in getattr(alone, kind))
    (had,), (has,) = alone.proxy.cluster_cidrs, begun.proxy.cluster_cidrs
    assert network(had).network_address in network(has)  # it may grow with pods of DNS
    assert network(has).prefixlen >= 16


def test_a_dump_of_pods_has_its_own_dns_pods() -> None:
    """minikube's Services are given but for the API server's, which is where it listens."""
    given = read(read_paths([str(DATA / "minikube")]))
    begun = begin(given).cluster
    assert "Deployment kube-system/coredns" not in " ".join(begun.assumptions)
    assert endpoints(given, "kube-system", "kube-dns") == ["172.17.0.2"]
    assert endpoints(given, "default", "kubernetes") == ["192.168.49.2"]


def test_pods_with_the_label_are_the_service_s() -> None:
    text = deployment("mine", 3).replace("{app: mine}", "{k8s-app: kube-dns}")
    text = text.replace("metadata: {name: mine}", "metadata: {name: mine, namespace: kube-system}")
    assert len(endpoints(inventory(text), "kube-system", "kube-dns")) == 3


def test_an_api_server_that_listens_elsewhere() -> None:
    text = service("kubernetes", "", "[{name: https, port: 443, targetPort: 8443}]")
    begun = begin(inventory(text.replace("selector: {app: kubernetes}, ", ""))).cluster
    (found,) = [s for s in begun.slices if s.service_name == "kubernetes"]
    assert [(port.name, port.port) for port in found.ports or ()] == [("https", 8443)]


def test_what_an_api_listed_whole_lacks_nothing() -> None:
    listed = replace(inventory(node("n0")), complete=frozenset({"Service", "EndpointSlice", "Pod"}))
    assert with_cluster_dns(listed) == (listed, ())
    assert begin(listed).cluster.services == ()


def test_in_the_family_of_the_cluster() -> None:
    options = Options(service_cidrs=("fd00:10:43::/112",))
    begun = begin(Inventory(), options).cluster
    (found,) = [s for s in begun.slices if s.service_name == "kubernetes"]
    assert found.address_type == "IPv6"
    assert found.endpoints
    assert found.endpoints[0].addresses == ("fd00:192:168::a",)
    dns = dns_service(begun)
    assert dns
    assert dns.cluster_ips == ("fd00:10:43::a",)
