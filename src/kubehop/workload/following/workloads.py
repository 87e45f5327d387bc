"""Workloads and their pods: those that were given, and those that only their pods tell of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from kubehop.model.meta import ObjectMeta, TemplateMeta
from kubehop.model.pod import Pod, PodTemplate
from kubehop.model.workloads import CronJob, DaemonSet, Workload, WorkloadSpec
from kubehop.workload import owners
from kubehop.workload.following.state import Turn
from kubehop.workload.owners import HASH_LABEL, Key
from kubehop.workload.workloads import KINDS

CLASSES = {kind.__name__: kind for kind in KINDS}
DERIVABLE = {name: kind for name, kind in CLASSES.items() if issubclass(kind, Workload)}
"""Kinds of which a template can be told from a pod."""


def active(pod: Pod) -> bool:
    """True if a controller counts it: it has not ended and is not about to."""
    return not pod.finished and not pod.terminating


@dataclass(frozen=True, slots=True)
class Workloads:
    """All workloads of a change by key, with the pods that they had before and have now."""

    given: Mapping[Key, Workload | CronJob]
    parents: Mapping[Key, Key]
    before: Mapping[Key, Sequence[Pod]]
    now: Mapping[Key, Sequence[Pod]]
    _derived: dict[Key, Workload] = field(default_factory=dict)

    @classmethod
    def of(cls, turn: Turn) -> "Workloads":
        """Those of a change."""
        given = {owners.key(obj): obj for kind in KINDS for obj in turn.inventory.of(kind)}
        parents = owners.parents(turn.inventory)
        before, now = turn.before.cluster.pods, turn.cluster.pods
        by_owner = _by_owner(now, given, parents)
        earlier = by_owner if before is now else _by_owner(before, given, parents)
        return cls(given, parents, earlier, by_owner)

    def pods(self, key: Key) -> Sequence[Pod]:
        """The pods whose number the workload decides on."""
        return self.now.get(key, ())

    def known(self) -> set[Key]:
        """All that are given, or have pods."""
        return {*self.given, *self.now, *self.before}

    def decider(self, pod: Pod) -> Key | None:
        """The workload that decides how many such pods there are."""
        return decider(pod, self.given, self.parents)

    def get(self, key: Key) -> Workload | CronJob | None:
        """The workload; one that was not given is told from the pods that it had."""
        found = self.given.get(key) or self._derived.get(key)
        if found is not None:
            return found
        pods = self.before.get(key) or self._below(key)
        made = derived(key, pods) if pods else None
        if made is not None:
            self._derived[key] = made
        return made

    def _below(self, key: Key) -> list[Pod]:
        """The pods of what the workload manages: of a Deployment's ReplicaSets."""
        own = {
            direct
            for direct, pods in self.before.items()
            if any(key in owners.lineage(pod, self.parents) for pod in pods)
        }
        return [pod for direct in sorted(own) for pod in self.before[direct]]

    def maker(self, key: Key, pods: Sequence[Pod]) -> Workload | CronJob | None:
        """What makes pods for a Deployment where its ReplicaSet is known: a pod's own."""
        for pod in pods:
            direct = owners.lineage(pod, self.parents)[0]
            if direct[0] == "ReplicaSet" and direct != key and active(pod):
                return self.given.get(direct) or derived(direct, [pod])
        return None

    def lines(self) -> tuple[str, ...]:
        """What was told from pods, as assumptions."""
        return tuple(
            f"{found.reference} known only from its pods" for found in self._derived.values()
        )


def _by_owner(
    pods: Sequence[Pod], given: Mapping[Key, object], parents: Mapping[Key, Key]
) -> dict[Key, list[Pod]]:
    found: dict[Key, list[Pod]] = {}
    for pod in pods:
        key = decider(pod, given, parents)
        if key:
            found.setdefault(key, []).append(pod)
    return found


def decider(pod: Pod, given: Mapping[Key, object], parents: Mapping[Key, Key]) -> Key | None:
    """The workload that decides how many such pods there are: the highest one that is known."""
    line = owners.lineage(pod, parents)
    return next((key for key in reversed(line) if key in given), line[0] if line else None)


def derived(key: Key, pods: Sequence[Pod]) -> Workload | None:
    """A workload as its pods tell; None for what makes pods otherwise, as a Node does."""
    kind, namespace, name = key
    made = DERIVABLE.get(kind)
    if made is None:
        return None
    model = next(filter(active, pods), pods[0])
    labels = {k: v for k, v in model.labels.items() if kind != "Deployment" or k != HASH_LABEL}
    spec = replace(model.spec, node_name=None)
    if made is DaemonSet:
        spec = replace(spec, affinity=None)  # the controller's own, which names the node
    number = sum(map(active, pods))
    return made(
        metadata=ObjectMeta(name=name, namespace=namespace),
        spec=WorkloadSpec(
            template=PodTemplate(metadata=TemplateMeta(labels=labels), spec=spec),
            replicas=number,
            parallelism=number,
            service_name=model.spec.subdomain,
        ),
    )
