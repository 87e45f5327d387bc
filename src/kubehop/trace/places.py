"""Where an address lives, as a router inside of the cluster would find out."""

import enum
from dataclasses import dataclass

from kubehop.model.addresses import Family, canonical, family, network, parse
from kubehop.model.cluster import Cluster
from kubehop.model.pod import ContainerPort, Pod


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
    number = parse(address)
    for (version, host_bits), names in cluster.derived(_pod_cidrs).items():
        if version == number.version and (name := names.get(int(number) >> host_bits)):
            return Place(PlaceKind.EMPTY, name)
    return Place(PlaceKind.OUTSIDE)


def _pod_cidrs(cluster: Cluster) -> dict[tuple[int, int], dict[int, str]]:
    """Nodes by IP version, length of the host part and network part: no search over nodes."""
    found: dict[tuple[int, int], dict[int, str]] = {}
    for node in cluster.nodes:
        for cidr in map(network, node.pod_cidrs):
            host_bits = cidr.max_prefixlen - cidr.prefixlen
            names = found.setdefault((cidr.version, host_bits), {})
            names.setdefault(int(cidr.network_address) >> host_bits, node.name)
    return {key: found[key] for key in sorted(found)}


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


def mapped_pod_at(
    cluster: Cluster, node: str, protocol: str, address: str, port: int
) -> tuple[Pod, int] | None:
    """The pod on `node` that claims `hostPort` on an address, with its container port.

    `hostIP` narrows a claim to one address; unset and the unspecified address mean any.
    """
    for pod, claim in cluster.derived(_mapped_ports).get((node, protocol, port), ()):
        if not claim.host_ip or canonical(claim.host_ip) in (address, _ANY[family(address)]):
            return pod, claim.container_port
    return None


_ANY = {Family.IPV4: "0.0.0.0", Family.IPV6: "::"}  # noqa: S104 - compared, never bound
Claims = list[tuple[Pod, ContainerPort]]


def _mapped_ports(cluster: Cluster) -> dict[tuple[str, str, int], Claims]:
    found: dict[tuple[str, str, int], Claims] = {}
    for pod in cluster.pods:
        if pod.host_network or pod.phase in ("Succeeded", "Failed"):
            continue
        for container in pod.spec.containers or ():
            for port in container.ports or ():
                if port.host_port:
                    key = (pod.node_name, port.protocol, port.host_port)
                    found.setdefault(key, []).append((pod, port))
    return found
