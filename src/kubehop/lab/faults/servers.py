"""Faults of servers: one pod's has stopped, a health check lies."""

from dataclasses import replace

from kubehop.lab.faults.values import Place
from kubehop.lab.plan.values import Listener, Plan, Role
from kubehop.model.cluster import Cluster


def server_stopped(plan: Plan, _cluster: Cluster, place: Place) -> Plan:
    """The pod stays, and stays an endpoint; its ports refuse."""
    return replace(
        plan,
        listeners=tuple(one for one in plan.listeners if one.pod != place.pod),
        nameservers=tuple(one for one in plan.nameservers if one.pod != place.pod),
    )


def has_server(_cluster: Cluster, plan: Plan, place: Place) -> str:
    """The pod listens somewhere."""
    pods = {one.pod for one in plan.listeners} | {one.pod for one in plan.nameservers}
    if place.pod in pods:
        return ""
    return f"Pod {place.pod} has no server to stop: it declares no port, or does not run"


def health_lies(plan: Plan, _cluster: Cluster, place: Place) -> Plan:
    """Nodes without a ready endpoint answer the health check node port with 200 all the same."""
    listeners = tuple(
        replace(one, endpoints=1) if _checks(one, place) and not one.endpoints else one
        for one in plan.listeners
    )
    return replace(plan, listeners=listeners)


def can_lie(_cluster: Cluster, plan: Plan, place: Place) -> str:
    """Some node, or the one named, answers 503 for the Service."""
    checks = [one for one in plan.listeners if _checks(one, place)]
    at = f" on Node {place.node}" if place.node else ""
    if not checks:
        of_local = "only type LoadBalancer with externalTrafficPolicy Local has one"
        return f"Service {place.service} has no health check node port{at}: {of_local}"
    if all(one.endpoints for one in checks):
        where = f"Node {place.node} has" if place.node else "every node has"
        return f"{where} a ready endpoint of Service {place.service}: 200 is no lie there"
    return ""


def _checks(listener: Listener, place: Place) -> bool:
    right = listener.role is Role.HEALTH and listener.service == place.service
    return right and place.node in ("", listener.node)
