"""Who listens where: what pods declare, what Services send to, and kube-proxy's health checks.

Of two that want one port in one network only the first can have it, in this order:

1. kube-proxy: /healthz, and health check node ports; DNS servers, which are listed elsewhere.
2. Pods in their node's network. Of two that declare one port the last counts, as in
   `kubehop.trace.places`.
3. Pods with a network of their own.
4. Endpoints, with ports that nobody has declared; also outside of the cluster.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from kubehop.lab.plan.layout import Layout, PlacedPod
from kubehop.lab.plan.values import OUTSIDE, Listener, Nameserver, Role, node_namespace
from kubehop.model.addresses import canonical
from kubehop.model.cluster import Cluster
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice, Service
from kubehop.service.frontends import is_proxied
from kubehop.service.health import endpoints_by_node, health_check
from kubehop.trace.places import host_pod_at

PROXY_HEALTH_PORT = 10256
"""kube-proxy's healthzBindAddress."""
WEB_PORTS = (80, 443)
"""What answers anywhere outside, over TCP."""
SERVED = ("TCP", "UDP")


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose an address is: a network of the lab, and the pod's if it is one's own."""

    namespace: str
    node: str
    placed: PlacedPod | None = None


def holders(layout: Layout) -> dict[str, Holder]:
    """By address."""
    found = {
        address: Holder(node.namespace, node.name)
        for node in layout.nodes.values()
        for address in node.addresses
    }
    for pod in layout.pods:
        holder = Holder(pod.namespace, pod.node, pod)
        for address in pod.addresses:
            found[address] = holder
    return found


def listeners(layout: Layout, nameservers: Iterable[Nameserver]) -> tuple[Listener, ...]:
    """Every socket of the lab but those of DNS servers, each port of a network once."""
    taken = {
        (server.namespace, protocol, server.port) for server in nameservers for protocol in SERVED
    }
    found: dict[tuple[str, str, int], Listener] = {}
    for listener in chain(
        _of_proxies(layout),
        _of_host_pods(layout),
        _of_pods(layout),
        _of_endpoints(layout),
        (Listener(OUTSIDE, "TCP", "", port) for port in WEB_PORTS),
    ):
        key = (listener.namespace, listener.protocol, listener.port)
        if key not in taken:
            found.setdefault(key, listener)
    return tuple(found.values())


def _of_proxies(layout: Layout) -> Iterator[Listener]:
    for name in layout.nodes:
        yield Listener(
            node_namespace(name), "TCP", "", PROXY_HEALTH_PORT, Role.PROXY_HEALTH, node=name
        )
    for service in layout.cluster.services:
        if is_proxied(service, layout.cluster.proxy.service_proxy_name):
            yield from _health_checks(layout, service)


def _health_checks(layout: Layout, service: Service) -> Iterator[Listener]:
    port = service.spec.health_check_node_port
    # Without endpoints the answer says whether kube-proxy opens the port at all.
    if not port or health_check(service, (), "") is None:
        return
    local = endpoints_by_node(layout.cluster, service)
    for name in layout.nodes:
        answer = health_check(service, local.get(name, ()), name)
        assert answer is not None
        yield Listener(
            node_namespace(name),
            "TCP",
            "",
            port,
            Role.HEALTH,
            node=name,
            service=f"{service.namespace}/{service.name}",
            endpoints=answer.local_endpoints,
        )


def _declared(pod: Pod) -> Iterator[tuple[str, int]]:
    """Protocol and port of its containers, and of init containers that stay (sidecars)."""
    sidecars = (c for c in pod.spec.init_containers or () if c.restart_policy == "Always")
    for container in chain(pod.spec.containers or (), sidecars):
        for port in container.ports or ():
            yield port.protocol, port.container_port


def _of_host_pods(layout: Layout) -> Iterator[Listener]:
    for pod in reversed(layout.cluster.pods):
        if pod.host_network and not pod.finished and pod.node_name in layout.nodes:
            yield from _echoes(pod, node_namespace(pod.node_name))


def _of_pods(layout: Layout) -> Iterator[Listener]:
    for placed in layout.pods:
        if placed.pod is not None:
            yield from _echoes(placed.pod, placed.namespace)


def _echoes(pod: Pod, namespace: str) -> Iterator[Listener]:
    name = f"{pod.namespace}/{pod.name}"
    for protocol, port in _declared(pod):
        if protocol in SERVED:
            yield Listener(namespace, protocol, "", port, pod=name, node=pod.node_name)


def _of_endpoints(layout: Layout) -> Iterator[Listener]:
    """Whatever a slice says that its endpoints listen on."""
    where = holders(layout)
    for found in layout.cluster.slices:
        ports = _slice_ports(found)
        if ports:
            for address in _addresses(found):
                yield from _at(layout, where.get(address), address, ports)


def _slice_ports(found: EndpointSlice) -> tuple[tuple[str, int], ...]:
    if found.address_type == "FQDN":
        return ()
    ports = ((port.protocol or "TCP", port.port) for port in found.ports or ())
    return tuple((protocol, port) for protocol, port in ports if port and protocol in SERVED)


def _addresses(found: EndpointSlice) -> Iterator[str]:
    for entry in found.endpoints or ():
        if entry.addresses:
            yield canonical(entry.addresses[0])


def _at(
    layout: Layout, holder: Holder | None, address: str, ports: tuple[tuple[str, int], ...]
) -> Iterator[Listener]:
    if holder is None:
        if not layout.owner(address) and address not in layout.homeless:
            yield from (Listener(OUTSIDE, protocol, "", port) for protocol, port in ports)
        return
    for protocol, port in ports:
        pod = holder.placed.pod if holder.placed else _host_pod(layout, holder, protocol, port)
        name = f"{pod.namespace}/{pod.name}" if pod else ""
        yield Listener(holder.namespace, protocol, "", port, pod=name, node=holder.node)


def _host_pod(layout: Layout, holder: Holder, protocol: str, port: int) -> Pod | None:
    return host_pod_at(layout.cluster, holder.node, protocol, port)


def unserved(cluster: Cluster) -> int:
    """How many ports pods declare for a protocol that no lab serves (SCTP)."""
    return sum(
        protocol not in SERVED
        for pod in cluster.pods
        if not pod.finished
        for protocol, _ in _declared(pod)
    )
