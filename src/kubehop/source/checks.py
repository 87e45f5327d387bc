"""What the types cannot say: one pure check per kind, in one table.

A check yields (field, problem) pairs; the rules are the API server's own validation
(pkg/apis/core/validation, pkg/apis/discovery/validation, pkg/apis/networking/validation), and
never stricter. An address of the wrong family in an EndpointSlice is no problem here:
kube-proxy skips it.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kubehop.model.addresses import family, is_address
from kubehop.model.config import ServiceCIDR
from kubehop.model.meta import Object
from kubehop.model.node import Namespace, Node
from kubehop.model.pod import Pod, PodSpec
from kubehop.model.policy import NetworkPolicy, PolicyPeer
from kubehop.model.service import Endpoints, EndpointSlice, Service, ServicePort
from kubehop.source import names
from kubehop.source.problems import show

MAX_NAMESERVERS = 3

Problem = tuple[str, str]
"""A field and what is wrong with it."""

Problems = Iterator[Problem]


def first_problem(found: Object) -> Problem | None:
    """The first problem of an object, None if the API server would take it."""
    for problem in _metadata(found):
        return problem
    check = CHECKS.get(type(found))
    return next(check(found), None) if check else None


def _metadata(found: Object) -> Problems:
    metadata = found.metadata
    kind = type(found)
    if not (names.is_label if kind in _LABEL_NAMED else names.is_subdomain)(metadata.name):
        yield "metadata.name", f"{show(metadata.name)} is not a valid name"
    if metadata.namespace and not names.is_label(metadata.namespace):
        yield "metadata.namespace", f"{show(metadata.namespace)} is not a valid name"
    for key, value in (metadata.labels or {}).items():
        if not names.is_label_key(key):
            yield "metadata.labels", f"{show(key)} is not a valid label"
        if not names.is_label_value(value):
            yield f"metadata.labels[{show(key)}]", f"{show(value)} is not a valid label value"


def _service(service: Service) -> Problems:
    spec = service.spec
    yield from _cluster_ips(service)
    yield from _addresses("spec.externalIPs", spec.external_ips)
    yield from _cidrs(
        "spec.loadBalancerSourceRanges",
        [cidr.strip() for cidr in spec.load_balancer_source_ranges or ()],
    )
    yield from _addresses(
        "status.loadBalancer.ingress", [ingress.ip for ingress in service.ingress], ".ip"
    )
    yield from _service_ports(service.ports)
    if spec.type == "ExternalName" and not names.is_subdomain(
        (spec.external_name or "").removesuffix(".")
    ):
        yield "spec.externalName", f"{show(spec.external_name or '')} is not a valid name"


def _cluster_ips(service: Service) -> Problems:
    spec = service.spec
    every = spec.cluster_ips or ()
    if spec.cluster_ip not in (None, "", "None"):
        yield from _addresses("spec.clusterIP", [spec.cluster_ip], at="")
    if every[:1] not in ((), ("None",)):
        yield from _addresses("spec.clusterIPs", every)
    if every and spec.cluster_ip and every[0] != spec.cluster_ip:
        yield (
            "spec.clusterIPs[0]",
            f"{show(every[0])} is not spec.clusterIP {show(spec.cluster_ip)}",
        )
    if len(every) == 2 and family(every[0]) is family(every[1]):
        yield "spec.clusterIPs", "two addresses of one family"
    for at, (address, wanted) in enumerate(zip(every, spec.ip_families or (), strict=False)):
        if address != "None" and family(address) != wanted:
            yield f"spec.clusterIPs[{at}]", f"{show(address)} is not {wanted} as in ipFamilies"


def _service_ports(ports: tuple[ServicePort, ...]) -> Problems:
    seen: set[object] = set()
    for at, port in enumerate(ports):
        where = f"spec.ports[{at}]"
        if not port.name and len(ports) > 1:
            yield f"{where}.name", "required where a Service has more than one port"
        if port.name and not names.is_label(port.name):
            yield f"{where}.name", f"{show(port.name)} is not a valid name of a port"
        if port.name and port.name in seen:
            yield f"{where}.name", f"{show(port.name)} is there twice"
        if (port.port, port.protocol) in seen:
            yield f"{where}.port", f"{port.port}/{port.protocol} is there twice"
        seen.update((port.name, (port.port, port.protocol)))
        yield from _port(f"{where}.targetPort", port.target_port)


def _port(field: str, port: int | str | None) -> Problems:
    """A number or a container port's name; 0 and "" in a Service mean unset."""
    if isinstance(port, str) and port and not names.is_port_name(port):
        yield field, f"{show(port)} is neither a number nor a valid name of a port"
    if isinstance(port, int) and not 0 <= port <= 65535:
        yield field, f"expected int between 1 and 65535, got {port}"


def _pod(pod: Pod) -> Problems:
    node = pod.spec.node_name
    if node and not names.is_subdomain(node):
        yield "spec.nodeName", f"{show(node)} is not a valid name"
    for field, name in (("hostname", pod.spec.hostname), ("subdomain", pod.spec.subdomain)):
        if name and not names.is_label(name):
            yield f"spec.{field}", f"{show(name)} is not a valid name"
    yield from _pod_dns(pod.spec)
    if status := pod.status:
        yield from _addresses("status.podIP", [status.pod_ip], at="")
        yield from _addresses("status.podIPs", [entry.ip for entry in status.pod_ips or ()], ".ip")
        yield from _addresses("status.hostIP", [status.host_ip], at="")


def _pod_dns(spec: PodSpec) -> Problems:
    """What the kubelet writes into a pod's files (ValidatePodDNSConfig, ValidateHostAliases)."""
    config = spec.dns_config
    nameservers = (config and config.nameservers) or ()
    yield from _addresses("spec.dnsConfig.nameservers", nameservers)
    if len(nameservers) > MAX_NAMESERVERS:
        yield "spec.dnsConfig.nameservers", f"{len(nameservers)} of them, {MAX_NAMESERVERS} allowed"
    if spec.dns_policy == "None" and not nameservers:
        yield "spec.dnsConfig.nameservers", "required with dnsPolicy None"
    for at, search in enumerate((config and config.searches) or ()):
        if not names.is_search_domain(search):
            yield f"spec.dnsConfig.searches[{at}]", f"{show(search)} is not a search domain"
    for at, option in enumerate((config and config.options) or ()):
        if not option.name or not names.is_word(option.name + (option.value or "")):
            yield f"spec.dnsConfig.options[{at}]", "needs a name, and holds no white space"
    for at, alias in enumerate(spec.host_aliases or ()):
        yield from _addresses(f"spec.hostAliases[{at}].ip", [alias.ip], at="")
        for i, name in enumerate(alias.hostnames or ()):
            if not names.is_subdomain(name):
                yield f"spec.hostAliases[{at}].hostnames[{i}]", f"{show(name)} is not a valid name"


def _node(node: Node) -> Problems:
    if node.spec:
        yield from _cidrs("spec.podCIDR", [node.spec.pod_cidr or ""], at="")
        yield from _cidrs("spec.podCIDRs", node.spec.pod_cidrs)
    for at, entry in enumerate((node.status and node.status.addresses) or ()):
        if entry.type in ("InternalIP", "ExternalIP"):
            yield from _addresses(f"status.addresses[{at}].address", [entry.address], at="")


def _slice(endpoint_slice: EndpointSlice) -> Problems:
    if endpoint_slice.address_type == "FQDN":
        return
    for at, endpoint in enumerate(endpoint_slice.endpoints or ()):
        yield from _addresses(f"endpoints[{at}].addresses", endpoint.addresses)
        if endpoint.hostname and not names.is_label(endpoint.hostname):
            yield f"endpoints[{at}].hostname", f"{show(endpoint.hostname)} is not a valid name"


def _endpoints(endpoints: Endpoints) -> Problems:
    for at, subset in enumerate(endpoints.subsets or ()):
        for name, addresses in (
            ("addresses", subset.addresses),
            ("notReadyAddresses", subset.not_ready_addresses),
        ):
            ips = [address.ip for address in addresses or ()]
            yield from _addresses(f"subsets[{at}].{name}", ips, ".ip")


def _policy(policy: NetworkPolicy) -> Problems:
    for i, ingress in enumerate(policy.spec.ingress or ()):
        yield from _peers(f"spec.ingress[{i}].from", ingress.sources)
        for j, port in enumerate(ingress.ports or ()):
            yield from _port(f"spec.ingress[{i}].ports[{j}].port", port.port)
    for i, egress in enumerate(policy.spec.egress or ()):
        yield from _peers(f"spec.egress[{i}].to", egress.to)
        for j, port in enumerate(egress.ports or ()):
            yield from _port(f"spec.egress[{i}].ports[{j}].port", port.port)


def _peers(field: str, peers: tuple[PolicyPeer, ...] | None) -> Problems:
    for at, peer in enumerate(peers or ()):
        if block := peer.ip_block:
            yield from _cidrs(f"{field}[{at}].ipBlock.cidr", [block.cidr], at="")
            yield from _cidrs(f"{field}[{at}].ipBlock.except", block.excluded)


def _service_cidr(found: ServiceCIDR) -> Problems:
    yield from _cidrs("spec.cidrs", found.spec.cidrs)


def _addresses(
    field: str, addresses: Iterable[str | None] | None, below: str = "", *, at: str = "[{}]"
) -> Problems:
    """`at` is how an entry is numbered, "" for a single field; empty is the same as unset."""
    for index, address in enumerate(addresses or ()):
        if address and not is_address(address):
            yield field + at.format(index) + below, f"{show(address)} is not an IP address"


def _cidrs(field: str, cidrs: Iterable[str] | None, *, at: str = "[{}]") -> Problems:
    for index, cidr in enumerate(cidrs or ()):
        if cidr and not _is_cidr(cidr):
            yield field + at.format(index), f"{show(cidr)} is not a CIDR"


def _is_cidr(text: str) -> bool:
    """An address, a slash and a number: `ipaddress` also takes 10.0.0.0/255.0.0.0."""
    address, _, length = text.partition("/")
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return is_address(address) and length.isascii() and length.isdigit()


_LABEL_NAMED = frozenset({Namespace, Service})

CHECKS: dict[type[Object], Callable[[Any], Problems]] = {
    Service: _service,
    Pod: _pod,
    Node: _node,
    EndpointSlice: _slice,
    Endpoints: _endpoints,
    NetworkPolicy: _policy,
    ServiceCIDR: _service_cidr,
}
