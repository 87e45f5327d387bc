"""The controllers that make pods."""

from typing import Annotated

import msgspec

from kubehop.model.meta import LabelSelector, Object, Value
from kubehop.model.pod import PodTemplate

Count = Annotated[int, msgspec.Meta(ge=0)]


class WorkloadStatus(Value, frozen=True):
    """Set by a controller: an object that has it was read from a cluster, not written by hand."""

    observed_generation: int | None = None
    replicas: int | None = None


class Ordinals(Value, frozen=True):
    """`spec.ordinals` of a StatefulSet."""

    start: Count = 0


class WorkloadSpec(Value, frozen=True):
    """`spec` of Deployment, ReplicaSet, StatefulSet, DaemonSet and Job alike."""

    template: PodTemplate = PodTemplate()
    selector: LabelSelector | None = None
    replicas: Count | None = None
    parallelism: Count | None = None
    completions: Count | None = None
    suspend: bool | None = None
    service_name: str | None = None
    ordinals: Ordinals | None = None


class Workload(Object, frozen=True):
    """Any of the controllers below."""

    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus | None = None


class Deployment(Workload, frozen=True):
    """A Deployment."""


class ReplicaSet(Workload, frozen=True):
    """A ReplicaSet."""


class StatefulSet(Workload, frozen=True):
    """A StatefulSet."""


class DaemonSet(Workload, frozen=True):
    """A DaemonSet."""


class Job(Workload, frozen=True):
    """A Job."""


class JobTemplate(Value, frozen=True):
    """`spec.jobTemplate` of a CronJob."""

    spec: WorkloadSpec = WorkloadSpec()


class CronJobSpec(Value, frozen=True):
    """`spec` of a CronJob."""

    job_template: JobTemplate = JobTemplate()
    suspend: bool | None = None


class CronJob(Object, frozen=True):
    """A CronJob."""

    spec: CronJobSpec = CronJobSpec()
    status: WorkloadStatus | None = None
