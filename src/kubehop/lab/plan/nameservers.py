"""Which DNS servers a lab has: cluster DNS where its endpoints are, and the resolvers outside."""

from collections.abc import Iterator
from itertools import chain

from kubehop.dns.resolv.node_file import read
from kubehop.dns.service import PORT, dns_service
from kubehop.lab.plan.addressing import NAMESERVER
from kubehop.lab.plan.files import Files
from kubehop.lab.plan.layout import Layout
from kubehop.lab.plan.listeners import Holder, holders
from kubehop.lab.plan.reach import balanced_addresses
from kubehop.lab.plan.values import Nameserver, node_namespace
from kubehop.model.addresses import Family, canonical, contains, is_address
from kubehop.model.cluster import Cluster
from kubehop.model.pod import Pod
from kubehop.service.endpoints import backends
from kubehop.service.nodes import is_loopback
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


def outside_nameservers(layout: Layout, files: Files) -> tuple[str, ...]:
    """The resolver outside, and every one that a resolv.conf in the lab names besides."""
    own = tuple(NAMESERVER[each] for each in layout.families)
    named = dict.fromkeys(_named(files))
    return tuple(dict.fromkeys((*own, *(a for a in named if _is_outside(layout, a)))))


def _named(files: Files) -> Iterator[str]:
    for text in files.resolv_confs:
        yield from (canonical(each) for each in read(text).nameservers if is_address(each))


def _is_outside(layout: Layout, address: str) -> bool:
    cluster = layout.cluster
    is_there = (
        is_loopback(address)
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
        named = (canonical(each) for each in read(text).nameservers if is_address(each))
        addresses = tuple(dict.fromkeys(each for each in named if is_loopback(each)))
        if addresses:
            yield Nameserver(node_namespace(name), addresses, node=name)
