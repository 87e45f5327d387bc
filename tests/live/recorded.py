"""The cluster that the tests read: recorded pods and Services, hand-made nodes and slices."""

from typing import Any

import yaml

from kubehop.model.kinds import KINDS
from tests.live.api_server import Cluster, Json
from tests.shared_files import shared

PODS = "/api/v1/pods"
SERVICES = "/api/v1/services"
NODES = "/api/v1/nodes"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
ENDPOINTS = "/api/v1/endpoints"
CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"
COREDNS = "/api/v1/namespaces/kube-system/configmaps/coredns"
KUBE_PROXY = "/api/v1/namespaces/kube-system/configmaps/kube-proxy"


def cluster() -> Cluster:
    """A fresh one-node cluster; every kind is served, most of them empty."""
    served = [kind for kind in KINDS.values() if kind.name != "ConfigMap"]
    made = Cluster(
        lists={kind.path: [] for kind in served},
        kinds={kind.path: (f"{kind.name}List", kind.api_versions[0]) for kind in served},
    )
    made.lists[PODS] = _items("pods_list.yaml")
    made.lists[SERVICES] = _items("services_list.yaml")
    made.lists[NODES] = [_node("minikube", "192.168.49.2")]
    made.lists[SLICES] = [_slice("demo-abc12", "demo", ["172.17.0.3"])]
    made.objects[COREDNS] = _config_map(
        "coredns", {"Corefile": ".:53 { kubernetes cluster.local }"}
    )
    return made


def pods(count: int) -> list[Json]:
    """`count` copies of a recorded pod, by other names."""
    first = _items("pods_list.yaml")[0]
    return [
        {**first, "metadata": {**first["metadata"], "name": f"demo-{number}"}}
        for number in range(count)
    ]


def _items(name: str) -> list[Json]:
    """The recorded items as an API serves them: inside a list they have no kind of their own."""
    path = shared("data/minikube") / name
    assert path.is_file(), f"recorded list is missing: {path}"
    items: list[dict[str, Any]] = yaml.load(path.read_bytes(), yaml.CSafeLoader)["items"]
    return [
        {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}
        for item in items
    ]


def _node(name: str, address: str) -> Json:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"]},
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


def _slice(name: str, service: str, addresses: list[str]) -> Json:
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": True}} for address in addresses
        ],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
    }


def _config_map(name: str, data: dict[str, str]) -> Json:
    return {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "kube-system"},
        "data": data,
    }
