"""What a cluster cannot do without, where the input lacks it: cluster DNS and the API server.

The input's own always wins. A kind that an API listed whole lacks nothing: it really is so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kubehop.dns.service import CUSTOMARY, dns_service
from kubehop.model.addresses import Family, family
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.inventory import Inventory
from kubehop.model.meta import LabelSelector, Object, ObjectMeta, TemplateMeta
from kubehop.model.pod import Container, ContainerPort, PodSpec, PodTemplate, Toleration
from kubehop.model.selectors import matches_map
from kubehop.model.service import (
    SERVICE_NAME_LABEL,
    EndpointConditions,
    EndpointSlice,
    Service,
    ServicePort,
    ServiceSpec,
    SliceEndpoint,
    SlicePort,
)
from kubehop.model.workloads import Deployment, WorkloadSpec
from kubehop.workload.complete import DEFAULTS, complete
from kubehop.workload.endpoint_slices import API_SERVER
from kubehop.workload.families import family_name
from kubehop.workload.following import Following, applied, start
from kubehop.workload.options import Options

SELECTOR = {"k8s-app": "kube-dns"}
"""CoreDNS' pods carry kube-dns' label, wherever an installer put them."""
REPLICAS = 2
"""As kubeadm has it."""
API_PORT = 6443
"""Where an API server listens unless told otherwise."""

_PORTS = (
    ServicePort(name="dns", port=53, protocol="UDP", target_port=53),
    ServicePort(name="dns-tcp", port=53, protocol="TCP", target_port=53),
    ServicePort(name="metrics", port=9153, protocol="TCP", target_port=9153),
)
_TOLERATIONS = (
    Toleration(key="CriticalAddonsOnly", operator="Exists"),
    Toleration(key="node-role.kubernetes.io/control-plane", effect="NoSchedule"),
)
_NAMESPACE, _NAME = CUSTOMARY[0]

KUBE_DNS = Service(
    metadata=ObjectMeta(name=_NAME, namespace=_NAMESPACE, labels=SELECTOR),
    spec=ServiceSpec(selector=SELECTOR, ports=_PORTS),
)
COREDNS = Deployment(
    metadata=ObjectMeta(name="coredns", namespace=_NAMESPACE, labels=SELECTOR),
    spec=WorkloadSpec(
        replicas=REPLICAS,
        selector=LabelSelector(match_labels=SELECTOR),
        template=PodTemplate(
            metadata=TemplateMeta(labels=SELECTOR),
            spec=PodSpec(
                containers=(
                    Container(
                        name="coredns",
                        ports=tuple(
                            ContainerPort(port.port, name=port.name, protocol=port.protocol)
                            for port in _PORTS
                        ),
                    ),
                ),
                dns_policy="Default",
                tolerations=_TOLERATIONS,
            ),
        ),
    ),
)
KUBERNETES = Service(
    metadata=ObjectMeta(name=API_SERVER[1], namespace=API_SERVER[0]),
    spec=ServiceSpec(ports=(ServicePort(name="https", port=443, target_port=API_PORT),)),
)


def begin(inventory: Inventory, options: Options = DEFAULTS) -> Following:
    """The cluster that a lab starts with: the input's, and what that lacks of DNS and the API.

    What is added comes last, so that all else is as `complete` has it for the input alone.

    `cluster.assumptions` of what is returned name what was added. Raises as `complete` does.
    """
    begun = start(inventory, options)
    objects, lines = lacking(inventory, begun.cluster)
    begun = applied(begun, _with(Inventory(), objects))
    said = (*begun.cluster.assumptions, *lines)
    return replace(begun, assumed=said, cluster=replace(begun.cluster, assumptions=said))


def with_cluster_dns(
    inventory: Inventory, options: Options = DEFAULTS
) -> tuple[Inventory, tuple[str, ...]]:
    """The inventory with what it lacks of cluster DNS and the API server, and what that is.

    Pods that `complete` puts after those of kube-system get other addresses than without.
    """
    objects, lines = lacking(inventory, complete(inventory, options))
    return _with(inventory, objects), lines


def lacking(inventory: Inventory, cluster: Cluster) -> tuple[tuple[Object, ...], tuple[str, ...]]:
    """What `cluster`, made of `inventory`, lacks, and a line for each assumption.

    1. a DNS Service: kube-system/kube-dns; with a Deployment coredns if no pod is behind it
    2. the Service default/kubernetes, and its slice at the first node that has an address
    """
    dns, api = tuple(_dns(inventory, cluster)), tuple(_api(inventory, cluster))
    named = ((dns, "cluster DNS"), (api, "the API server"))
    return (*dns, *api), tuple(
        f"{what} assumed: {', '.join(obj.reference for obj in objects)}"
        for objects, what in named
        if objects
    )


def _dns(inventory: Inventory, cluster: Cluster) -> Iterator[Object]:
    if dns_service(cluster) is not None or "Service" in inventory.complete:
        return
    yield KUBE_DNS
    there = any(
        pod.namespace == _NAMESPACE and matches_map(SELECTOR, pod.labels) for pod in cluster.pods
    )
    taken = {sort_key(found) for found in inventory.of(Deployment)}
    if not there and "Pod" not in inventory.complete and sort_key(COREDNS) not in taken:
        yield COREDNS


def _api(inventory: Inventory, cluster: Cluster) -> Iterator[Object]:
    service = cluster.service(*API_SERVER)
    if service is None:
        if "Service" in inventory.complete:
            return
        yield KUBERNETES
    if "EndpointSlice" in inventory.complete or (service and cluster.slices_of(service)):
        return
    address = _api_address(cluster, service)
    if address:
        yield _api_slice(service or KUBERNETES, address)


def _api_address(cluster: Cluster, service: Service | None) -> str:
    """The first node's address of the Service's family, which is the cluster's first if open."""
    ranges = (service.cluster_ips if service else ()) or cluster.service_cidrs
    wanted = family(ranges[0]) if ranges else Family.IPV4
    addresses = (address for node in cluster.nodes for address in node.internal_ips)
    return next((address for address in addresses if family(address) is wanted), "")


def _api_slice(service: Service, address: str) -> EndpointSlice:
    """As the API server writes it (pkg/controlplane/reconcilers): ready, without a node."""
    ports = tuple(
        SlicePort(
            name=port.name or "",
            port=port.target_port if isinstance(port.target_port, int) else API_PORT,
            protocol=port.protocol,
        )
        for port in service.ports
    )
    labels = {SERVICE_NAME_LABEL: service.name}
    return EndpointSlice(
        metadata=ObjectMeta(name=service.name, namespace=service.namespace, labels=labels),
        address_type=family_name(family(address)),
        endpoints=(SliceEndpoint((address,), conditions=EndpointConditions(ready=True)),),
        ports=ports,
    )


def _with(inventory: Inventory, objects: Iterable[Object]) -> Inventory:
    found = dict(inventory.objects)
    for obj in objects:
        kind = type(obj).__name__
        found[kind] = tuple(sorted((*found.get(kind, ()), obj), key=sort_key))
    return replace(inventory, objects=found)
