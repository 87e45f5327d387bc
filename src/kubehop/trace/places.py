"""Where an address lives, as a router inside of the cluster would find out."""

import enum
from dataclasses import dataclass

from kubehop.model.addresses import contains
from kubehop.model.cluster import Cluster
from kubehop.model.pod import Pod


class PlaceKind(enum.StrEnum):
    """What has an address."""

    POD = "pod"
    NODE = "node"
    EMPTY = "empty"
    """An address of a node's pod CIDR that no pod has."""
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Place:
    """An address's kind, and the node that has it or routes it ("" outside)."""

    kind: PlaceKind
    node: str = ""
    pod: Pod | None = None


def locate(cluster: Cluster, address: str, endpoint_node: str = "") -> Place:
    """The place of a canonical address.

    `endpoint_node` is the node that an EndpointSlice gives for it: it decides where pods
    themselves are not in the input.
    """
    pod = cluster.pod_at(address)
    if pod is not None:
        return Place(PlaceKind.POD, pod.node_name, pod)
    node = cluster.node_at(address)
    if node is not None:
        return Place(PlaceKind.NODE, node.name)
    if endpoint_node:
        return Place(PlaceKind.POD, endpoint_node)
    for name, cidr in cluster.derived(_pod_cidrs):
        if contains(cidr, address):
            return Place(PlaceKind.EMPTY, name)
    return Place(PlaceKind.OUTSIDE)


def _pod_cidrs(cluster: Cluster) -> tuple[tuple[str, str], ...]:
    return tuple((node.name, cidr) for node in cluster.nodes for cidr in node.pod_cidrs)


def host_pod_at(cluster: Cluster, node: str, protocol: str, port: int) -> Pod | None:
    """The host-network pod on `node` that declares a port, if one does."""
    return cluster.derived(_host_ports).get((node, protocol, port))


def _host_ports(cluster: Cluster) -> dict[tuple[str, str, int], Pod]:
    return {
        (pod.node_name, port.protocol, port.container_port): pod
        for pod in cluster.pods
        if pod.host_network and pod.phase not in ("Succeeded", "Failed")
        for container in pod.spec.containers or ()
        for port in container.ports or ()
    }


def mapped_pod_at(cluster: Cluster, node: str, protocol: str, port: int) -> tuple[Pod, int] | None:
    """The pod on `node` that claims `hostPort`, with its container port, if one does."""
    return cluster.derived(_mapped_ports).get((node, protocol, port))


def _mapped_ports(cluster: Cluster) -> dict[tuple[str, str, int], tuple[Pod, int]]:
    return {
        (pod.node_name, port.protocol, port.host_port): (pod, port.container_port)
        for pod in cluster.pods
        if not pod.host_network and pod.phase not in ("Succeeded", "Failed")
        for container in pod.spec.containers or ()
        for port in container.ports or ()
        if port.host_port
    }
