"""A cluster as kubehop reasons about it: complete, frozen, with every assumption named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kubehop.model.addresses import canonical
from kubehop.model.config import ConfigMap
from kubehop.model.meta import Object
from kubehop.model.node import Namespace, Node
from kubehop.model.pod import Pod
from kubehop.model.pod_network import CANAL, PodNetwork
from kubehop.model.policy import NetworkPolicy
from kubehop.model.proxy import ProxyConfig
from kubehop.model.service import EndpointSlice, Service

T = TypeVar("T")


@dataclass(frozen=True)
class Cluster:
    """Every object that decides where a packet goes; each tuple is sorted by (namespace, name).

    Made by `kubehop.workload.complete` from an Inventory: addresses, pods and EndpointSlices
    that controllers would make are in it, and `assumptions` says, a line each, which of them
    were not in the input. `unknown` says what could not be read.
    """

    nodes: tuple[Node, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    policies: tuple[NetworkPolicy, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    proxy: ProxyConfig = field(default_factory=ProxyConfig)
    pod_network: PodNetwork = CANAL
    assumptions: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)
    _derived: dict[Callable[["Cluster"], Any], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def derived(self, build: Callable[["Cluster"], T]) -> T:
        """`build(self)`, computed once: how layers above keep their tables of a cluster."""
        if build not in self._derived:
            self._derived[build] = build(self)
        value: T = self._derived[build]
        return value

    def node(self, name: str) -> Node | None:
        """The node of that name."""
        return self.derived(_nodes_by_name).get(name)

    def pod(self, namespace: str, name: str) -> Pod | None:
        """The pod of that namespace and name."""
        return self.derived(_pods_by_name).get((namespace, name))

    def service(self, namespace: str, name: str) -> Service | None:
        """The Service of that namespace and name."""
        return self.derived(_services_by_name).get((namespace, name))

    def slices_of(self, service: Service) -> tuple[EndpointSlice, ...]:
        """The EndpointSlices that carry the Service's name in their label."""
        key = (service.namespace, service.name)
        return self.derived(_slices_by_service).get(key, ())

    def pod_at(self, address: str) -> Pod | None:
        """The pod that has `address` in its own network; never a host-network pod."""
        return self.derived(_pods_by_address).get(canonical(address))

    def node_at(self, address: str) -> Node | None:
        """The node that has `address`, internal or external."""
        return self.derived(_nodes_by_address).get(canonical(address))


def sort_key(obj: Object) -> tuple[str, str]:
    """The order of objects in a Cluster and an Inventory."""
    return obj.namespace, obj.name


def _nodes_by_name(cluster: Cluster) -> dict[str, Node]:
    return {node.name: node for node in cluster.nodes}


def _pods_by_name(cluster: Cluster) -> dict[tuple[str, str], Pod]:
    return {sort_key(pod): pod for pod in cluster.pods}


def _services_by_name(cluster: Cluster) -> dict[tuple[str, str], Service]:
    return {sort_key(service): service for service in cluster.services}


def _slices_by_service(cluster: Cluster) -> dict[tuple[str, str], tuple[EndpointSlice, ...]]:
    found: dict[tuple[str, str], list[EndpointSlice]] = {}
    for endpoint_slice in cluster.slices:
        key = (endpoint_slice.namespace, endpoint_slice.service_name)
        found.setdefault(key, []).append(endpoint_slice)
    return {key: tuple(slices) for key, slices in found.items()}


def _pods_by_address(cluster: Cluster) -> dict[str, Pod]:
    """Finished pods keep their address in status, but the address is free for others."""
    return {
        canonical(address): pod
        for pod in cluster.pods
        if not pod.host_network and pod.phase not in ("Succeeded", "Failed")
        for address in pod.addresses
    }


def _nodes_by_address(cluster: Cluster) -> dict[str, Node]:
    return {
        canonical(address): node
        for node in cluster.nodes
        for address in (*node.external_ips, *node.internal_ips)
    }
