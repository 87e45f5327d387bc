"""Faults of the DNS pods as controllers see them: gone, or not ready.

Only the cluster changes: EndpointSlices lose the pods, or their readiness, as the controllers
would make it. Source: `pkg/endpointslice/utils.go` (podToEndpoint) of Kubernetes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec.structs import replace as with_fields

from kubehop.dns.service import dns_service
from kubehop.lab.faults.values import Place
from kubehop.lab.plan.values import Plan
from kubehop.model.cluster import Cluster
from kubehop.model.pod import Condition, Pod, PodStatus
from kubehop.model.service import EndpointConditions, EndpointSlice, Service, SliceEndpoint

Changed = Callable[[EndpointSlice, SliceEndpoint], SliceEndpoint | None]
READINESS = ("Ready", "ContainersReady")


def dns_pods(cluster: Cluster, place: Place) -> tuple[Pod, ...]:
    """The pods behind cluster DNS, or that one of them that `place` names."""
    service = dns_service(cluster)
    slices = cluster.slices_of(service) if service else ()
    found = {
        f"{pod.namespace}/{pod.name}": pod
        for one in slices
        for endpoint in one.endpoints or ()
        if (pod := _pod_of(cluster, one, endpoint))
    }
    return tuple(pod for name, pod in sorted(found.items()) if place.pod in ("", name))


def has_dns_pods(cluster: Cluster, _plan: Plan, place: Place) -> str:
    """Something is behind cluster DNS, or the pod that is named is."""
    service = dns_service(cluster)
    if service is None:
        return "the cluster has no Service for DNS"
    if place.pod and not dns_pods(cluster, place):
        return f"Pod {place.pod} is not behind {service.reference}"
    if any(one.endpoints for one in cluster.slices_of(service)):
        return ""
    return f"nothing is behind {service.reference}"


def gone(cluster: Cluster, place: Place) -> Cluster:
    """The cluster without them, as after `kubectl scale --replicas=0`."""
    lost = _meant(cluster, place)
    pods = tuple(pod for pod in cluster.pods if (pod.namespace, pod.name) not in lost.pods)
    return replace(cluster, pods=pods, slices=_slices(cluster, lost, lambda _slice, _one: None))


def not_ready(cluster: Cluster, place: Place) -> Cluster:
    """The cluster with them running, but failing their readiness probes."""
    meant = _meant(cluster, place)
    pods = tuple(_unready(p) if (p.namespace, p.name) in meant.pods else p for p in cluster.pods)

    def changed(owner: EndpointSlice, endpoint: SliceEndpoint) -> SliceEndpoint:
        service = cluster.service(owner.namespace, owner.service_name)
        published = service is not None and bool(service.spec.publish_not_ready_addresses)
        before = endpoint.conditions or EndpointConditions()
        now = with_fields(before, ready=published and before.ready is not False, serving=False)
        return with_fields(endpoint, conditions=now)

    return replace(cluster, pods=pods, slices=_slices(cluster, meant, changed))


@dataclass(frozen=True, slots=True)
class _Meant:
    """Pods, and the Service whose endpoints without a pod are meant as well, if any."""

    pods: frozenset[tuple[str, str]]
    service: Service | None

    def endpoint(self, cluster: Cluster, owner: EndpointSlice, endpoint: SliceEndpoint) -> bool:
        pod = _pod_of(cluster, owner, endpoint)
        if pod is not None:
            return (pod.namespace, pod.name) in self.pods
        key = (owner.namespace, owner.service_name)
        return self.service is not None and key == (self.service.namespace, self.service.name)


def _meant(cluster: Cluster, place: Place) -> _Meant:
    names = frozenset((pod.namespace, pod.name) for pod in dns_pods(cluster, place))
    return _Meant(names, None if place.pod else dns_service(cluster))


def _unready(pod: Pod) -> Pod:
    status = pod.status or PodStatus()
    others = tuple(c for c in status.conditions or () if c.type not in READINESS)
    conditions = (*others, *(Condition(kind, "False") for kind in READINESS))
    return with_fields(pod, status=with_fields(status, conditions=conditions))


def _slices(cluster: Cluster, meant: _Meant, change: Changed) -> tuple[EndpointSlice, ...]:
    """All slices with the endpoints that are meant changed, or left out where None."""

    def endpoints(owner: EndpointSlice) -> tuple[SliceEndpoint, ...]:
        found = (
            change(owner, endpoint) if meant.endpoint(cluster, owner, endpoint) else endpoint
            for endpoint in owner.endpoints or ()
        )
        return tuple(endpoint for endpoint in found if endpoint is not None)

    pairs = ((owner, endpoints(owner)) for owner in cluster.slices)
    return tuple(
        owner if left == (owner.endpoints or ()) else with_fields(owner, endpoints=left)
        for owner, left in pairs
    )


def _pod_of(cluster: Cluster, owner: EndpointSlice, endpoint: SliceEndpoint) -> Pod | None:
    """The pod behind an endpoint: the one it refers to, else the one with its address."""
    target = endpoint.target_ref
    if target is not None and target.kind == "Pod" and target.name:
        found = cluster.pod(target.namespace or owner.namespace, target.name)
        if found is not None:
            return found
    if owner.address_type == "FQDN" or not endpoint.addresses:
        return None
    return cluster.pod_at(endpoint.addresses[0])
