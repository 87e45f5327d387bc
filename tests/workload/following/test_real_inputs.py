"""Inputs of public projects, scaled, changed and applied again."""

import pytest

from kubehop.files import read_paths
from kubehop.source.read import read
from kubehop.workload.following import applied, deleted, described, scaled, start
from tests.shared_files import shared
from tests.workload.following.making import places

DATA = shared("data")
FOLDERS = ("online-boutique", "ingress-nginx", "minikube", "minikube-calico")


@pytest.mark.parametrize("folder", FOLDERS)
def test_applied_again_they_change_nothing(folder: str) -> None:
    inventory = read(read_paths([str(DATA / folder)]))
    begun = start(inventory)
    assert applied(begun, inventory) is begun


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_pod_can_be_deleted(folder: str) -> None:
    """What manages it makes another; all the others stay where they are."""
    begun = start(read(read_paths([str(DATA / folder)])))
    for pod in begun.cluster.pods:
        after = deleted(begun, [("Pod", pod.namespace, pod.name)])
        stay = {key: at for key, at in places(begun.cluster).items() if key != pod.name}
        assert stay.items() <= places(after.cluster).items()
        owner = (pod.metadata.owner_references or (None,))[0]
        if owner and owner.kind != "Node" and not pod.finished:
            assert len(after.cluster.pods) == len(begun.cluster.pods)


def test_a_shop_is_scaled_and_put_back() -> None:
    inventory = read(read_paths([str(DATA / "online-boutique")]))
    begun = start(inventory)
    five = scaled(begun, "Deployment", begun.cluster.pods[0].namespace, "frontend", 5)
    told = described(begun.cluster, five.cluster)
    assert sum(" made on " in line for line in told) == 4
    assert sum("endpoints 1 -> 5" in line for line in told) == 2
    assert applied(five, inventory).cluster == five.cluster  # its manifests name no replicas
    one = scaled(five, "Deployment", begun.cluster.pods[0].namespace, "frontend", 1)
    assert len(one.cluster.pods) == len(begun.cluster.pods)


def test_a_deployment_that_only_its_pods_tell_of() -> None:
    """The dump has pods and Services; ReplicaSet and Deployment are known by their names."""
    begun = start(read(read_paths([str(DATA / "minikube")])))
    three = scaled(begun, "Deployment", "default", "demo", 3)
    demo = [pod for pod in three.cluster.pods if pod.name.startswith("demo-")]
    assert {pod.name for pod in demo} == {
        "demo-764c97f6fd-452fq",
        "demo-764c97f6fd-1",
        "demo-764c97f6fd-2",
    }
    assert {pod.labels["pod-template-hash"] for pod in demo} == {"764c97f6fd"}
    assert "Service default/demo: endpoints 1 -> 3, ready 1 -> 3" in described(
        begun.cluster, three.cluster
    )
    one = scaled(three, "Deployment", "default", "demo", 1)
    assert places(one.cluster) == places(begun.cluster)
