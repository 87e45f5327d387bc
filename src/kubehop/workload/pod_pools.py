"""Free pod addresses, by node."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kubehop.model.addresses import Family, IPNetwork, canonical, family, network
from kubehop.model.node import Node
from kubehop.model.service import Service
from kubehop.workload.draft import Draft
from kubehop.workload.nodes import NODE_PREFIX, POD_CIDR

FIRST_POD = 2
"""Pods start here in a node's CIDR: 0 is the overlay's, 1 the gateway's."""


@dataclass
class Pools:
    """Hands out addresses that nothing in the cluster has, in ascending order per node."""

    nodes: dict[str, Node]
    families: tuple[Family, ...]
    used: frozenset[str]
    _spare: dict[Family, Iterator[IPNetwork]]
    _free: dict[str, tuple[Iterator[str], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, draft: Draft) -> "Pools":
        """The pools of a draft whose pods and nodes are known."""
        nodes = draft.cluster.nodes
        used = frozenset(map(canonical, _addresses(draft)))
        spare = {wanted: _spare(wanted, nodes, used) for wanted in Family}
        return cls({node.name: node for node in nodes}, draft.families, used, spare)

    def take(self, node: Node) -> tuple[str, ...]:
        """One address of each of the node's CIDRs; () if one of them is full."""
        if node.name not in self._free:
            self._free[node.name] = tuple(map(self._hosts, self._networks(node)))
        addresses = [next(hosts, "") for hosts in self._free[node.name]]
        return tuple(addresses) if all(addresses) else ()

    def _networks(self, node: Node) -> Iterator[IPNetwork | None]:
        """Its pod CIDRs; if none is known, unused ones of the imaginary nodes' range."""
        if node.pod_cidrs:
            yield from map(network, node.pod_cidrs)
            return
        families = dict.fromkeys(map(family, node.internal_ips)) or self.families
        for wanted in families:
            yield next(self._spare[wanted], None)

    def _hosts(self, net: IPNetwork | None) -> Iterator[str]:
        if net is None:
            return
        for offset in range(FIRST_POD, net.num_addresses - 1):
            address = str(net.network_address + offset)
            if address not in self.used:
                yield address


def _addresses(draft: Draft) -> Iterator[str]:
    """Every address in use; a finished pod's is free again."""
    for pod in draft.cluster.pods:
        if not pod.finished:
            yield from pod.addresses
    for node in draft.cluster.nodes:
        yield from (*node.internal_ips, *node.external_ips)
    for service in draft.inventory.of(Service):
        yield from service.cluster_ips


def _spare(wanted: Family, nodes: Iterable[Node], used: frozenset[str]) -> Iterator[IPNetwork]:
    """The node-sized parts of the imaginary pod range that nothing in the cluster touches."""
    size = NODE_PREFIX[wanted]
    touched = {network(f"{address}/{size}") for address in used if family(address) is wanted}
    cidrs = {network(cidr) for node in nodes for cidr in node.pod_cidrs if family(cidr) is wanted}
    near = [cidr for cidr in cidrs if cidr.overlaps(POD_CIDR[wanted])]
    for part in POD_CIDR[wanted].subnets(new_prefix=size):
        if part not in touched and not any(part.overlaps(cidr) for cidr in near):
            yield part
