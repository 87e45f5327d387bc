"""Who made a pod: from pods up to the workloads that own them."""

import re
from collections.abc import Mapping

from kubehop.model.inventory import Inventory
from kubehop.model.meta import Object
from kubehop.model.pod import Pod
from kubehop.model.workloads import Job, ReplicaSet

Key = tuple[str, str, str]
"""Kind, namespace and name of an object."""

HASH_LABEL = "pod-template-hash"
CRON_JOB_RUN = re.compile(r"(?P<name>.+)-\d+")


def key(obj: Object) -> Key:
    """The key of an object."""
    return type(obj).__name__, obj.namespace, obj.name


def controller(obj: Object) -> Key | None:
    """The key of the object that manages `obj`, if its metadata names one."""
    for owner in obj.metadata.owner_references or ():
        if owner.controller:
            return owner.kind, obj.namespace, owner.name
    return None


def parents(inventory: Inventory) -> dict[Key, Key]:
    """Of each ReplicaSet and Job that another workload manages, that workload."""
    middle = (*inventory.of(ReplicaSet), *inventory.of(Job))
    return {key(obj): parent for obj in middle if (parent := controller(obj))}


def lineage(pod: Pod, parents: Mapping[Key, Key]) -> tuple[Key, ...]:
    """The workloads above a pod, nearest first, as far as objects or names tell."""
    direct = controller(pod) or _named_replica_set(pod)
    if not direct:
        return ()
    above = parents.get(direct) or _named_parent(direct, pod)
    return (direct, above) if above else (direct,)


def owning(inventory: Inventory) -> frozenset[Key]:
    """All workloads, direct or not, that have at least one pod in the inventory."""
    known = parents(inventory)
    return frozenset(found for pod in inventory.of(Pod) for found in lineage(pod, known))


def _named_replica_set(pod: Pod) -> Key | None:
    """A pod whose owner was stripped still has the name that its ReplicaSet gave it."""
    if HASH_LABEL not in pod.labels:
        return None
    return "ReplicaSet", pod.namespace, pod.name.rpartition("-")[0]


def _named_parent(direct: Key, pod: Pod) -> Key | None:
    """The Deployment or CronJob of a ReplicaSet or Job that is not in the input itself."""
    kind, namespace, name = direct
    if kind == "ReplicaSet":
        suffix = f"-{pod.labels.get(HASH_LABEL, '')}"
        return ("Deployment", namespace, name.removesuffix(suffix)) if len(suffix) > 1 else None
    run = CRON_JOB_RUN.fullmatch(name) if kind == "Job" else None
    return ("CronJob", namespace, run["name"]) if run else None
