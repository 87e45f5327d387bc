"""The example cluster that comes with the package: the one of the field notes."""

import ipaddress
from dataclasses import replace
from importlib import resources

from msgspec.structs import replace as replace_value

from kubehop.model.cluster import Cluster
from kubehop.model.inventory import Inventory
from kubehop.model.node import ZONE_LABEL, Node, NodeAddress, NodeSpec, NodeStatus
from kubehop.source.read import read
from kubehop.workload.complete import complete
from kubehop.workload.nodes import ZONE_LETTERS
from kubehop.workload.options import Options

NAME = "notes-cluster.yaml"
NODES = 3


def manifest() -> bytes:
    """The example's manifests, as they are in the package."""
    return resources.files("kubehop.data").joinpath(NAME).read_bytes()


def inventory(nodes: int = NODES, zones: int = 0) -> Inventory:
    """The example's objects, with so many nodes of its kind, in so many zones (0: its own two)."""
    found = read([(NAME, manifest())])
    own = found.of(Node)
    made = [own[n] if n < len(own) else _another(own[n % len(own)], n) for n in range(nodes)]
    if zones:
        made = [_in_zone(node, ZONE_LETTERS[n % zones]) for n, node in enumerate(made)]
    made.sort(key=lambda node: node.name)
    return replace(found, objects={**found.objects, "Node": tuple(made)})


def cluster() -> Cluster:
    """The example as a cluster: three nodes in two zones, pods wired as Rancher's canal does."""
    return complete(inventory(), Options(pod_network="canal"))


def _another(like: Node, number: int) -> Node:
    """Node `number`, counted from 0, with the next name, address and pod CIDR."""
    name, cidr = f"node-{number}", f"10.42.{number}.0/24"
    address = str(ipaddress.ip_address("192.168.0.10") + number)
    addresses = (NodeAddress("InternalIP", address), NodeAddress("Hostname", name))
    labels = {**like.labels, "kubernetes.io/hostname": name}
    return replace_value(
        like,
        metadata=replace_value(like.metadata, name=name, labels=labels),
        spec=NodeSpec(pod_cidr=cidr, pod_cidrs=(cidr,)),
        status=NodeStatus(addresses=addresses),
    )


def _in_zone(node: Node, letter: str) -> Node:
    labels = {**node.labels, ZONE_LABEL: f"zone-{letter}"}
    return replace_value(node, metadata=replace_value(node.metadata, labels=labels))
