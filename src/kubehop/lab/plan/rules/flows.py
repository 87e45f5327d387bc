"""Which UDP flows a change of endpoints makes kube-proxy forget (reference, section 6)."""

from collections.abc import Iterator

from kubehop.lab.plan.values import ForgetFlows, node_namespace
from kubehop.model.cluster import Cluster
from kubehop.model.service import EndpointSlice
from kubehop.service.endpoints import Backends, backends
from kubehop.service.frontends import Frontend, frontend_table
from kubehop.service.nodes import proxy_nodes


def flows_to_forget(old: Cluster, new: Cluster) -> tuple[ForgetFlows, ...]:
    """What every node forgets once the rules of `new` stand.

    Step 1: nothing unless endpoints of a UDP port changed: a change of a Service alone does not
    count. Step 2: every UDP port with a serving endpoint, changed or not, keeps flows to serving
    endpoints alone, whatever the policies say. TCP is never touched.
    Source: `pkg/proxy/conntrack/cleanup.go`.
    """
    if old.slices == new.slices or _udp(old) == _udp(new):
        return ()
    nodes = new.derived(proxy_nodes)
    found: list[ForgetFlows] = []
    known: dict[tuple[str, str, str, str], Backends] = {}
    for frontend in new.derived(frontend_table).by_key.values():
        if frontend.protocol == "UDP":
            behind = _behind(new, frontend, known)
            found += (
                ForgetFlows(node_namespace(name), frontend.address, frontend.port, wanted)
                for name, wanted in _wanted(behind, tuple(nodes))
            )
    return tuple(found)


def _udp(cluster: Cluster) -> dict[tuple[str, str], list[EndpointSlice]]:
    """The slices with a UDP port, by Service."""
    found: dict[tuple[str, str], list[EndpointSlice]] = {}
    for endpoint_slice in cluster.slices:
        if any(port.protocol == "UDP" for port in endpoint_slice.ports or ()):
            key = (endpoint_slice.namespace, endpoint_slice.service_name)
            found.setdefault(key, []).append(endpoint_slice)
    return found


def _behind(
    cluster: Cluster, frontend: Frontend, known: dict[tuple[str, str, str, str], Backends]
) -> Backends:
    service, port = frontend.service, frontend.service_port
    key = (service.namespace, service.name, port.key, frontend.family)
    if key not in known:
        known[key] = backends(cluster.slices_of(service), port, frontend.family)
    return known[key]


def _wanted(
    found: Backends, nodes: tuple[str, ...]
) -> Iterator[tuple[str, frozenset[tuple[str, int]]]]:
    """By node, the serving endpoints; a port without one is left alone."""
    common = _serving(found, "")
    for name in nodes:
        wanted = _serving(found, name) if found.copies else common
        if wanted:
            yield name, wanted


def _serving(found: Backends, node: str) -> frozenset[tuple[str, int]]:
    return frozenset((e.address, e.port) for e in found.at(node) if e.serving)
