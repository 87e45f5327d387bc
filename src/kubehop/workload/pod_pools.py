"""Free pod addresses, by node."""

from collections.abc import Iterable, Iterator, Mapping
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
    """Hands out addresses that nothing in the cluster has, in ascending order per node.

    `lately` are free again, but were in use a moment ago: given last, so that a pod is not
    taken for the one that it replaces.
    """

    nodes: dict[str, Node]
    families: tuple[Family, ...]
    used: frozenset[str]
    lately: frozenset[str]
    _draft: Draft
    _spare: dict[Family, Iterator[IPNetwork]]
    _free: dict[str, tuple[Iterator[str], ...]] = field(default_factory=dict)
    _parts: dict[tuple[str, Family], IPNetwork] | None = None

    @classmethod
    def of(cls, draft: Draft, lately: Iterable[str] = ()) -> "Pools":
        """The pools of a draft whose pods and nodes are known."""
        nodes = {node.name: node for node in draft.cluster.nodes}
        used = frozenset(map(canonical, _addresses(draft)))
        before = frozenset(map(canonical, lately)) - used
        spare = {wanted: _spare(wanted, nodes.values(), used) for wanted in Family}
        return cls(nodes, draft.families, used, before, draft, spare)

    def take(self, node: Node) -> tuple[str, ...]:
        """One address of each of the node's CIDRs; () if one of them is full."""
        if node.name not in self._free:
            self._free[node.name] = tuple(map(self._hosts, self._networks(node)))
        addresses = [next(hosts, "") for hosts in self._free[node.name]]
        return tuple(addresses) if all(addresses) else ()

    def _networks(self, node: Node) -> Iterator[IPNetwork | None]:
        """Its pod CIDRs; if none is known, the range that its pods have already.

        Without pods: an unused part of the imaginary nodes' range.
        """
        if node.pod_cidrs:
            yield from map(network, node.pod_cidrs)
            return
        if self._parts is None:
            self._parts = _parts(self._draft, self.nodes)
        families = dict.fromkeys(map(family, node.internal_ips)) or self.families
        for wanted in families:
            yield self._parts.get((node.name, wanted)) or next(self._spare[wanted], None)

    def _hosts(self, net: IPNetwork | None) -> Iterator[str]:
        if net is None:
            return
        back: list[str] = []
        for offset in range(FIRST_POD, net.num_addresses - 1):
            address = str(net.network_address + offset)
            if address in self.lately:
                back.append(address)
            elif address not in self.used:
                yield address
        yield from back


def _addresses(draft: Draft) -> Iterator[str]:
    """Every address in use; a finished pod's is free again."""
    for pod in draft.cluster.pods:
        if not pod.finished:
            yield from pod.addresses
    yield from _addresses_of_others(draft)


def _addresses_of_others(draft: Draft) -> Iterator[str]:
    for node in draft.cluster.nodes:
        yield from (*node.internal_ips, *node.external_ips)
    for service in draft.inventory.of(Service):
        yield from service.cluster_ips


def _parts(draft: Draft, nodes: Mapping[str, Node]) -> dict[tuple[str, Family], IPNetwork]:
    """Of nodes without CIDR, the node-sized range that their pods have and nothing else has."""
    owners: dict[IPNetwork, set[str]] = {}
    for pod in draft.cluster.pods:
        if pod.host_network or pod.finished:
            continue
        for address in pod.addresses:
            owners.setdefault(_part(address), set()).add(pod.node_name)
    touched = set(map(_part, _addresses_of_others(draft)))
    cidrs = [network(cidr) for node in nodes.values() for cidr in node.pod_cidrs]
    return {
        (name, Family(f"IPv{part.version}")): part
        for part, names in owners.items()
        if len(names) == 1 and part not in touched and not any(map(part.overlaps, cidrs))
        for name in names
    }


def _part(address: str) -> IPNetwork:
    """The range around an address that is as large as an imaginary node's."""
    return network(f"{address}/{NODE_PREFIX[family(address)]}")


def _spare(wanted: Family, nodes: Iterable[Node], used: frozenset[str]) -> Iterator[IPNetwork]:
    """The node-sized parts of the imaginary pod range that nothing in the cluster touches."""
    size = NODE_PREFIX[wanted]
    touched = {network(f"{address}/{size}") for address in used if family(address) is wanted}
    cidrs = {network(cidr) for node in nodes for cidr in node.pod_cidrs if family(cidr) is wanted}
    near = [cidr for cidr in cidrs if cidr.overlaps(POD_CIDR[wanted])]
    for part in POD_CIDR[wanted].subnets(new_prefix=size):
        if part not in touched and not any(part.overlaps(cidr) for cidr in near):
            yield part
