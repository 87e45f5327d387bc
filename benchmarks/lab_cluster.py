"""Clusters to build a lab of: so many nodes, pods and Services, as manifests would have them."""

from typing import Any

import msgspec

from kubehop.model.cluster import Cluster
from kubehop.source.read import read
from kubehop.workload.complete import complete
from kubehop.workload.options import Options

REPLICAS = 4
"""Pods of a Deployment; as many Services select them."""


def manifest(pods: int, services: int) -> bytes:
    """Deployments and Services: a tenth of them NodePort, of these half with policy Local."""
    groups = max(1, pods // REPLICAS)
    items = [_deployment(index) for index in range(groups)]
    items += [_service(index, index % groups) for index in range(services)]
    return msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": items})


def cluster(nodes: int, pods: int, services: int) -> Cluster:
    """The complete cluster."""
    inventory = read([("generated.json", manifest(pods, services))])
    return complete(inventory, Options(nodes=nodes, zones=3, pod_network="canal"))


def _deployment(index: int) -> dict[str, Any]:
    labels = {"app": f"app-{index}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"app-{index}", "namespace": "default"},
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "ports": [{"containerPort": 8080}]}]},
            },
        },
    }


def _service(index: int, group: int) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": {"app": f"app-{group}"},
        "ports": [{"port": 80, "targetPort": 8080}],
    }
    if index % 10 == 0:
        spec["type"] = "NodePort"
        spec["externalTrafficPolicy"] = "Local" if index % 20 == 0 else "Cluster"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"service-{index}", "namespace": "default"},
        "spec": spec,
    }
