"""The health check node port of a LoadBalancer Service (`pkg/proxy/healthcheck`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from kubehop.model.addresses import family
from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.service.endpoints import Endpoint, backends


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What a node's kube-proxy answers a load balancer: HTTP status and its reason."""

    status: int
    local_endpoints: int

    @classmethod
    def of(cls, local_endpoints: int, proxy_healthy: bool = True) -> Self:
        """The answer with so many ready endpoints on the node."""
        return cls(200 if local_endpoints and proxy_healthy else 503, local_endpoints)


def endpoints_by_node(cluster: Cluster, service: Service) -> dict[str, list[Endpoint]]:
    """The endpoints that kube-proxy knows of for the Service's health check, by node.

    Those of every port, in the families in which it has a cluster IP: in another one a slice
    may be left over, but the Service has no frontend there. One that several slices mention
    is there as often.
    """
    slices = cluster.slices_of(service)
    found: dict[str, list[Endpoint]] = {}
    for wanted in dict.fromkeys(map(family, service.cluster_ips)):
        for port in service.ports:
            behind = backends(slices, port, wanted)
            for endpoint in (*behind.endpoints, *behind.copies):
                found.setdefault(endpoint.node, []).append(endpoint)
    return found


def health_check(
    service: Service,
    endpoints: Iterable[Endpoint],
    node: str,
    *,
    proxy_healthy: bool = True,
) -> HealthCheck | None:
    """The answer on `healthCheckNodePort` of `node`; None if kube-proxy never opens it.

    `endpoints` are those of every port of the Service. Only ready ones count, each address
    once: a node whose last endpoint is draining fails the check while it still forwards.
    """
    spec = service.spec
    if (
        spec.type != "LoadBalancer"
        or spec.external_traffic_policy != "Local"
        or not spec.health_check_node_port
    ):
        return None
    count = len({e.address for e in endpoints if e.ready and e.node == node})
    return HealthCheck.of(count, proxy_healthy)
