"""Which namespaces exist, where the input does not list them."""

from tests.workload.making import cluster

SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}], selector: {a: b}}
"""
NAMESPACE = """
---
apiVersion: v1
kind: Namespace
metadata: {name: empty, labels: {a: b}}
"""


def test_namespaces_in_use_and_those_of_every_cluster() -> None:
    made = cluster(SERVICE + NAMESPACE)
    assert [namespace.name for namespace in made.namespaces] == [
        "default",
        "empty",
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "shop",
    ]
    assert made.namespaces[1].labels == {"a": "b"}


def test_listed_ones_are_all_there_are() -> None:
    made = cluster(SERVICE + NAMESPACE, listed=["Namespace"])
    assert [namespace.name for namespace in made.namespaces] == ["empty"]
