"""Which nodes a Service's load balancer sends to (reference: kube-proxy, section 5)."""

from collections.abc import Iterable

from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.service.classes import NodeClass, barred
from kubehop.service.frontends import is_proxied
from kubehop.service.health import endpoints_by_node


def local_ready_nodes(cluster: Cluster, service: Service) -> frozenset[str]:
    """The nodes whose health check node port answers 200: those with a ready endpoint.

    No node where kube-proxy ignores the Service: it does not open the port then.
    """
    if not is_proxied(service, cluster.proxy.service_proxy_name):
        return frozenset()
    return frozenset(
        node
        for node, endpoints in endpoints_by_node(cluster, service).items()
        if node and any(endpoint.ready for endpoint in endpoints)
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
