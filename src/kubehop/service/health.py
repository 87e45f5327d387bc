"""The health check node port of a LoadBalancer Service (`pkg/proxy/healthcheck`)."""

from collections.abc import Iterable
from dataclasses import dataclass

from kubehop.model.service import Service
from kubehop.service.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What a node's kube-proxy answers a load balancer: HTTP status and its reason."""

    status: int
    local_endpoints: int


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
    return HealthCheck(200 if count and proxy_healthy else 503, count)
