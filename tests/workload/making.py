"""Inventories and clusters from short YAML, as a user would write it."""

from collections.abc import Iterable
from dataclasses import replace

from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.inventory import Inventory
from kubehop.model.meta import Object
from kubehop.source.read import read
from kubehop.workload.complete import complete
from kubehop.workload.options import Options

DEFAULTS = Options()


def inventory(text: str, *, listed: Iterable[str] = ()) -> Inventory:
    """What is read from YAML; `listed`: kinds that an API is said to have listed whole."""
    return replace(read([("test.yaml", text.encode())]), complete=frozenset(listed))


def cluster(text: str, options: Options = DEFAULTS, *, listed: Iterable[str] = ()) -> Cluster:
    """The completed cluster of some YAML."""
    return complete(inventory(text, listed=listed), options)


def of_objects(objects: Iterable[Object]) -> Inventory:
    """An Inventory of these objects."""
    by_kind: dict[str, list[Object]] = {}
    for obj in objects:
        by_kind.setdefault(type(obj).__name__, []).append(obj)
    return Inventory({kind: tuple(sorted(found, key=sort_key)) for kind, found in by_kind.items()})


def again(found: Cluster) -> Inventory:
    """A complete cluster as if it had been read."""
    return of_objects((*found.nodes, *found.pods, *found.services, *found.slices))


def deployment(name: str, replicas: int = 1, more: str = "", pod: str = "") -> str:
    """A Deployment; `more` goes below its spec, `pod` below its pods' spec, as flow YAML."""
    return f"""
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  {more}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: main, ports: [{{name: web, containerPort: 8080}}]}}], {pod}}}
"""


def service(name: str, spec: str = "", ports: str = "[{port: 80, targetPort: web}]") -> str:
    """A Service that selects the pods of `deployment(name)`; `spec` as flow YAML."""
    return f"""
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: {ports}, {spec}}}
"""


def node(name: str, spec: str = "", labels: str = "", address: str = "192.0.2.1") -> str:
    """A Node with one address."""
    return f"""
---
apiVersion: v1
kind: Node
metadata: {{name: {name}, labels: {{{labels}}}}}
spec: {{{spec}}}
status: {{addresses: [{{type: InternalIP, address: {address}}}]}}
"""


def pod(name: str, spec: str = "", status: str = "", metadata: str = "") -> str:
    """A Pod labelled `app: web`."""
    return f"""
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: web}}, {metadata}}}
spec: {{containers: [{{name: main, ports: [{{name: web, containerPort: 8080}}]}}], {spec}}}
status: {{{status}}}
"""
