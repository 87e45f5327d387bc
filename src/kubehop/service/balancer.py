"""Which nodes a Service's load balancer sends to (reference: kube-proxy, section 5)."""

from collections.abc import Iterable

from kubehop.model.addresses import family
from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.service.classes import NodeClass, barred
from kubehop.service.endpoints import backends
from kubehop.service.frontends import is_proxied


def local_ready_nodes(cluster: Cluster, service: Service) -> frozenset[str]:
    """The nodes whose health check node port answers 200: those with a ready endpoint.

    None where kube-proxy ignores the Service: it does not open the port then.
    """
    if not is_proxied(service, cluster.proxy.service_proxy_name):
        return frozenset()
    slices = cluster.slices_of(service)
    return frozenset(
        endpoint.node
        for wanted in dict.fromkeys(map(family, service.cluster_ips))
        for port in service.ports
        for found in (backends(slices, port, wanted),)
        for endpoint in (*found.endpoints, *found.copies)
        if endpoint.ready and endpoint.node
    )


def admitted(
    cluster: Cluster, service: Service, classes: Iterable[NodeClass]
) -> tuple[NodeClass, ...]:
    """Those of `classes` that the load balancer sends to.

    externalTrafficPolicy Local: nodes that answer the health check node port with 200.
    Cluster: nodes whose kube-proxy is healthy, which the objects cannot deny.
    A node with a ready endpoint, or barred from load balancers, is a class of its own.
    """
    local = service.spec.external_traffic_policy == "Local"
    passing = local_ready_nodes(cluster, service) if local else frozenset()
    out = cluster.derived(barred)
    return tuple(
        node_class
        for node_class in classes
        if (name := node_class.representative.name) not in out and (not local or name in passing)
    )
