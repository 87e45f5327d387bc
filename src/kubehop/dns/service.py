"""Services that cluster DNS rests on: its own, and the API server's."""

from kubehop.model.addresses import Family, canonical, first_of, network
from kubehop.model.cluster import Cluster
from kubehop.model.meta import ObjectMeta
from kubehop.model.service import Service, ServicePort, ServiceSpec

NAMESPACE, NAME = "kube-system", "kube-dns"
APP_LABEL = ("k8s-app", "kube-dns")
"""CoreDNS kept kube-dns' label, and charts that rename the Service keep it too."""
PLACE = 10
"""Where kubeadm, k3s and RKE put its cluster IP in the service CIDR."""
NODE_LOCAL = "169.254.20.10"
"""The customary address of the node-local DNS cache (KEP-1024)."""


def dns_service(cluster: Cluster) -> Service | None:
    """`kube-dns`, else the first Service of kube-system with its label and a cluster IP."""
    found = cluster.service(NAMESPACE, NAME)
    if found is not None:
        return found
    key, value = APP_LABEL
    return next(
        (
            service
            for service in cluster.services
            if service.namespace == NAMESPACE
            and service.labels.get(key) == value
            and service.cluster_ips
        ),
        None,
    )


def api_service(cluster: Cluster) -> Service | None:
    """`default/kubernetes`, which every API server makes by itself, where the input lacks it.

    With the first address of each service CIDR, as the API server takes it; no endpoints.
    """
    if cluster.service("default", "kubernetes") is not None or not cluster.service_cidrs:
        return None
    first = tuple(str(network(cidr).network_address + 1) for cidr in cluster.service_cidrs[:1])
    return Service(
        metadata=ObjectMeta(name="kubernetes", namespace="default"),
        spec=ServiceSpec(
            cluster_ip=first[0],
            cluster_ips=first,
            ports=(ServicePort(name="https", port=443),),
        ),
    )


def dns_addresses(cluster: Cluster) -> tuple[tuple[str, ...], bool]:
    """What the kubelet's `clusterDNS` must be, and True if that is only assumed."""
    service = dns_service(cluster)
    if service is not None and service.cluster_ips:
        return tuple(map(canonical, service.cluster_ips)), False
    usual = (first_of(cluster.service_cidrs, family) for family in Family)
    placed = tuple(str(network(cidr).network_address + PLACE) for cidr in usual if cidr)
    return placed[:1], True


def dns_endpoints(cluster: Cluster) -> frozenset[str]:
    """The addresses of all endpoints of cluster DNS, whatever their condition."""
    return cluster.derived(_endpoints)


def _endpoints(cluster: Cluster) -> frozenset[str]:
    service = dns_service(cluster)
    slices = cluster.slices_of(service) if service else ()
    return frozenset(
        canonical(address)
        for endpoint_slice in slices
        if endpoint_slice.address_type != "FQDN"
        for endpoint in endpoint_slice.endpoints or ()
        for address in endpoint.addresses
    )
