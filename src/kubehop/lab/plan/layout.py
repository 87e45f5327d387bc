"""Who has which address, and where: settled once, before anything is made of it.

Where two claim one address, the one wins whom `kubehop.trace` delivers to: the lab must not
contradict the objects, and cannot have both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from kubehop.lab.plan import addressing
from kubehop.lab.plan.addressing import is_usable
from kubehop.lab.plan.values import node_namespace, pod_namespace
from kubehop.model.addresses import Family, canonical, family, network, parse
from kubehop.model.cluster import Cluster
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.service import SliceEndpoint


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node with the addresses that are its own, internal before external, and what follows.

    `device` is the fabric's interface to it. `pod_cidrs` are those that no earlier node has.
    """

    name: str
    addresses: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    device: str
    mac: str

    @property
    def namespace(self) -> str:
        return node_namespace(self.name)

    def primary(self, wanted: Family) -> str | None:
        """Its first address of a family."""
        return next((a for a in self.addresses if family(a) is wanted), None)


@dataclass(frozen=True, slots=True)
class PlacedPod:
    """A pod's own network on a node. `pod` is None for an endpoint of which no pod is known."""

    namespace: str
    node: str
    addresses: tuple[str, ...]
    device: str
    mac: str
    pod: Pod | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is.

    `homeless` are addresses of pods and endpoints on nodes that are not built, `unowned` the pod
    CIDRs of such nodes. `owners` has the node's name for each pod CIDR; `problems` count what is
    not built, by reason.
    """

    cluster: Cluster
    families: tuple[Family, ...]
    nodes: dict[str, PlacedNode]
    pods: tuple[PlacedPod, ...]
    homeless: tuple[str, ...]
    unowned: tuple[str, ...]
    problems: dict[str, tuple[str, ...]]
    _by_length: dict[tuple[int, int], dict[int, str]] = field(default_factory=dict)

    def strays(self) -> dict[str, tuple[str, ...]]:
        """By node, the addresses of its pods that its pod CIDRs do not lead to."""
        found: dict[str, list[str]] = {}
        for pod in self.pods:
            for address in pod.addresses:
                if self.owner(address) != pod.node:
                    found.setdefault(pod.node, []).append(address)
        return {name: tuple(addresses) for name, addresses in found.items()}

    def owner(self, address: str) -> str:
        """The node whose pod CIDR has the address, the longest one counts; "" if none."""
        number = parse(address)
        for (version, bits), names in self._by_length.items():
            if version == number.version and (name := names.get(int(number) >> bits)):
                return name
        return ""


def layout(cluster: Cluster) -> Layout:
    """The layout of a complete cluster."""
    problems = Problems()
    owners = _owners(cluster, problems)
    nodes = dict(_nodes(cluster, owners, problems))
    pods = (*_pods(cluster, nodes, problems), *_stand_ins(cluster, nodes, problems))
    found = Layout(
        cluster,
        _families(cluster, nodes, pods),
        nodes,
        pods,
        (),
        tuple(cidr for cidr, name in owners.items() if name not in nodes),
        problems.by_reason(),
        _by_length(owners),
    )
    # Where a node has the pod CIDR, it knows best that nobody has the address.
    homeless = (a for a in problems.homeless if found.owner(a) not in nodes)
    return replace(found, homeless=tuple(homeless))


class Problems:
    """What is not built, by reason; and the addresses that lead nowhere for it."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, None]] = {}
        self.homeless: dict[str, None] = {}

    def add(self, why: str, what: str) -> None:
        self._found.setdefault(why, {})[what] = None

    def by_reason(self) -> dict[str, tuple[str, ...]]:
        return {why: tuple(found) for why, found in self._found.items()}


def _owners(cluster: Cluster, problems: Problems) -> dict[str, str]:
    """Pod CIDRs, each with its node; of two nodes the first one has it."""
    owners: dict[str, str] = {}
    for node in cluster.nodes:
        for cidr in map(network, node.pod_cidrs):
            if not cidr.prefixlen:
                problems.add("pod CIDR is the whole Internet: ignored", node.reference)
            elif owners.setdefault(str(cidr), node.name) != node.name:
                problems.add("pod CIDR is another node's already", f"{node.reference} ({cidr})")
    return owners


def _by_length(owners: dict[str, str]) -> dict[tuple[int, int], dict[int, str]]:
    """Nodes by IP version, length of the host part and network part, longest prefix first."""
    found: dict[tuple[int, int], dict[int, str]] = {}
    for text, name in owners.items():
        cidr = network(text)
        bits = cidr.max_prefixlen - cidr.prefixlen
        found.setdefault((cidr.version, bits), {})[int(cidr.network_address) >> bits] = name
    return {key: found[key] for key in sorted(found)}


def _nodes(
    cluster: Cluster, owners: dict[str, str], problems: Problems
) -> Iterator[tuple[str, PlacedNode]]:
    cidrs: dict[str, list[str]] = {}
    for cidr, name in owners.items():
        cidrs.setdefault(name, []).append(cidr)
    devices = _devices(cluster.nodes)
    for node in cluster.nodes:
        addresses = tuple(_node_addresses(cluster, node, problems))
        if not addresses:
            problems.add("node has no usable address: not built", node.reference)
            continue
        own = tuple(cidrs.get(node.name, ()))
        yield (
            node.name,
            PlacedNode(
                node.name, addresses, own, devices[node.name], addressing.mac(f"node/{node.name}")
            ),
        )


def _devices(nodes: Iterable[Node]) -> dict[str, str]:
    return {node.name: addressing.node_device(node.name) for node in nodes}


def _node_addresses(cluster: Cluster, node: Node, problems: Problems) -> Iterator[str]:
    for address in dict.fromkeys(map(canonical, (*node.internal_ips, *node.external_ips))):
        found = cluster.node_at(address)
        if not is_usable(address):
            problems.add("no host may have the address: left out", f"{node.reference} ({address})")
        elif found is None or found.name != node.name:
            problems.add("address is another node's: left out", f"{node.reference} ({address})")
        else:
            yield address


def _pods(
    cluster: Cluster, nodes: dict[str, PlacedNode], problems: Problems
) -> Iterator[PlacedPod]:
    for pod in cluster.pods:
        if pod.host_network or pod.finished:
            continue
        addresses = tuple(_pod_addresses(cluster, pod, problems))
        if not pod.addresses:
            problems.add("pod has no address: not built", pod.reference)
        elif pod.node_name not in nodes:
            problems.add("pod is on no node of the lab: not built", pod.reference)
            problems.homeless.update(dict.fromkeys(addresses))
        elif addresses:
            yield _placed(pod.namespace, pod.name, pod.node_name, addresses, pod)


def _pod_addresses(cluster: Cluster, pod: Pod, problems: Problems) -> Iterator[str]:
    for address in dict.fromkeys(map(canonical, pod.addresses)):
        if not is_usable(address):
            problems.add("no host may have the address: left out", f"{pod.reference} ({address})")
        elif cluster.node_at(address) is not None:
            problems.add("address is a node's: left out", f"{pod.reference} ({address})")
        elif cluster.pod_at(address) is not pod:
            problems.add("address is another pod's: left out", f"{pod.reference} ({address})")
        else:
            yield address


def _placed(
    namespace: str, name: str, node: str, addresses: tuple[str, ...], pod: Pod | None = None
) -> PlacedPod:
    return PlacedPod(
        pod_namespace(namespace, name),
        node,
        addresses,
        addressing.pod_device(namespace, name),
        addressing.mac(f"{namespace}.{name}"),
        pod,
    )


def _stand_ins(
    cluster: Cluster, nodes: dict[str, PlacedNode], problems: Problems
) -> Iterator[PlacedPod]:
    """Networks for endpoints on a node of which no pod is known; the first mention counts."""
    seen: set[str] = set()
    for namespace, address, entry in _endpoints(cluster):
        node = entry.node_name
        if not node or address in seen or _is_known(cluster, address) or not is_usable(address):
            continue
        seen.add(address)
        if node in nodes:
            yield _placed(namespace, f"endpoint-{address}", node, (address,))
        else:
            problems.add("endpoint is on no node of the lab: not built", address)
            problems.homeless[address] = None


def _endpoints(cluster: Cluster) -> Iterator[tuple[str, str, SliceEndpoint]]:
    """Namespace, address and entry of every endpoint; only an entry's first address counts."""
    for found in cluster.slices:
        if found.address_type != "FQDN":
            for entry in found.endpoints or ():
                if entry.addresses:
                    yield found.namespace, canonical(entry.addresses[0]), entry


def _is_known(cluster: Cluster, address: str) -> bool:
    return cluster.pod_at(address) is not None or cluster.node_at(address) is not None


def _families(
    cluster: Cluster, nodes: dict[str, PlacedNode], pods: tuple[PlacedPod, ...]
) -> tuple[Family, ...]:
    """Families that any address is of."""
    found = {family(address) for node in nodes.values() for address in node.addresses}
    found |= {family(address) for pod in pods for address in pod.addresses}
    found |= {family(address) for service in cluster.services for address in service.cluster_ips}
    return tuple(each for each in Family if each in found)
