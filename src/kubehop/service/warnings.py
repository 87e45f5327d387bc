"""What a reader of a spread should not overlook, a line each."""

from collections.abc import Callable, Iterable

from kubehop.model.cluster import Cluster
from kubehop.service.classes import NodeClass, barred
from kubehop.service.decide import Action
from kubehop.service.spread import Client, Spread

Warning_ = Callable[[Cluster, Spread], Iterable[str]]


def warnings(cluster: Cluster, spread: Spread) -> tuple[str, ...]:
    """What a reader of the spread should not overlook, a line each."""
    return tuple(line for check in _WARNINGS for line in check(cluster, spread) if line)


def _silent_nodes(cluster: Cluster, spread: Spread) -> Iterable[str]:
    """Nodes that answer nothing although endpoints exist."""
    del cluster
    external = [
        row
        for row in spread.rows
        if row.client is Client.EXTERNAL and row.decision.action is Action.DROP
    ]
    if spread.service.spec.external_traffic_policy != "Local":
        external = []  # dropped by source ranges that admit nobody from outside
    seen = dict.fromkeys(row.nodes for row in external)
    if seen:
        names = join_names(seen)
        yield f"{names}: outsiders that get there time out under externalTrafficPolicy Local"
    internal = [
        row
        for row in spread.rows
        if row.client is Client.POD
        and not row.frontend.kind.external
        and row.decision.action is Action.DROP
    ]
    if internal:
        names = join_names(row.nodes for row in internal)
        yield f"{names}: pods there time out under internalTrafficPolicy Local"


def _no_endpoints(cluster: Cluster, spread: Spread) -> Iterable[str]:
    del cluster
    if not spread.usable.ready and not spread.usable.draining:
        yield "no endpoint is usable: every connection is refused"
    elif not spread.usable.ready:
        yield "no endpoint is ready: only terminating ones still answer"


def _health_gap(cluster: Cluster, spread: Spread) -> Iterable[str]:
    """KEP-1669: a node fails its health check while it still forwards to draining pods."""
    del cluster
    for node_class, check in spread.health:
        name = node_class.representative.name
        if check.status != 200 and any(e.draining for e in spread.usable.local.get(name, ())):
            yield (
                f"{name}: its health check fails before the last terminating pod is gone: the "
                "load balancer leaves, connections that still come are served"
            )


def _single_node(cluster: Cluster, spread: Spread) -> Iterable[str]:
    """Local with every endpoint on one node: one node carries all outside traffic."""
    spec = spread.service.spec
    homes = {endpoint.node for endpoint in spread.usable.ready}
    if (
        spec.external_traffic_policy == "Local"
        and len(homes - {""}) == 1
        and len(cluster.nodes) > 1
        and any(row.client is Client.EXTERNAL for row in spread.rows)
    ):
        yield (
            f"all outside traffic enters by {max(homes)}: when it fails, or its pod is "
            "replaced, nothing answers until the load balancer has noticed"
        )


def _barred_nodes(cluster: Cluster, spread: Spread) -> Iterable[str]:
    if spread.service.spec.type == "LoadBalancer":
        for name, why in sorted(cluster.derived(barred).items())[:3]:
            yield f"{name}: load balancers do not send to it, it {why}"


_WARNINGS: tuple[Warning_, ...] = (
    _no_endpoints,
    _silent_nodes,
    _single_node,
    _health_gap,
    _barred_nodes,
)


def join_names(classes: Iterable[NodeClass], limit: int = 4) -> str:
    """The classes' nodes: `node-0, node-1` or `node-0, node-1 and 4,983 more`."""
    found = list({node_class.representative.name: node_class for node_class in classes}.values())
    names = sorted(name for node_class in found for name in node_class.names[:limit])
    return listing(names, sum(node_class.count for node_class in found))


def listing(names: list[str], count: int, limit: int = 4) -> str:
    """Up to `limit` of `count` names, and how many more there are."""
    shown = names[:limit]
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
