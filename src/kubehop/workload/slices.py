"""EndpointSlices as the EndpointSlice controller makes them from pods.

Source: k8s.io/endpointslice, `reconciler.go` and `utils.go` (v0.37).
"""

from collections.abc import Iterable, Mapping

from kubehop.model.addresses import Family, canonical, family
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.selectors import matches_map
from kubehop.model.service import (
    SKIP_MIRROR_LABEL,
    EndpointAddress,
    EndpointConditions,
    Endpoints,
    EndpointSlice,
    Service,
    SliceEndpoint,
    SlicePort,
    TargetRef,
)
from kubehop.workload.cutting import cut, numbered
from kubehop.workload.ports import Ports, ports_of

CONTROLLER = "endpointslice-controller.k8s.io"
MIRRORING_CONTROLLER = "endpointslicemirroring-controller.k8s.io"


def endpoint_of(pod: Pod, service: Service, node_exists: bool) -> EndpointConditions | None:
    """The conditions of a selected pod's endpoint; None if the pod is left out.

    1. finished, or no address yet: left out
    2. its node is gone: left out, unless publishNotReadyAddresses
    3. else in, ready or not; terminating is never ready, unless publishNotReadyAddresses
    """
    if pod.finished or not pod.addresses:
        return None
    publish = bool(service.spec.publish_not_ready_addresses)
    if not node_exists and not publish:
        return None
    serving, terminating = pod.ready, pod.terminating
    return EndpointConditions(
        ready=publish or (serving and not terminating), serving=serving, terminating=terminating
    )


def slices_for(
    service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node]
) -> tuple[EndpointSlice, ...]:
    """The slices of a Service over the pods that its selector selects, without hints.

    One set per family; () without a selector or for an ExternalName. `nodes` by name. Pods are
    taken in the order given, where the controller's order is arbitrary.
    """
    if not service.spec.selector or service.spec.type == "ExternalName":
        return ()
    chosen = [pod for pod in pods if selects(service, pod)]
    made: list[EndpointSlice] = []
    for wanted in families_of(service):
        grouped = _endpoints_by_ports(service, chosen, nodes, wanted)
        for ports, endpoints in grouped.items() or [((), [])]:
            made += cut(service, wanted, ports, endpoints, CONTROLLER, service.labels)
    return numbered(made)


def selects(service: Service, pod: Pod) -> bool:
    """True if the pod is in the Service's namespace and carries its selector's labels."""
    return service.namespace == pod.namespace and matches_map(
        service.spec.selector or {}, pod.labels
    )


def families_of(service: Service) -> tuple[Family, ...]:
    """The families it has slices for: both if nothing tells, as the controller assumes."""
    if service.spec.ip_families:
        return tuple(Family(name) for name in service.spec.ip_families)
    if service.cluster_ips:
        return tuple(dict.fromkeys(map(family, service.cluster_ips)))
    return tuple(Family) if service.headless else (Family.IPV4,)


def _endpoints_by_ports(
    service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node], wanted: Family
) -> dict[Ports, list[SliceEndpoint]]:
    """Pods with equal resulting ports share slices: a port name may mean different numbers."""
    found: dict[Ports, list[SliceEndpoint]] = {}
    for pod in pods:
        node = nodes.get(pod.node_name)
        conditions = endpoint_of(pod, service, node is not None)
        addresses = tuple(canonical(a) for a in pod.addresses if family(a) is wanted)
        if conditions and addresses:
            endpoint = _endpoint(pod, node, service, addresses, conditions)
            found.setdefault(ports_of(service, pod), []).append(endpoint)
    return found


def _endpoint(
    pod: Pod,
    node: Node | None,
    service: Service,
    addresses: tuple[str, ...],
    conditions: EndpointConditions,
) -> SliceEndpoint:
    in_domain = pod.spec.hostname and pod.spec.subdomain == service.name
    return SliceEndpoint(
        addresses=addresses,
        conditions=conditions,
        node_name=pod.node_name or None,
        zone=(node.zone if node else "") or None,
        hostname=pod.spec.hostname if in_domain else None,
        target_ref=TargetRef(kind="Pod", name=pod.name, namespace=pod.metadata.namespace),
    )


def mirror(endpoints: Endpoints, service: Service) -> tuple[EndpointSlice, ...]:
    """The slices that mirror hand-made Endpoints of the Service's name, without hints.

    One set per family and port list; not ready addresses are not ready endpoints. () if the
    label skip-mirror is "true". Source: `pkg/controller/endpointslicemirroring`.
    """
    if endpoints.labels.get(SKIP_MIRROR_LABEL) == "true":
        return ()
    found: dict[tuple[Family, Ports], list[SliceEndpoint]] = {}
    for subset in endpoints.subsets or ():
        ports = tuple(
            SlicePort(port.name or "", port.port, port.protocol) for port in subset.ports or ()
        )
        for ready, addresses in ((True, subset.addresses), (False, subset.not_ready_addresses)):
            for address in addresses or ():
                group = found.setdefault((family(address.ip), ports), [])
                group.append(_mirrored(address, ready))
    made: list[EndpointSlice] = []
    for (wanted, ports), group in found.items() or [((families_of(service)[0], ()), [])]:
        made += cut(service, wanted, ports, group, MIRRORING_CONTROLLER, endpoints.labels)
    return numbered(made)


def _mirrored(address: EndpointAddress, ready: bool) -> SliceEndpoint:
    return SliceEndpoint(
        addresses=(canonical(address.ip),),
        conditions=EndpointConditions(ready=ready),
        node_name=address.node_name,
        hostname=address.hostname,
        target_ref=address.target_ref,
    )
