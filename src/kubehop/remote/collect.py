"""One Job on each node, and what they print as one stream of JSON lines."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import msgspec

from kubehop.live.api import FORBIDDEN, NOT_FOUND, Refused
from kubehop.model.errors import ClusterError, KubehopError
from kubehop.remote.manifest import CONTAINER, RULES, RUN_LABEL, Settings, job, job_name
from kubehop.remote.nodes import listed
from kubehop.remote.pods import Metadata, Pod
from kubehop.remote.requests import CONFLICT, Remote, core, path
from kubehop.remote.rights import MissingRightsError, Need
from kubehop.remote.stream import Line, checked

_JOB_NAME = ("batch.kubernetes.io/job-name", "job-name")
_STUCK = frozenset({"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
                    "CreateContainerConfigError", "CreateContainerError"})  # fmt: skip
Progress = Callable[[int, int], None]
Shield = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class CollectLimits:
    """In seconds: between looks, how long a Job may be without a pod, how long past its deadline
    it is waited for. `node_bytes` is what one node may print."""

    poll_seconds: float = 1
    podless_seconds: float = 20
    grace_seconds: float = 15
    node_bytes: int = 64 << 20


DEFAULT = CollectLimits()


@dataclass(frozen=True, slots=True)
class Failure:
    """A node from which not all came, and why."""

    node: str
    why: str


class _Condition(msgspec.Struct, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class _JobStatus(msgspec.Struct, frozen=True):
    conditions: tuple[_Condition, ...] | None = None


class _Job(msgspec.Struct, frozen=True):
    metadata: Metadata = Metadata()
    status: _JobStatus = _JobStatus()


def collect_needs(namespace: str) -> tuple[Need, ...]:
    """All rights that a run uses, those on nodes too."""
    return tuple(
        Need(verb, resource, "" if resource == "nodes" else namespace, group)
        for group, resource, verbs in RULES
        for verb in verbs
    )


class Run:
    """The Jobs of one run. `remove` must be called at the end, whatever happened."""

    def __init__(
        self,
        remote: Remote,
        settings: Settings,
        shield: Shield = nullcontext,
        limits: CollectLimits = DEFAULT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`shield` is entered around every request that makes a Job."""
        self._remote, self._settings, self._shield = remote, settings, shield
        self._limits, self._clock = limits, clock
        self._made: list[str] = []

    def lines(self, nodes: Sequence[str], progress: Progress) -> Iterator[Line | Failure]:
        """What the nodes print, as they finish, and a Failure for each that does not.

        Raises MissingRightsError or ClusterError when no Job can be made at all.
        """
        waiting: dict[str, str] = {}
        for node in nodes:
            failed = self._create(node)
            if failed:
                yield failed
            else:
                waiting[job_name(node, self._settings.run)] = node
        start = self._clock()
        while waiting:
            progress(len(nodes) - len(waiting), len(nodes))
            for name, outcome in self._finished(waiting, self._clock() - start):
                node = waiting.pop(name)
                if isinstance(outcome, Pod):
                    yield from self._printed(node, outcome)
                else:
                    yield Failure(node, outcome)
            if waiting:
                self._remote.sleep(self._limits.poll_seconds)

    def _create(self, node: str) -> Failure | None:
        """Its name is noted first: a request that breaks off may have been obeyed."""
        namespace = self._settings.namespace
        self._made.append(job_name(node, self._settings.run))
        with self._shield():
            answer = self._remote.send("POST", _jobs(namespace), job(node, self._settings))
        if not isinstance(answer, Refused) or answer.status == CONFLICT:
            return None
        if answer.status == NOT_FOUND:
            raise ClusterError(
                f"namespace {namespace} is not there: kubectl apply -f deploy/collect.yaml, "
                f"or name another with --namespace"
            )
        if answer.status == FORBIDDEN and "forbidden: User" in answer.message:
            need = Need("create", "jobs", namespace, "batch")
            raise MissingRightsError(f"create Job: {answer.message}", (need,))
        return Failure(node, f"the Job is refused: {answer.message}")

    def _finished(self, waiting: dict[str, str], seconds: float) -> Iterator[tuple[str, Pod | str]]:
        """Jobs that are over: with their pod, or why there is nothing to read."""
        selector = {"labelSelector": f"{RUN_LABEL}={self._settings.run}"}
        namespace = ("namespaces", self._settings.namespace)
        every = listed(self._remote, ("api", "v1", *namespace, "pods"), selector, Pod)
        pods = {_job_of(pod): pod for pod in every}
        batch = ("apis", "batch", "v1", *namespace, "jobs")
        jobs = {each.metadata.name: each for each in listed(self._remote, batch, selector, _Job)}
        for name in tuple(waiting):
            outcome = self._outcome(pods.get(name), jobs.get(name), seconds)
            if outcome is not None:
                yield name, outcome

    def _outcome(self, pod: Pod | None, job: _Job | None, seconds: float) -> Pod | str | None:
        """1. The pod ended. 2. The Job failed, and its pod is gone. 3. It cannot start. 4. Time."""
        if pod is not None and pod.status.phase in ("Succeeded", "Failed"):
            return pod
        failed = _failed(job)
        if failed:
            return f"{failed}; {_stuck(pod)}" if _stuck(pod) else failed
        if pod is not None and any(_stuck(pod).startswith(each) for each in _STUCK):
            return _stuck(pod)
        if job is None and seconds > self._limits.podless_seconds:
            return "the Job is gone: somebody else deleted it"
        if pod is None and seconds > self._limits.podless_seconds:
            account = self._settings.service_account
            return (
                f"no pod was made for the Job: is ServiceAccount {account} there, is a quota full?"
            )
        if seconds > self._settings.seconds + self._limits.grace_seconds:
            return f"not finished after {seconds:.0f} s; {_stuck(pod) or 'the pod runs'}"
        return None

    def _printed(self, node: str, pod: Pod) -> Iterator[Line | Failure]:
        where = core(
            self._settings.namespace, "pods", pod.metadata.name, "log", container=CONTAINER
        )
        try:
            yield from checked(self._remote.chunks(where, self._limits.node_bytes), node)
        except KubehopError as error:
            ended = _ending(pod)
            yield Failure(node, f"{ended}: {error}" if ended else str(error))
            return
        if pod.status.phase == "Failed":
            yield Failure(node, _ending(pod) or "the Job's pod failed")

    def remove(self) -> tuple[str, ...]:
        """Delete every Job that this run made or may have made; what could not be deleted.

        Their pods go with them. To be called once, at the end.
        """
        left = [name for name in self._made if not self._deleted(name)]
        if self._made:
            left += [name for name in self._leftover() if not self._deleted(name)]
        return tuple(dict.fromkeys(left))

    def _deleted(self, name: str) -> bool:
        where = _jobs(self._settings.namespace, name, propagationPolicy="Background")
        try:
            answer = self._remote.send("DELETE", where)
        except KubehopError:
            return False
        return not isinstance(answer, Refused) or answer.status == NOT_FOUND

    def _leftover(self) -> tuple[str, ...]:
        """Made by a request of which the answer never came, after its name was deleted."""
        parts = ("apis", "batch", "v1", "namespaces", self._settings.namespace, "jobs")
        selector = {"labelSelector": f"{RUN_LABEL}={self._settings.run}"}
        try:
            found = [each.metadata for each in listed(self._remote, parts, selector, _Job)]
        except KubehopError:
            return ()  # each has been deleted by its name
        return tuple(each.name for each in found if each.deletion_timestamp is None)


def _jobs(namespace: str, *parts: str, **query: str | int) -> str:
    return path("apis", "batch", "v1", "namespaces", namespace, "jobs", *parts, **query)


def _job_of(pod: Pod) -> str:
    labels = pod.metadata.labels or {}
    return next((labels[label] for label in _JOB_NAME if label in labels), "")


def _failed(job: _Job | None) -> str:
    conditions = (job.status.conditions if job else None) or ()
    failed = [each for each in conditions if (each.type, each.status) == ("Failed", "True")]
    return " ".join(f"{each.reason}: {each.message}" for each in failed)


def _stuck(pod: Pod | None) -> str:
    """Why its container does not run yet, or ""."""
    for each in (pod.status.container_statuses if pod else None) or ():
        if each.state.waiting is not None:
            return f"{each.state.waiting.reason}: {each.state.waiting.message}".rstrip(": ")
    return ""


def _ending(pod: Pod) -> str:
    for each in pod.status.container_statuses or ():
        ended = each.state.terminated
        if ended is not None and ended.exit_code != 0:
            why = ended.message or ended.reason
            return f"exit code {ended.exit_code}" + (f" ({why})" if why else "")
    return " ".join(filter(None, (pod.status.reason, pod.status.message)))
