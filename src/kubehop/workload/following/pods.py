"""Pods of the workloads that a change touches: made, kept and removed as controllers do.

Sources: `pkg/controller/replicaset/replica_set.go`, `pkg/controller/controller_utils.go`
(ActivePodsWithRanks), `pkg/controller/statefulset`, `pkg/controller/daemon`, `pkg/controller/job`.
Rolling updates are taken at their end: how many pods there are on the way is not followed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from kubehop.model.cluster import sort_key
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.workloads import (
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    Ordinals,
    ReplicaSet,
    StatefulSet,
    Workload,
    WorkloadSpec,
)
from kubehop.workload.fit import KEEPING_OUT, admitted
from kubehop.workload.following.state import Name, Turn
from kubehop.workload.following.workloads import Workloads, active
from kubehop.workload.replicas import daemon_spec, pods_of, refusal

_PHASES = ("Pending", "Unknown", "Running")
_NUMBER = re.compile(r"(\d+)$")


@dataclass(frozen=True, slots=True)
class Crew:
    """A workload, its pods, and what its controller looks at besides.

    `present` are the names of all pods there are; `taken` also those of pods just gone, which
    no new pod with a name of its own gets.
    """

    workload: Workload | CronJob
    pods: Sequence[Pod]
    nodes: Sequence[Node]
    present: Set[Name]
    taken: Set[Name]
    renewed: bool
    maker: Workload | CronJob


@dataclass(frozen=True, slots=True)
class Decision:
    """The pods that go and those that come; those without status are still to be placed."""

    gone: Sequence[Pod] = ()
    made: Sequence[Pod] = ()


def pods_step(turn: Turn) -> Turn:
    """Each touched workload has the pods that it asks for."""
    keys = turn.touched | turn.renewed
    if not keys:
        return turn
    workloads = Workloads.of(turn)
    present = {sort_key(pod): pod for pod in turn.cluster.pods}
    taken = {*present, *map(sort_key, turn.before.cluster.pods)}
    lines: list[str] = []
    for key in sorted(keys):
        workload = workloads.get(key)
        if workload is None:
            continue
        pods = [pod for pod in workloads.pods(key) if sort_key(pod) in present]
        crew = Crew(
            workload=workload,
            pods=pods,
            nodes=turn.cluster.nodes,
            present=present.keys(),
            taken=taken,
            renewed=key in turn.renewed,
            maker=workload if key in turn.renewed else workloads.maker(key, pods) or workload,
        )
        decision = CONTROLLERS[type(workload)](crew)
        lines += _lines(crew, decision)
        _apply(decision, present, taken)
    standing = tuple(present[name] for name in sorted(present))
    return turn.having(*lines, *workloads.lines(), pods=standing)


def _apply(decision: Decision, present: dict[Name, Pod], taken: set[Name]) -> None:
    for pod in decision.gone:
        del present[sort_key(pod)]
    for pod in decision.made:
        present[sort_key(pod)] = pod
        taken.add(sort_key(pod))


def _lines(crew: Crew, decision: Decision) -> Iterable[str]:
    workload = crew.workload
    if isinstance(workload, DaemonSet) and not decision.made and not crew.pods:
        yield f"no pod of {workload.reference}: {refusal(workload, crew.nodes)}"


def _replicated(crew: Crew) -> Decision:
    """A ReplicaSet: as many active pods as replicas; those that end do not count."""
    running = [pod for pod in crew.pods if active(pod)]
    wanted = _replicas(crew.workload)
    surplus = max(0, len(running) - wanted)
    gone = running if crew.renewed else by_preference(running)[:surplus]
    return Decision(gone, _made(crew, wanted - (len(running) - len(gone))))


def _replicas(workload: Workload | CronJob) -> int:
    replicas = workload.spec.replicas if isinstance(workload, Workload) else None
    return 1 if replicas is None else replicas


def by_preference(pods: Iterable[Pod]) -> list[Pod]:
    """Pods of one owner in the order in which a ReplicaSet removes them.

    Without a node first, then Pending, then not ready, then those on nodes with the most of
    them; the newest first, which are those with the highest number.
    """
    newest = sorted(pods, key=lambda pod: (_number(pod), pod.name), reverse=True)
    together = Counter(pod.node_name for pod in newest)
    return sorted(
        newest,
        key=lambda pod: (bool(pod.node_name), _phase(pod), pod.ready, -together[pod.node_name]),
    )


def _phase(pod: Pod) -> int:
    return _PHASES.index(pod.phase) if pod.phase in _PHASES else 0


def _number(pod: Pod) -> int:
    found = _NUMBER.search(pod.name)
    return int(found[1]) if found else -1


def _made(crew: Crew, number: int) -> list[Pod]:
    """New pods with names that are free, from what makes pods for the workload."""
    maker = crew.maker
    if number < 1:
        return []
    if isinstance(maker, CronJob):
        job = _parallel(maker.spec.job_template.spec, number)
        spec = replace(maker.spec, job_template=replace(maker.spec.job_template, spec=job))
        return pods_of(replace(maker, spec=replace(spec, suspend=None)), crew.nodes, crew.taken)
    counted = _parallel(maker.spec, number)
    return pods_of(replace(maker, spec=counted), crew.nodes, crew.taken)


def _parallel(spec: WorkloadSpec, number: int) -> WorkloadSpec:
    return replace(spec, replicas=number, parallelism=number, completions=None, suspend=None)


def _stateful(crew: Crew) -> Decision:
    """A pod for each ordinal, under its own name; one that ends still holds its name."""
    workload = crew.workload
    assert isinstance(workload, StatefulSet)
    first = workload.spec.ordinals.start if workload.spec.ordinals else 0
    wanted = {f"{workload.name}-{first + n}": first + n for n in range(_replicas(workload))}
    gone = [
        pod
        for pod in crew.pods
        if pod.finished or (not pod.terminating and (crew.renewed or pod.name not in wanted))
    ]
    held = crew.present - {sort_key(pod) for pod in gone}
    missing = [n for name, n in wanted.items() if (workload.namespace, name) not in held]
    return Decision(gone, [_ordinal(workload, number) for number in missing])


def _ordinal(workload: StatefulSet, number: int) -> Pod:
    spec = replace(workload.spec, ordinals=Ordinals(number), replicas=1)
    return pods_of(replace(workload, spec=spec), ())[0]


def _daemons(crew: Crew) -> Decision:
    """One pod on each node that admits it; it stays where a NoSchedule taint came later."""
    workload = crew.workload
    assert isinstance(workload, DaemonSet)
    spec = daemon_spec(workload)
    allowed = {node.name for node in admitted(spec, [_untainted(node) for node in crew.nodes])[0]}
    kept: dict[str, Pod] = {}
    for pod in sorted(crew.pods, key=lambda pod: (pod.terminating, pod.name)):
        stays = pod.terminating or not (pod.finished or crew.renewed)
        if pod.node_name in allowed and stays:
            kept.setdefault(pod.node_name, pod)
    gone = [pod for pod in crew.pods if pod not in kept.values() and not pod.terminating]
    lacking = [node for node in crew.nodes if node.name not in kept]
    return Decision(gone, pods_of(workload, lacking, crew.taken))


def _untainted(node: Node) -> Node:
    if node.spec is None:
        return node
    staying = tuple(t for t in node.spec.taints or () if t.effect == KEEPING_OUT[1])
    return replace(node, spec=replace(node.spec, taints=staying, unschedulable=None))


def _jobs(crew: Crew) -> Decision:
    """As many as may run at a time, and no more than are still to succeed."""
    workload = crew.workload
    running = [pod for pod in crew.pods if active(pod)]
    if isinstance(workload, CronJob):
        spec, idle = workload.spec.job_template.spec, bool(workload.spec.suspend)
        if idle:
            return Decision()
    else:
        spec = workload.spec
    succeeded = sum(pod.phase == "Succeeded" for pod in crew.pods)
    wanted = _still_wanted(spec, succeeded)
    gone = by_preference(running)[: max(0, len(running) - wanted)]
    return Decision(gone, _made(crew, wanted - len(running)))


def _still_wanted(spec: WorkloadSpec, succeeded: int) -> int:
    parallelism = 1 if spec.parallelism is None else spec.parallelism
    if spec.suspend:
        return 0
    if spec.completions is None:
        return 0 if succeeded else parallelism
    return max(0, min(parallelism, spec.completions - succeeded))


CONTROLLERS: Mapping[type[Any], Callable[[Crew], Decision]] = {
    Deployment: _replicated,
    ReplicaSet: _replicated,
    StatefulSet: _stateful,
    DaemonSet: _daemons,
    Job: _jobs,
    CronJob: _jobs,
}
