"""Pods that Deployments, StatefulSets, DaemonSets, Jobs and CronJobs would make."""

import itertools
from collections.abc import Iterator

from kubehop.model.cluster import sort_key
from kubehop.model.inventory import Inventory
from kubehop.model.pod import Pod
from kubehop.model.workloads import (
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    ReplicaSet,
    StatefulSet,
    Workload,
    WorkloadStatus,
)
from kubehop.workload import owners, say
from kubehop.workload.draft import Draft
from kubehop.workload.replicas import pods_of, refusal

KINDS: tuple[type[Workload | CronJob], ...] = (
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
)


def workloads_step(draft: Draft) -> Draft:
    """Draft with the pods of the input and those that bare workloads would make."""
    pods, nodes = draft.inventory.of(Pod), draft.cluster.nodes
    taken = {sort_key(pod) for pod in pods}
    made: dict[str, list[Pod]] = {}
    lines = []
    for workload in bare_workloads(draft.inventory):
        new = pods_of(workload, nodes, taken)
        taken.update(sort_key(pod) for pod in new)
        if new:
            made[workload.reference] = new
        elif isinstance(workload, DaemonSet):
            lines.append(f"no pod of {workload.reference}: {refusal(workload, nodes)}")
    if not made:
        return draft.having(*lines, pods=pods)
    everyone = sorted((*pods, *itertools.chain(*made.values())), key=sort_key)
    return draft.having(_made_line(made), *lines, pods=tuple(everyone))


def _made_line(made: dict[str, list[Pod]]) -> str:
    if len(made) > say.NAMED:
        total = sum(map(len, made.values()))
        return f"{say.count(total, 'pod')} of {len(made)} workloads assumed"
    each = (f"{say.count(len(pods), 'pod')} of {name}" for name, pods in made.items())
    return f"{', '.join(each)} assumed"


def bare_workloads(inventory: Inventory) -> Iterator[Workload | CronJob]:
    """Workloads whose pods are to be made: without any in the input, not made by another.

    A workload that was observed together with pods, in a cluster, really has none there.
    """
    if "Pod" in inventory.complete:
        return
    workloads = [obj for kind in KINDS for obj in inventory.of(kind)]
    pods_observed = any(pod.phase for pod in inventory.of(Pod))
    bare = [obj for obj in workloads if not (pods_observed and _observed(obj))]
    if not bare:
        return
    known, having_pods = {owners.key(obj) for obj in workloads}, owners.owning(inventory)
    for workload in bare:
        if owners.key(workload) not in having_pods and owners.controller(workload) not in known:
            yield workload


def _observed(workload: Workload | CronJob) -> bool:
    """True if a controller wrote its status; manifests may hold an empty one.

    Nothing of a Job's status is read, so that any status counts for those.
    """
    if workload.status is None:
        return False
    return isinstance(workload, Job | CronJob) or workload.status != WorkloadStatus()
