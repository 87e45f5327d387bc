"""What `kubectl apply` of objects does to a cluster, kind by kind, before controllers act on it."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import msgspec
from msgspec.structs import replace

from kubehop.model.addresses import canonical
from kubehop.model.cluster import sort_key
from kubehop.model.errors import UsageError
from kubehop.model.inventory import Inventory
from kubehop.model.meta import Object
from kubehop.model.pod import Pod, PodSpec
from kubehop.model.workloads import CronJob, Workload
from kubehop.workload import owners
from kubehop.workload.following.nodes import nodes_applied
from kubehop.workload.following.services import services_applied
from kubehop.workload.following.state import Turn
from kubehop.workload.following.workloads import Workloads

IMMUTABLE: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("selector",),
    "ReplicaSet": ("selector",),
    "DaemonSet": ("selector",),
    "StatefulSet": ("selector", "service_name"),
    "Job": ("selector", "template", "completions"),
}
"""Fields of a workload's spec that no update changes (`pkg/apis/{apps,batch}/validation`)."""
ROLLED = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds that replace their pods when the template changes."""
DEFAULT_DNS_POLICY = "ClusterFirst"
ADDED_BY_ADMISSION = ("node_name", "tolerations", "hostname", "subdomain")
"""Fields of a pod that others may have set since; the first is compared by itself."""


def objects_applied(turn: Turn, inventory: Inventory) -> Turn:
    """The turn with the objects of `inventory` that are new or not as they were given."""
    for kind, apply in APPLY.items():
        known = {sort_key(obj): obj for obj in turn.inventory.objects.get(kind, ())}
        new = [o for o in inventory.objects.get(kind, ()) if known.get(sort_key(o)) != o]
        if new:
            turn = apply(turn, new)
    return turn


def _taken(turn: Turn, objects: Iterable[Object]) -> Turn:
    """Kinds that are taken as they are, and stand in the cluster."""
    found = tuple(objects)
    return turn.given(found).standing(found)


def _given(turn: Turn, objects: Iterable[Object]) -> Turn:
    """Kinds that only controllers look at."""
    return turn.given(objects)


def _workloads(turn: Turn, objects: Iterable[Workload | CronJob]) -> Turn:
    """Workloads, whose controllers are to look at them; a new template renews all their pods.

    Replicas that are left open stay. Raises UsageError for a field that may not change.
    """
    new = tuple(objects)
    known = Workloads.of(turn)
    turn = turn.given(_updated(known.get(owners.key(obj)), obj) for obj in new)
    parents = owners.parents(turn.inventory)
    keys = {owners.key(obj): obj for obj in new}
    renewed = {
        key
        for key, obj in keys.items()
        if key[0] in ROLLED and (old := known.get(key)) and not _same_template(old, obj)
    }
    turn = dataclasses.replace(turn, renewed=turn.renewed | renewed)
    return turn.touching(*(parents.get(key, key) for key in keys))


def _updated(old: Workload | CronJob | None, new: Workload | CronJob) -> Workload | CronJob:
    if not isinstance(old, Workload) or not isinstance(new, Workload):
        return new
    for field in IMMUTABLE.get(type(new).__name__, ()):
        before, after = getattr(old.spec, field), getattr(new.spec, field)
        if before is not None and after is not None and _told(before) != _told(after):
            _refuse(new, f"spec.{_encoded(type(new.spec), field)}", "may not change")
    if new.spec.replicas is None:
        return replace(new, spec=replace(new.spec, replicas=old.spec.replicas))
    return new


def _same_template(old: Workload | CronJob, new: Workload | CronJob) -> bool:
    if isinstance(old, CronJob) or isinstance(new, CronJob):
        return True
    one, other = old.spec.template, new.spec.template
    return one.labels == other.labels and _pod_told(one.spec) == _pod_told(other.spec)


def _pods(turn: Turn, objects: Iterable[Pod]) -> Turn:
    """Pods given by themselves: new ones are placed, one that was observed is as it says.

    Of one that stands only labels and annotations may change. Raises UsageError for the rest,
    and for an address that another pod has.
    """
    new = tuple(objects)
    made = [_pod_updated(turn.cluster.pod(*sort_key(pod)), pod) for pod in new]
    turn = turn.given(new).standing(made)
    _refuse_taken(turn, made)
    known = Workloads.of(turn)
    deciders = (known.decider(pod) for pod in made)
    return turn.touching(*(key for key in deciders if key and key in known.given))


def _pod_updated(old: Pod | None, new: Pod) -> Pod:
    if old is None or new.phase or new.addresses:
        return new
    if new.spec.node_name not in (None, "", old.spec.node_name):
        _refuse(new, "spec.nodeName", f"may not change from {old.node_name or 'none'}")
    before, after = _pod_told(old.spec), _pod_told(new.spec)
    for field in (*before, *after):
        if before.get(field) != after.get(field):
            _refuse(new, f"spec.{field}", "a pod may not change it: delete the pod first")
    metadata = replace(
        new.metadata,
        owner_references=new.metadata.owner_references or old.metadata.owner_references,
        deletion_timestamp=old.metadata.deletion_timestamp,
    )
    return replace(old, metadata=metadata)


def _pod_told(spec: PodSpec) -> dict[str, Any]:
    """What a pod's spec says for itself, defaults and empty fields left out."""
    bare = replace(spec, **dict.fromkeys(ADDED_BY_ADMISSION))
    told: dict[str, Any] = _told(bare)
    if told.get("dnsPolicy") == DEFAULT_DNS_POLICY:
        del told["dnsPolicy"]
    for container in (*told.get("containers", ()), *told.get("initContainers", ())):
        for port in container.get("ports", ()):
            if spec.host_network and port.get("hostPort") == port["containerPort"]:
                del port["hostPort"]
    return told


def _told(value: Any) -> Any:
    """As JSON, without what says nothing."""
    return _without_nothing(msgspec.to_builtins(value))


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_nothing(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, "", False, {}, [])}
    if isinstance(value, list | tuple):
        return [_without_nothing(each) for each in value]
    return value


def _refuse_taken(turn: Turn, made: Iterable[Pod]) -> None:
    """Two pods, or a pod and a node, never have one address."""
    own = [pod for pod in made if pod.addresses and not pod.host_network and not pod.finished]
    if not own:
        return
    had = {canonical(ip): n.reference for n in turn.cluster.nodes for ip in n.internal_ips}
    new = {sort_key(pod) for pod in own}
    standing = [pod for pod in turn.cluster.pods if sort_key(pod) not in new]
    for pod in (*standing, *own):
        if pod.host_network or pod.finished:
            continue
        for ip in map(canonical, pod.addresses):
            holder = had.setdefault(ip, pod.reference)
            if holder != pod.reference and sort_key(pod) in new:
                _refuse(pod, "status.podIPs", f"{ip} is that of {holder}")


def _encoded(struct: type[msgspec.Struct], field: str) -> str:
    """A field as JSON has it."""
    return struct.__struct_encode_fields__[struct.__struct_fields__.index(field)]


def _refuse(found: Object, field: str, why: str) -> NoReturn:
    raise UsageError(f"{found.reference}: {field}: {why}")


Apply = Callable[[Turn, Any], Turn]

APPLY: Mapping[str, Apply] = {
    "Namespace": _taken,
    "Node": nodes_applied,
    "ServiceCIDR": _given,
    "ConfigMap": _taken,
    "NetworkPolicy": _taken,
    "Endpoints": _given,
    "Service": services_applied,
    "EndpointSlice": _taken,
    "Deployment": _workloads,
    "ReplicaSet": _workloads,
    "StatefulSet": _workloads,
    "DaemonSet": _workloads,
    "Job": _workloads,
    "CronJob": _workloads,
    "Pod": _pods,
}
"""In this order, in which each kind needs only those before it."""
