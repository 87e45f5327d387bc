"""One cluster: what is predicted for its lookups against what real programs do in its lab."""

import subprocess
import time
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kubehop.dns.lookup.protocol import Status
from kubehop.dns.settings import DNSSettings
from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.lab import Lab
from kubehop.lab.names_seen import (
    Lookup,
    by_chance,
    differences,
    meets_servfail,
    observed,
    predicted,
)
from kubehop.lab.observe_names import files_there
from kubehop.lab.plan.files import RESOLV_CONF, Texts
from kubehop.lab.plan.public_zone import public_settings
from kubehop.lab.plan.values import Sandbox, node_namespace, pod_namespace
from kubehop.lab.servers.chains import Arrived
from kubehop.model.cluster import Cluster
from kubehop.model.pod import Pod
from kubehop.trace.lookups import Names, Prediction
from kubehop.trace.questions import Origin, pod_origin
from tests.real.clients import CLIENTS, Client, Got, expected

CHOSEN = ("glibc", "musl", "busybox")
LONGEST = 2.5
"""Seconds that a lookup may wait for silence; one that waits longer is not tried."""
PATIENCE, LATE = 25.0, 0.5
TRIES = 3
"""A machine with other things to do may be late, so that a query is sent twice."""


@dataclass(frozen=True)
class Failure:
    """A lookup that went otherwise."""

    pod: str
    client: str
    name: str
    differences: tuple[str, ...]
    resolv_conf: str

    def __str__(self) -> str:
        lines = [f"{self.client} in {self.pod} looks up {self.name}", *self.differences]
        return "\n  ".join((*lines, repr(self.resolv_conf)))


@dataclass
class Count:
    """What was compared in all."""

    clusters: int = 0
    lookups: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    queries: int = 0
    slow: int = 0
    by_chance: int = 0
    again: int = 0

    def __str__(self) -> str:
        outcomes = ", ".join(f"{n} {name}" for name, n in sorted(self.outcomes.items()))
        lookups = ", ".join(f"{n} by {name}" for name, n in sorted(self.lookups.items()))
        return (
            f"{self.clusters} clusters, lookups: {lookups}; {outcomes}; {self.queries} queries at "
            f"DNS pods; {self.again} tried again; not tried: {self.slow} that wait too long, "
            f"{self.by_chance} that chance decides"
        )


@dataclass
class Scene:
    """A lab that stands, and all that comes to its DNS pods."""

    lab: Lab
    names: Names
    arrived: list[Arrived]
    programs: Path
    chosen: Container[str] | None = None
    spoil: str = ""

    @property
    def pods(self) -> list[Pod]:
        boxes = {one.namespace for one in self.lab.plan.things if isinstance(one, Sandbox)}
        every = (pod for pod in self.lab.cluster.pods if pod.addresses and pod.node_name)
        every = (pod for pod in every if self.chosen is None or pod.name in self.chosen)
        return [pod for pod in every if _place(pod) in boxes]

    def files(self, pod: Pod) -> Texts:
        """What programs of a pod see besides the files of its sandbox."""
        if not self.spoil:
            return files_there(self.lab.cluster, pod)
        conf = self.names.files(pod_origin(pod)).resolv_conf
        kept = [line for line in conf.splitlines() if not line.startswith("search")]
        return ((RESOLV_CONF, self.spoil + "".join(f"{line}\n" for line in kept)),)


def check(
    base: Base,
    cluster: Cluster,
    names: Sequence[str],
    programs: Path,
    count: Count,
    *,
    pods: Container[str] | None = None,
    spoil: str = "",
) -> list[Failure]:
    """All failures of a cluster's lab. `programs`: where what is compiled lies.

    `pods`: only those of these names look names up; `spoil` is a search list in place of theirs,
    which no prediction knows.
    """
    arrived: list[Arrived] = []
    lab = Lab(Kernel(base), log=arrived.append)
    try:
        problems = lab.up(cluster).problems
        assert not problems, problems
        settings = public_settings(DNSSettings())
        count.clusters += 1
        scene = Scene(lab, Names(cluster, settings), arrived, programs, pods, spoil)
        return list(_failures(scene, names, count))
    finally:
        lab.down()


def _failures(scene: Scene, names: Sequence[str], count: Count) -> Iterator[Failure]:
    for pod in scene.pods:
        origin = pod_origin(pod)
        for which in CHOSEN:
            client = CLIENTS[which]
            for name in names:
                found = scene.names.lookup(name, origin, client.machine)
                if found.seconds > LONGEST:
                    count.slow += 1
                elif by_chance(found):
                    count.by_chance += 1
                elif differ := _compared(scene, pod, origin, client, found, count):
                    conf = found.files.resolv_conf
                    yield Failure(f"{pod.namespace}/{pod.name}", which, name, differ, conf)
                count.lookups[which] += 1
                count.outcomes[found.outcome.status] += 1


def _compared(
    scene: Scene, pod: Pod, origin: Origin, client: Client, found: Prediction, count: Count
) -> tuple[str, ...]:
    wanted = predicted(scene.lab.cluster, origin, found, PATIENCE)
    count.queries += len(wanted.queries)
    for attempt in range(1 if scene.spoil else TRIES):
        count.again += attempt > 0
        seen, got = _looked_up(scene, pod, client, found.name, len(wanted.queries))
        outcome = expected(client, found.outcome)
        # The outcome is compared in the client's own words.
        differ = [*differences(client.machine, wanted, _like(seen, wanted), meets_servfail(found))]
        if got != outcome:
            differ.append(f"got {got}, predicted {outcome}")
        if not differ:
            break
    return tuple(differ)


def _like(seen: Lookup, wanted: Lookup) -> Lookup:
    return Lookup(seen.queries, seen.pods, wanted.status, wanted.addresses)


def _looked_up(
    scene: Scene, pod: Pod, client: Client, name: str, expected: int
) -> tuple[Lookup, Got]:
    scene.arrived.clear()
    command = (*client.command(scene.programs), name)
    ran = scene.lab.kernel.run(_place(pod), command, PATIENCE, scene.files(pod))
    assert ran.code is not None, f"{command} hangs"
    got = client.read(subprocess.CompletedProcess(command, ran.code, ran.out, ran.err))
    until = time.monotonic() + LATE
    while len(scene.arrived) < expected and time.monotonic() < until:
        time.sleep(0.005)
    return observed(tuple(scene.arrived), Status.FOUND, ()), got


def _place(pod: Pod) -> str:
    if pod.host_network:
        return node_namespace(pod.node_name)
    return pod_namespace(pod.namespace, pod.name)
