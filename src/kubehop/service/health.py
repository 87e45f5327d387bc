"""The health check node port of a LoadBalancer Service (`pkg/proxy/healthcheck`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from kubehop.model.service import Service
from kubehop.service.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What a node's kube-proxy answers a load balancer: HTTP status and its reason."""

    status: int
    local_endpoints: int

    @classmethod
    def of(cls, local_endpoints: int, proxy_healthy: bool = True) -> Self:
        """The answer with so many ready endpoints on the node."""
        return cls(200 if local_endpoints and proxy_healthy else 503, local_endpoints)


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
