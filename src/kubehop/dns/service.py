"""Services that cluster DNS rests on: its own, and the API server's."""

from kubehop.model.addresses import Family, canonical, first_of, network
from kubehop.model.cluster import Cluster
from kubehop.model.meta import ObjectMeta
from kubehop.model.service import Service, ServicePort, ServiceSpec

CUSTOMARY = (("kube-system", "kube-dns"), ("openshift-dns", "dns-default"))
"""Namespace and name: everywhere, and on OpenShift."""
APP_LABEL = ("k8s-app", "kube-dns")
"""CoreDNS kept kube-dns' label, and charts that rename the Service keep it too."""
PLACE = 10
"""Where kubeadm, k3s and RKE put its cluster IP in the service CIDR."""
PORT = 53
NODE_LOCAL = "169.254.20.10"
"""The customary address of the node-local DNS cache (KEP-1024)."""


def dns_service(cluster: Cluster) -> Service | None:
    """The Service of cluster DNS: by its name, else its label, else its customary address."""
    return cluster.derived(_dns_service)


def _dns_service(cluster: Cluster) -> Service | None:
    named = (cluster.service(namespace, name) for namespace, name in CUSTOMARY)
    found = next((service for service in named if service), None)
    if found is not None:
        return found
    key, value = APP_LABEL
    labelled = [s for s in cluster.services if s.labels.get(key) == value and s.cluster_ips]
    customary = set(_customary_addresses(cluster))
    placed = [s for s in cluster.services if customary & set(s.cluster_ips) and _serves_dns(s)]
    # kube-system's own before a tenant's.
    labelled.sort(key=lambda service: service.namespace != CUSTOMARY[0][0])
    return next(iter((*labelled, *placed)), None)


def _serves_dns(service: Service) -> bool:
    return any((port.protocol, port.port) == ("UDP", PORT) for port in service.ports)


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
    return _customary_addresses(cluster)[:1], True


def _customary_addresses(cluster: Cluster) -> tuple[str, ...]:
    usual = (first_of(cluster.service_cidrs, family) for family in Family)
    return tuple(str(network(cidr).network_address + PLACE) for cidr in usual if cidr)


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
