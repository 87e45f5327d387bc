import re
from dataclasses import replace
from threading import get_ident

import pytest

from kubehop.live.fetch import fetch
from kubehop.model.config import ConfigMap
from kubehop.model.errors import ClusterError
from kubehop.model.kinds import KINDS
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.service import Endpoints, EndpointSlice, Service
from tests.live import recorded
from tests.live.api_server import Cluster, status
from tests.live.conftest import FAST, Write


def test_everything_is_read_and_known_to_be_complete(cluster: Cluster, write: Write) -> None:
    write(cluster)
    found = fetch(limits=FAST)
    assert len(found.of(Pod)) == len(cluster.lists[recorded.PODS])
    assert len(found.of(Service)) == len(cluster.lists[recorded.SERVICES])
    assert [node.name for node in found.of(Node)] == ["minikube"]
    assert [found_slice.name for found_slice in found.of(EndpointSlice)] == ["demo-abc12"]
    assert found.complete == set(KINDS) - {"ConfigMap", "Endpoints"}
    assert found.unknown == ()


def test_config_maps_are_read_by_name_and_endpoints_not_at_all(
    cluster: Cluster, write: Write
) -> None:
    write(cluster)
    found = fetch(limits=FAST)
    assert [config_map.name for config_map in found.of(ConfigMap)] == ["coredns"]
    asked = {request.path for request in cluster.requests if "configmaps" in request.path}
    assert asked == {recorded.COREDNS, recorded.KUBE_PROXY}
    assert not cluster.asked(recorded.ENDPOINTS)


@pytest.mark.parametrize("refusal", [403, 404])
def test_endpoints_stand_in_for_endpoint_slices(
    cluster: Cluster, write: Write, refusal: int
) -> None:
    cluster.faults[recorded.SLICES] = status(refusal)
    cluster.lists[recorded.ENDPOINTS] = [
        {
            "metadata": {"name": "demo", "namespace": "default"},
            "subsets": [{"addresses": [{"ip": "172.17.0.3"}], "ports": [{"port": 80}]}],
        }
    ]
    write(cluster)
    found = fetch(limits=FAST)
    assert [endpoints.name for endpoints in found.of(Endpoints)] == ["demo"]
    assert "Endpoints" in found.complete
    assert "EndpointSlice" not in found.complete


def test_pages_are_joined(cluster: Cluster, write: Write) -> None:
    cluster.lists[recorded.PODS] = recorded.pods(25)
    write(cluster)
    found = fetch(limits=replace(FAST, page_size=10))
    assert len(found.of(Pod)) == 25
    queries = [request.query for request in cluster.asked(recorded.PODS)]
    assert queries == [
        {"limit": "10"},
        {"limit": "10", "continue": "10"},
        {"limit": "10", "continue": "20"},
    ]


def test_progress_counts_objects_of_a_kind(cluster: Cluster, write: Write) -> None:
    cluster.lists[recorded.PODS] = recorded.pods(25)
    write(cluster)
    seen: list[tuple[str, int, int]] = []
    fetch(
        limits=replace(FAST, page_size=10),
        progress=lambda plural, objects: seen.append((plural, objects, get_ident())),
    )
    assert [objects for plural, objects, _ in seen if plural == "pods"] == [10, 20, 25]
    assert {thread for _, _, thread in seen} == {get_ident()}


def test_an_expired_list_starts_over(cluster: Cluster, write: Write) -> None:
    cluster.lists[recorded.PODS] = recorded.pods(15)
    cluster.next_faults[recorded.PODS].extend([lambda h: h.serve(), status(410)])
    write(cluster)
    assert len(fetch(limits=replace(FAST, page_size=10)).of(Pod)) == 15
    asked = [request.query.get("continue") for request in cluster.asked(recorded.PODS)]
    assert asked == [None, "10", None, "10"]


def test_a_list_that_always_expires_is_read_in_one_piece(cluster: Cluster, write: Write) -> None:
    cluster.lists[recorded.PODS] = recorded.pods(15)
    cluster.faults[recorded.PODS] = lambda handler: (
        status(410)(handler) if "continue" in handler.request_seen.query else handler.serve()
    )
    write(cluster)
    assert len(fetch(limits=replace(FAST, page_size=10)).of(Pod)) == 15
    assert cluster.asked(recorded.PODS)[-1].query == {}
    assert len(cluster.asked(recorded.PODS)) == 2 * FAST.restarts + 1


def test_a_list_that_expires_even_in_one_piece_ends(cluster: Cluster, write: Write) -> None:
    cluster.faults[recorded.PODS] = status(410)
    write(cluster)
    with pytest.raises(ClusterError, match="list of pods expires again and again"):
        fetch(limits=FAST)


def test_a_list_without_end_ends(cluster: Cluster, write: Write) -> None:
    cluster.faults[recorded.PODS] = lambda handler: handler.answer(
        {"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": "more"}, "items": []}
    )
    write(cluster)
    with pytest.raises(ClusterError, match="list of pods has no end: 0 objects after 20 pages"):
        fetch(limits=replace(FAST, pages=20))
    assert len(cluster.asked(recorded.PODS)) == 20


def test_service_cidrs_are_found_under_an_older_version(cluster: Cluster, write: Write) -> None:
    older = "/apis/networking.k8s.io/v1beta1/servicecidrs"
    cluster.faults[recorded.CIDRS] = status(404)
    cluster.lists[older] = [
        {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/12"]}}
    ]
    cluster.kinds[older] = ("ServiceCIDRList", "networking.k8s.io/v1beta1")
    write(cluster)
    found = fetch(limits=FAST)
    assert [item.name for item in found.objects["ServiceCIDR"]] == ["kubernetes"]


def test_a_cluster_without_service_cidrs_lacks_nothing(cluster: Cluster, write: Write) -> None:
    cluster.faults[recorded.CIDRS] = status(404)
    write(cluster)
    found = fetch(limits=FAST)
    assert "ServiceCIDR" not in found.complete
    assert found.unknown == ()


def test_a_url_that_is_no_api_is_said_to_be_none(cluster: Cluster, write: Write) -> None:
    cluster.faults["*"] = status(404)
    write(cluster)
    with pytest.raises(ClusterError, match="is this the URL of a Kubernetes API"):
        fetch(limits=FAST)


def test_a_server_below_a_path_is_asked_there(cluster: Cluster, write: Write) -> None:
    write(f"{cluster.url}/k8s/clusters/c-1")
    with pytest.raises(ClusterError, match=re.escape("/k8s/clusters/c-1 serves no ")):
        fetch(limits=FAST)
    assert all(item.path.startswith("/k8s/clusters/c-1/api") for item in cluster.requests)
