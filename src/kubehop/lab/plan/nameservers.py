"""Which DNS servers a lab has: cluster DNS where its endpoints are, and the resolvers outside."""

from collections.abc import Iterator
from itertools import chain

from kubehop.dns.corefile.plugins.forward import Forward
from kubehop.dns.corefile.values import Corefile
from kubehop.dns.corefile.zones import split_address
from kubehop.dns.resolv.node_file import read
from kubehop.dns.service import NODE_LOCAL, PORT, dns_service
from kubehop.lab.plan.addressing import NAMESERVER
from kubehop.lab.plan.files import Files
from kubehop.lab.plan.layout import Layout
from kubehop.lab.plan.listeners import Holder, holders
from kubehop.lab.plan.reach import balanced_addresses
from kubehop.lab.plan.values import OUTSIDE, Nameserver, node_namespace
from kubehop.model.addresses import Family, canonical, contains, is_address
from kubehop.model.cluster import Cluster
from kubehop.model.pod import Pod
from kubehop.service.endpoints import backends
from kubehop.service.nodes import is_loopback
from kubehop.trace.nameservers import CACHE_LABEL
from kubehop.trace.places import host_pod_at


def cluster_nameservers(layout: Layout, files: Files) -> Iterator[Nameserver]:
    """A server at every endpoint of the DNS Service's port 53, whatever its condition."""
    found: dict[tuple[str, int], list[str]] = {}
    where = holders(layout)
    for address, port in _endpoints(layout.cluster):
        if address in where:
            found.setdefault((where[address].namespace, port), []).append(address)
    for (namespace, port), addresses in found.items():
        holder = where[addresses[0]]
        pod = _pod(layout.cluster, holder, port)
        yield Nameserver(
            namespace=namespace,
            addresses=tuple(addresses),
            port=port,
            pod=f"{pod.namespace}/{pod.name}" if pod else _called(holder),
            node=holder.node,
            resolv_conf=_resolv_conf(layout, files, holder, pod),
        )


def _endpoints(cluster: Cluster) -> Iterator[tuple[str, int]]:
    service = dns_service(cluster)
    if service is None:
        return
    slices = cluster.slices_of(service)
    ports = (port for port in service.ports if port.port == PORT and port.protocol != "SCTP")
    found = (backends(slices, port, wanted) for port in ports for wanted in Family)
    each = chain.from_iterable((*one.endpoints, *one.copies) for one in found)
    yield from dict.fromkeys((endpoint.address, endpoint.port) for endpoint in each)


def _pod(cluster: Cluster, holder: Holder, port: int) -> Pod | None:
    """The pod that serves there; on a node's own address, the one that declares the port."""
    if holder.placed is not None:
        return holder.placed.pod
    claims = (host_pod_at(cluster, holder.node, protocol, port) for protocol in ("UDP", "TCP"))
    return next((pod for pod in claims if pod), None)


def _called(holder: Holder) -> str:
    """An endpoint without a pod is cluster DNS all the same, and needs a name."""
    return holder.namespace.removeprefix("pod/")


def _resolv_conf(layout: Layout, files: Files, holder: Holder, pod: Pod | None) -> str:
    node = layout.cluster.node(holder.node)
    assert node is not None
    return files.resolv_conf(pod or node)


def outside_nameservers(layout: Layout, files: Files, corefile: Corefile) -> Iterator[Nameserver]:
    """The resolver outside, and every one there that a resolv.conf in the lab or the Corefile
    names besides; a server for each port."""
    own = tuple((NAMESERVER[each], PORT) for each in layout.families)
    found: dict[int, dict[str, None]] = {PORT: {}}
    for address, port in (*own, *_named(files), *_forwarded_to(corefile)):
        if _is_outside(layout, address):
            found.setdefault(port, {})[address] = None
    for port, addresses in found.items():
        yield Nameserver(OUTSIDE, tuple(addresses), port)


def _named(files: Files) -> Iterator[tuple[str, int]]:
    for text in files.resolv_confs:
        for each in _addresses(text):
            yield each, PORT


def _addresses(resolv_conf: str) -> list[str]:
    """Its nameservers but for those with a zone (`fe80::1%eth0`)."""
    return [canonical(each) for each in read(resolv_conf).nameservers if is_address(each)]


def _forwarded_to(corefile: Corefile) -> Iterator[tuple[str, int]]:
    for block in corefile.blocks:
        for plugin in block.plugins:
            if isinstance(plugin, Forward) and plugin.transport == "dns":
                for address, port in filter(None, map(split_address, plugin.servers)):
                    if is_address(address):
                        yield canonical(address), int(port)


def _is_outside(layout: Layout, address: str) -> bool:
    cluster = layout.cluster
    is_there = (
        is_loopback(address)
        or address == NODE_LOCAL
        or cluster.node_at(address)
        or cluster.pod_at(address)
        or layout.owner(address)
        or address in balanced_addresses(cluster)
        or any(contains(cidr, address) for cidr in cluster.service_cidrs)
    )
    return not is_there and (":" not in address or Family.IPV6 in layout.families)


def stub_nameservers(files: Files) -> Iterator[Nameserver]:
    """Resolvers on the loopback of a node, as systemd-resolved is, where its file names one."""
    for name, text in files.of_nodes.items():
        addresses = tuple(dict.fromkeys(filter(is_loopback, _addresses(text))))
        if addresses:
            yield Nameserver(node_namespace(name), addresses, node=name)


def caches(layout: Layout, files: Files) -> Iterator[Nameserver]:
    """The node-local DNS cache (KEP-1024): on nodes with a ready pod of it; on all of them where a
    resolv.conf in the lab names its customary address, for then it is assumed to answer."""
    key, value = CACHE_LABEL
    pods = {
        pod.node_name: pod
        for pod in layout.cluster.pods
        if pod.labels.get(key) == value and pod.host_network and pod.ready
    }
    named = any(address == NODE_LOCAL for address, _ in _named(files))
    for node in layout.nodes.values():
        pod = pods.get(node.name)
        if named or pod:
            yield Nameserver(
                node.namespace,
                (NODE_LOCAL,),
                pod=f"{pod.namespace}/{pod.name}" if pod else f"kube-system/{value}-{node.name}",
                node=node.name,
                resolv_conf=files.of_nodes[node.name],
            )
