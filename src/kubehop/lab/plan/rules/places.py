"""Sets of addresses: what a node has, what it takes for pods, and what is inside of the cluster."""

from collections.abc import Iterable, Iterator

from kubehop.lab.plan.rules.frame import WORDS, name_of
from kubehop.lab.plan.rules.parts import ALL, Layer, Piece, Pieces
from kubehop.lab.plan.rules.services import collapsed
from kubehop.model.addresses import Family, canonical, contains, family, network
from kubehop.model.cluster import Cluster
from kubehop.model.proxy import ProxyConfig
from kubehop.service.frontends import frontend_table
from kubehop.service.modes import MODES
from kubehop.service.nodes import ProxyNode, pod_source_cidr, proxy_nodes, serves_node_ports
from kubehop.trace.places import PlaceKind, locate

EVERYTHING = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}


def cluster_piece(cluster: Cluster) -> Piece:
    """What is inside of the cluster, and service addresses that have no such port."""
    piece, rules = Piece(), MODES[cluster.proxy.mode]
    for wanted in Family:
        _add_all(piece, wanted, "inside", collapsed(_inside(cluster, wanted)))
        if rules.drops_unallocated:
            cidrs = (c for c in cluster.service_cidrs if family(c) is wanted)
            _add_all(piece, wanted, "service-cidrs", collapsed(cidrs))
    if rules.rejects_undefined_ports:
        table = cluster.derived(frontend_table)
        guarded = table.addresses if rules.binds_service_addresses else table.cluster_ips
        for address in sorted(guarded):  # the same text each time
            piece.add(name_of(family(address), "cluster-ips"), address)
    return piece


def _inside(cluster: Cluster, wanted: Family) -> Iterator[str]:
    """Where a pod's packet goes with its own address: pods, and nodes where the pod network
    says so (`trace.at_node`)."""
    cidrs = {}
    for node in cluster.nodes:
        cidrs[node.name] = [cidr for cidr in node.pod_cidrs if family(cidr) is wanted]
        yield from cidrs[node.name]
        if not cluster.pod_network.masquerades_to_nodes:
            yield from (a for a in (*node.internal_ips, *node.external_ips) if family(a) is wanted)
    for pod in cluster.pods:
        for address in () if pod.host_network else pod.addresses:
            if family(address) is not wanted or cluster.pod_at(address) is not pod:
                continue
            if not any(contains(cidr, address) for cidr in cidrs.get(pod.node_name, ())):
                yield address
    yield from (a for a in cluster.derived(_stand_ins) if family(a) is wanted)


def _stand_ins(cluster: Cluster) -> tuple[str, ...]:
    """Endpoints on a node of which the input has no pod: they count as pods."""
    found: dict[str, None] = {}
    for endpoint_slice in cluster.slices:
        if endpoint_slice.address_type != "FQDN":
            for entry in endpoint_slice.endpoints or ():
                if entry.node_name and entry.addresses:
                    address = canonical(entry.addresses[0])
                    if cluster.pod_at(address) is None and cluster.node_at(address) is None:
                        found[address] = None
    return tuple(found)


def node_piece(cluster: Cluster, node: ProxyNode) -> Piece:
    """What a node has of its own whatever the Services: addresses by what they mean."""
    piece = Piece()
    for wanted in Family:
        own = [a for a in node.addresses if family(a) is wanted]
        _add_all(piece, wanted, "own", (*dict.fromkeys(own), WORDS[wanted]["loopback"]))
        served = (a for a in own if serves_node_ports(a, node, cluster.proxy))
        loopback = _served_loopback(node, cluster.proxy) if wanted is Family.IPV4 else ()
        _add_all(piece, wanted, "nodeport-ips", collapsed((*served, *loopback)))
        pods = pod_source_cidr(node, wanted, cluster.proxy)
        if pods is not None:
            _add_all(piece, wanted, "pods", collapsed([pods]))
        unmasqueraded = EVERYTHING[wanted] if pods is None else pods
        _add_all(piece, wanted, "unmasqueraded", collapsed([unmasqueraded]))
    return piece


def _served_loopback(node: ProxyNode, config: ProxyConfig) -> Iterator[str]:
    """The loopback addresses that answer node ports: all, or those in the configured ranges."""
    loopback = network("127.0.0.0/8")
    named = [c for c in config.nodeport_addresses or () if "." in c] or ["0.0.0.0/0"]
    for found in map(network, named):
        part = found if found.prefixlen > loopback.prefixlen else loopback
        if found.overlaps(loopback) and serves_node_ports(str(part[0]), node, config):
            yield str(part)


def _add_all(piece: Piece, wanted: Family, name: str, elements: Iterable[str]) -> None:
    for element in elements:
        piece.add(name_of(wanted, name), element)


def add_hairpins(cluster: Cluster, pieces: Pieces) -> None:
    """Endpoints, each with itself: it is masqueraded where it is chosen by its own packet.

    A pod meets itself on its own node alone if what it sends to others has that node's address.
    Others (a node of mode ipvs, a pod whose network masquerades nothing) may anywhere.
    """
    nodes, at_home = cluster.derived(proxy_nodes), cluster.pod_network.masquerades_to_nodes
    for address, node in pieces.endpoints:
        place = locate(cluster, address, node)
        alone = at_home and place.kind is PlaceKind.POD and place.node in nodes
        layer = Layer(node=place.node) if alone else ALL
        pieces[layer].add(name_of(family(address), "hairpins"), f"{address} . {address}")


def local_pods(cluster: Cluster) -> dict[str, Piece]:
    """By node, the addresses that its pods send from."""
    found: dict[str, Piece] = {}
    for pod in cluster.pods:
        for address in () if pod.host_network else map(canonical, pod.addresses):
            if cluster.pod_at(address) is pod:
                piece = found.setdefault(pod.node_name, Piece())
                piece.add(name_of(family(address), "local-pods"), address)
    return found
