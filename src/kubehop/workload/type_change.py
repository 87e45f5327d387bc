"""What a Service loses when its type changes (`pkg/registry/core/service`, type dependents)."""

from typing import Any

from msgspec.structs import replace

from kubehop.model.service import Service, ServiceSpec

NODE_PORT_TYPES = ("NodePort", "LoadBalancer")


def without_type_dependents(before: Service, after: Service) -> Service:
    """`after` without the fields that only its former type had.

    The API server drops a field if the old type needed it, the new one does not, and the change
    does not set it. A load balancer's address goes with the load balancer.
    """
    old, new = before.spec, after.spec
    dropped: dict[str, Any] = {}
    for needed, fields in _NEEDS:
        if needed(old) and not needed(new):
            dropped |= {f: None for f in fields if getattr(old, f) == getattr(new, f)}
    if has_node_ports(old) and not has_node_ports(new) and new.ports:
        known = {port.node_port for port in old.ports or ()}
        dropped["ports"] = tuple(
            replace(port, node_port=None) if port.node_port in known else port for port in new.ports
        )
    status = None if old.type == "LoadBalancer" != new.type else after.status
    return replace(after, spec=replace(new, **dropped), status=status)


def has_node_ports(spec: ServiceSpec) -> bool:
    """True if the type gives its ports node ports."""
    return spec.type in NODE_PORT_TYPES


def externally_accessible(spec: ServiceSpec) -> bool:
    """True if externalTrafficPolicy has a meaning."""
    return has_node_ports(spec) or (spec.type == "ClusterIP" and bool(spec.external_ips))


def _has_health_check(spec: ServiceSpec) -> bool:
    return spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"


def _is_balanced(spec: ServiceSpec) -> bool:
    return spec.type == "LoadBalancer"


def _has_cluster_ip(spec: ServiceSpec) -> bool:
    return spec.type != "ExternalName"


_NEEDS = (
    (externally_accessible, ("external_traffic_policy",)),
    (_has_health_check, ("health_check_node_port",)),
    (_is_balanced, ("allocate_load_balancer_node_ports",)),
    (_has_cluster_ip, ("cluster_ip", "cluster_ips", "ip_families", "ip_family_policy")),
)
