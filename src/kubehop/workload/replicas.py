"""The pods of one workload, as its controller would make them."""

import itertools
from collections.abc import Iterable, Iterator, Sequence, Set

from msgspec.structs import replace

from kubehop.model.errors import InputError
from kubehop.model.meta import Labels, Object, ObjectMeta, OwnerReference
from kubehop.model.node import Node
from kubehop.model.pod import Pod, PodSpec, Toleration
from kubehop.model.workloads import (
    CronJob,
    DaemonSet,
    Job,
    StatefulSet,
    Workload,
    WorkloadSpec,
)
from kubehop.workload.fit import UNSCHEDULABLE, admitted

Name = tuple[str, str]
"""Namespace and name."""

MOST = 150_000
"""Pods of a whole cluster that Kubernetes is made for: setup/best-practices/cluster-large."""

DAEMON_TOLERATES = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    (UNSCHEDULABLE.key, UNSCHEDULABLE.effect),
)
DAEMON_NETWORK = (("node.kubernetes.io/network-unavailable", "NoSchedule"),)
"""Only for DaemonSets in the host network."""


def pods_of(
    workload: Workload | CronJob, nodes: Sequence[Node], taken: Set[Name] = frozenset()
) -> list[Pod]:
    """The pods a workload would make on these nodes, none with a name of `taken`.

    They have no status, and only those of a DaemonSet have a node. Raises InputError for more
    than `MOST`.
    """
    if isinstance(workload, DaemonSet):
        return list(_pods_of_daemon_set(workload, nodes, taken))
    if isinstance(workload, CronJob):
        spec = workload.spec.job_template.spec
        number = 0 if workload.spec.suspend else _parallel(spec)
    elif isinstance(workload, Job):
        spec, number = workload.spec, _parallel(workload.spec)
    else:
        spec = workload.spec
        number = 1 if spec.replicas is None else spec.replicas
    first = 1
    if isinstance(workload, StatefulSet):
        first = spec.ordinals.start if spec.ordinals else 0
    if number > MOST:
        raise InputError(
            f"{number} pods are more than a cluster may have ({MOST})",
            object=workload.reference,
            field="spec.parallelism" if isinstance(workload, Job | CronJob) else "spec.replicas",
        )
    names = _free_names(workload, (str(n) for n in itertools.count(first)), taken)
    return [_pod(workload, spec, name) for name in itertools.islice(names, number)]


def _parallel(spec: WorkloadSpec) -> int:
    """How many pods of a Job run at a time; none while it is suspended."""
    if spec.suspend:
        return 0
    parallelism = 1 if spec.parallelism is None else spec.parallelism
    return parallelism if spec.completions is None else min(parallelism, spec.completions)


def _pods_of_daemon_set(
    workload: DaemonSet, nodes: Sequence[Node], taken: Set[Name]
) -> Iterator[Pod]:
    spec = daemon_spec(workload)
    for node in admitted(spec, nodes)[0]:
        suffixes = itertools.chain([node.name], (f"{node.name}-{n}" for n in itertools.count(2)))
        pod = _pod(workload, workload.spec, next(_free_names(workload, suffixes, taken)))
        yield replace(pod, spec=replace(spec, node_name=node.name))


def refusal(workload: DaemonSet, nodes: Sequence[Node]) -> str:
    """Why no node runs a pod of the DaemonSet."""
    return admitted(daemon_spec(workload), nodes)[1]


def daemon_spec(workload: DaemonSet) -> PodSpec:
    """The spec that the DaemonSet's pods get: its template's, tolerating what all of them do."""
    spec = workload.spec.template.spec
    return replace(spec, tolerations=_daemon_tolerations(workload))


def _daemon_tolerations(workload: DaemonSet) -> tuple[Toleration, ...]:
    """What the DaemonSet controller adds (`pkg/controller/daemon/util/daemonset_util.go`)."""
    spec = workload.spec.template.spec
    network = DAEMON_NETWORK if spec.host_network else ()
    added = tuple(
        Toleration(key=key, operator="Exists", effect=effect)
        for key, effect in (*DAEMON_TOLERATES, *network)
    )
    return (*(spec.tolerations or ()), *added)


def _free_names(workload: Object, suffixes: Iterable[str], taken: Set[Name]) -> Iterator[str]:
    for suffix in suffixes:
        name = f"{workload.name}-{suffix}"
        if (workload.namespace, name) not in taken:
            yield name


def _pod(workload: Object, spec: WorkloadSpec, name: str) -> Pod:
    kind = type(workload).__name__
    metadata = ObjectMeta(
        name=name,
        namespace=workload.metadata.namespace,
        labels=spec.template.labels | _added_labels(workload, name),
        owner_references=(OwnerReference(kind, workload.name, controller=True),),
    )
    if isinstance(workload, StatefulSet):
        return Pod(metadata=metadata, spec=_named(spec.template.spec, name, spec.service_name))
    return Pod(metadata=metadata, spec=spec.template.spec)


def _named(spec: PodSpec, name: str, service: str | None) -> PodSpec:
    """A StatefulSet's pod has a stable hostname in the domain of its governing Service."""
    return replace(spec, hostname=name, subdomain=service or spec.subdomain)


def _added_labels(workload: Object, name: str) -> Labels:
    """Labels that controllers add and Services select by; hashes and UIDs are left out."""
    match workload:
        case StatefulSet():
            ordinal = name.rpartition("-")[2]
            return {
                "statefulset.kubernetes.io/pod-name": name,
                "apps.kubernetes.io/pod-index": ordinal,
            }
        case Job():
            return {"job-name": workload.name, "batch.kubernetes.io/job-name": workload.name}
        case _:
            return {}
