"""How large a lab this machine has room for: open files and memory.

Asked before anything is built: to find out in the middle of it costs minutes, or the machine.
"""

import os
import resource
from collections.abc import Iterator

from kubehop.lab.plan.values import Plan, Sandbox
from kubehop.model.errors import UsageError
from kubehop.model.inventory import Inventory
from kubehop.model.pod import Pod
from kubehop.model.workloads import CronJob, Deployment, Job, ReplicaSet, StatefulSet

SANDBOX_FILES, NAMESERVER_FILES, SPARE_FILES = 3, 6, 200
"""Network namespace, rtnetlink, nftables; sockets of both protocols; those of users."""
POD_FILES = SANDBOX_FILES + 1
SANDBOX_BYTES = 400_000
"""Mostly the kernel's, for a network namespace and a veth pair; measured."""
_SCALED = (Deployment, ReplicaSet, StatefulSet)


def check_pods(inventory: Inventory) -> None:
    """Raise UsageError if its workloads want more pods than there is room for."""
    wanted = dict(_wanted(inventory))
    total = max(sum(wanted.values()), len(inventory.of(Pod)))
    if total > most_pods():
        largest = max(wanted, key=lambda name: wanted[name], default="")
        whose = f", most of them ({wanted[largest]:,}) of {largest}" if largest else ""
        raise _too_many(f"{total:,} pods{whose}")


def check_replicas(what: str, replicas: int) -> None:
    """Raise UsageError if one workload alone is to have too many."""
    if replicas > most_pods():
        raise _too_many(f"{replicas:,} pods of {what}")


def check_plan(plan: Plan, standing: Plan) -> None:
    """Raise UsageError if what is not there yet of `plan` is more than there is room for."""
    before, listening = _boxes(standing), set(standing.listeners)
    boxes = len(_boxes(plan) - before)
    files = boxes * SANDBOX_FILES + len(set(plan.listeners) - listening)
    files += NAMESERVER_FILES * (len(plan.nameservers) - len(standing.nameservers))
    free = open_files() - SPARE_FILES - len(os.listdir("/proc/self/fd"))
    if boxes and files > free:
        raise UsageError(
            f"the lab would need {files - free:,} more open files than the limit of"
            f" {open_files():,} allows: raise it (`ulimit -Hn`, as root), or build fewer pods"
        )
    if boxes * SANDBOX_BYTES > memory():
        raise _too_many(f"{boxes:,} more pods and nodes")


def most_pods() -> int:
    """For how many pods there is room."""
    return min((open_files() - SPARE_FILES) // POD_FILES, memory() // SANDBOX_BYTES)


def open_files() -> int:
    """How many files a process of ours may have open, if it wants to."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 30 if hard == resource.RLIM_INFINITY else hard


def memory() -> int:
    """Octets of memory that can be had without swapping: MemAvailable of proc_meminfo(5)."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            found = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
            return int(next(found)) << 10
    except (OSError, StopIteration):
        return 1 << 40


def _too_many(what: str) -> UsageError:
    return UsageError(
        f"a lab on this machine has room for {most_pods():,} pods ({open_files():,} open files,"
        f" {memory() >> 20:,} MB of memory), not for {what}"
    )


def _wanted(inventory: Inventory) -> Iterator[tuple[str, int]]:
    """Of workloads that nobody else makes, how many pods each wants."""
    for kind in _SCALED:
        for scaled in inventory.of(kind):
            if not scaled.metadata.owner_references:
                yield scaled.reference, 1 if scaled.spec.replicas is None else scaled.spec.replicas
    for job in inventory.of(Job):
        yield job.reference, job.spec.parallelism or 1
    for cron in inventory.of(CronJob):
        yield cron.reference, cron.spec.job_template.spec.parallelism or 1


def _boxes(plan: Plan) -> set[str]:
    return {thing.namespace for thing in plan.things if isinstance(thing, Sandbox)}
