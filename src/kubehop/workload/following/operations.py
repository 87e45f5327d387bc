"""What people do to a cluster that lives: each gives the next one."""

import dataclasses
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from msgspec.structs import replace as replace_value

from kubehop.model.errors import UsageError
from kubehop.model.inventory import Inventory
from kubehop.model.pod import Condition, Pod, PodStatus
from kubehop.model.workloads import Deployment, ReplicaSet, StatefulSet, Workload
from kubehop.workload import owners, say
from kubehop.workload.complete import DEFAULTS, complete
from kubehop.workload.following.applying import objects_applied
from kubehop.workload.following.removing import check_there, removed
from kubehop.workload.following.settle import settled
from kubehop.workload.following.slices import unlike
from kubehop.workload.following.state import Following, Turn
from kubehop.workload.following.workloads import Workloads
from kubehop.workload.options import Options
from kubehop.workload.owners import Key

SCALED = (Deployment, ReplicaSet, StatefulSet)
WORDS = ("ready", "not-ready", "terminating")
Word = Literal["ready", "not-ready", "terminating"]
DELETED_AT = "2000-01-01T00:00:00Z"
"""The deletionTimestamp of pods that are set terminating: that there is one is all that counts."""


def start(inventory: Inventory, options: Options = DEFAULTS) -> Following:
    """The cluster that `complete` makes, ready to be changed.

    Observed EndpointSlices stand as they are; an assumption names Services of which they are
    not what the pods would give. Raises UsageError and InputError as `complete` does.
    """
    cluster = complete(inventory, options)
    other = unlike(cluster, inventory)
    if other:
        line = "EndpointSlices not as the pods would give them, until something changes: {}"
        said = (*cluster.assumptions, line.format(say.some([s.reference for s in other])))
        cluster = dataclasses.replace(cluster, assumptions=said)
    return Following(inventory, options, cluster, cluster.assumptions)


def applied(following: Following, inventory: Inventory) -> Following:
    """With these objects applied, as `kubectl apply` does: new, or instead of those of their name.

    An object that is as it was given changes nothing. What the API server allocated and an
    object leaves open stays. Raises UsageError, with object and field, for what the API server
    refuses: an immutable field that changes, an address or a node port that is taken.
    """
    turn = objects_applied(Turn.of(following), inventory)
    unknown = tuple(dict.fromkeys((*turn.inventory.unknown, *inventory.unknown)))
    ignored = {**turn.inventory.ignored, **inventory.ignored}
    given = replace(turn.inventory, unknown=unknown, ignored=ignored)
    return settled(replace(turn.having(unknown=unknown, ignored=ignored), inventory=given))


def deleted(following: Following, keys: Iterable[Key]) -> Following:
    """Without the objects of these keys (kind, namespace or "", name), as `kubectl delete` does.

    Workloads take their pods with them, Services the slices that controllers made, namespaces
    all that is in them, nodes the pods on them; a workload's pod is replaced by a new one.
    Raises UsageError, with near names, for what is not there.
    """
    return settled(removed(Turn.of(following), keys))


def scaled(following: Following, kind: str, namespace: str, name: str, replicas: int) -> Following:
    """With so many replicas of a Deployment, ReplicaSet or StatefulSet.

    Fewer: a StatefulSet loses its highest ordinals; the others first pods without a node, then
    Pending ones, then those not ready, then those on nodes with the most, then the newest.
    Raises UsageError for what is not there or cannot be scaled.
    """
    turn, key = Turn.of(following), (kind, namespace, name)
    _check_scale(turn, key, replicas)
    found = Workloads.of(turn).get(key)
    if not isinstance(found, Workload):
        raise UsageError(f"{kind} {namespace}/{name} is known only by its name")
    spec = replace_value(found.spec, replicas=replicas)
    return settled(turn.given((replace_value(found, spec=spec),)).touching(key))


def _check_scale(turn: Turn, key: Key, replicas: int) -> None:
    kind, namespace, name = key
    check_there(turn, key)
    kinds = [each.__name__ for each in SCALED]
    if kind not in kinds:
        raise UsageError(f"a {kind} cannot be scaled, only {', '.join(kinds)}")
    if replicas < 0:
        raise UsageError(f"{kind} {namespace}/{name}: replicas may not be negative: {replicas}")
    above = owners.parents(turn.inventory).get(key)
    if above and above in Workloads.of(turn).given:
        raise UsageError(
            f"{kind} {namespace}/{name} is managed by {above[0]} {above[2]}: scale that"
        )


def conditioned(
    following: Following, namespace: str, pod: str, word: str, at: str = DELETED_AT
) -> Following:
    """With a pod set `ready`, `not-ready` or `terminating`; EndpointSlices and workloads follow.

    The first two set its Ready condition. A terminating pod has the deletionTimestamp `at` and
    stays as ready as it is until it is deleted; a ReplicaSet does not count it and makes another.
    Raises UsageError for another word, an unknown pod, or a pod that does not run.
    """
    if word not in WORDS:
        raise UsageError(f"no condition {word!r}: one of {', '.join(WORDS)}")
    turn = Turn.of(following)
    check_there(turn, ("Pod", namespace, pod))
    found = turn.cluster.pod(namespace, pod)
    assert found is not None
    if word == "terminating":
        return settled(_terminating(turn, found, at))
    if not found.addresses or found.phase != "Running":
        raise UsageError(
            f"{found.reference} is {found.phase or 'Pending'}: only a running pod can be {word}"
        )
    return settled(turn.standing((_with_ready(found, word == "ready"),)))


def _terminating(turn: Turn, pod: Pod, at: str) -> Turn:
    decider = Workloads.of(turn).decider(pod)
    metadata = replace_value(pod.metadata, deletion_timestamp=pod.metadata.deletion_timestamp or at)
    turn = turn.standing((replace_value(pod, metadata=metadata),))
    return turn.touching(decider) if decider and not pod.finished else turn


def _with_ready(pod: Pod, ready: bool) -> Pod:
    status = pod.status or PodStatus()
    others = tuple(c for c in status.conditions or () if c.type != "Ready")
    conditions = (*others, Condition("Ready", str(ready)))
    return replace_value(pod, status=replace_value(status, conditions=conditions))
