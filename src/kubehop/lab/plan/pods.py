"""Pods: a namespace each, with a routed veth to its node, as Calico wires them."""

from collections.abc import Iterator

from kubehop.lab.plan.addressing import ETH0, EVERYTHING, GATEWAY, HOST_MAC, host, nth
from kubehop.lab.plan.files import Files
from kubehop.lab.plan.layout import Layout, PlacedNode, PlacedPod
from kubehop.lab.plan.tunnels import is_free
from kubehop.lab.plan.values import Address, Neighbour, Route, Sandbox, Thing, Veth
from kubehop.model.addresses import family, first_of
from kubehop.model.pod_network import Attachment


def pod_things(layout: Layout, files: Files, mtu: int) -> Iterator[Thing]:
    """All pods with a network of their own; their links carry `mtu` octets."""
    gateways = _gateways(layout)
    for pod in layout.pods:
        node = layout.nodes[pod.node]
        hostname, texts = files.of_pod(pod)
        yield Sandbox(pod.namespace, hostname, texts)
        yield Veth(node.namespace, pod.device, HOST_MAC, pod.namespace, ETH0, pod.mac, mtu)
        yield from _inside(pod)
        yield from _host_side(pod, node)
        for address in gateways.get(pod.node, ()):
            yield Address(node.namespace, pod.device, address)


def _inside(pod: PlacedPod) -> Iterator[Thing]:
    for address in pod.addresses:
        yield Address(pod.namespace, ETH0, host(address))
    for each in dict.fromkeys(map(family, pod.addresses)):
        yield Neighbour(pod.namespace, ETH0, GATEWAY[each], HOST_MAC)
        yield Route(pod.namespace, EVERYTHING[each], ETH0, GATEWAY[each])


def _host_side(pod: PlacedPod, node: PlacedNode) -> Iterator[Thing]:
    for address in pod.addresses:
        yield Neighbour(node.namespace, pod.device, address, pod.mac)
        yield Route(node.namespace, host(address), pod.device)


def _gateways(layout: Layout) -> dict[str, tuple[str, ...]]:
    """By node, what the host sides of its pods' veths have for an address: its pod CIDR's first.

    Only where the pod network gives them one; else the kernel borrows the node's.
    """
    if layout.cluster.pod_network.attachment is not Attachment.GATEWAY:
        return {}
    return {node.name: tuple(_first(layout, node)) for node in layout.nodes.values()}


def _first(layout: Layout, node: PlacedNode) -> Iterator[str]:
    for each in layout.families:
        cidr = first_of(node.pod_cidrs, each)
        address = nth(cidr, 1) if cidr else None
        if address and is_free(layout.cluster, address):
            yield host(address)
