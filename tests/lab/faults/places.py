"""Every fault that a cluster can have, each wherever it can be."""

from collections.abc import Iterator
from itertools import product

from kubehop.lab.faults import FAULTS, Fault, Injected, Parameter, chosen
from kubehop.lab.plan.values import Plan
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError


def everywhere(cluster: Cluster, plan: Plan) -> list[Injected]:
    """All that `chosen` agrees to, each once."""
    found = {one for fault in FAULTS.values() for one in _of(fault, cluster, plan)}
    return sorted(found)


def _of(fault: Fault, cluster: Cluster, plan: Plan) -> Iterator[Injected]:
    asked = (*fault.needs, *fault.takes)
    options = [
        [*names(cluster, parameter), *([""] if parameter in fault.takes else [])]
        for parameter in asked
    ]
    for values in product(*options):
        given = dict(zip(asked, values, strict=True))
        try:
            yield chosen(fault.name, given, cluster, plan, "default")
        except UsageError:
            continue


def names(cluster: Cluster, parameter: Parameter) -> list[str]:
    """What the cluster has that the parameter could name."""
    if parameter is Parameter.POD:
        return [f"{pod.namespace}/{pod.name}" for pod in cluster.pods]
    if parameter is Parameter.SERVICE:
        return [f"{one.namespace}/{one.name}" for one in cluster.services]
    return [node.name for node in cluster.nodes]
