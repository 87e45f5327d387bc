"""From words to faults, and from a cluster and its faults to what a lab builds."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from kubehop.lab.faults.table import FAULTS, ORDER
from kubehop.lab.faults.values import Fault, Injected, Parameter, Place
from kubehop.lab.plan.values import Plan
from kubehop.model.cluster import Cluster
from kubehop.model.config import ConfigMap
from kubehop.model.errors import UsageError
from kubehop.model.meta import ObjectMeta
from kubehop.trace.questions import find_node, find_pod, find_service

COREDNS = ("kube-system", "coredns")
"""The ConfigMap with the Corefile."""
Build = Callable[[Cluster], Plan]


@dataclass(frozen=True, slots=True)
class Faulty:
    """What stands with faults: the cluster as controllers see it, and the plan of it.

    `faults` are those that are in it, `healed` those whose object is gone.
    """

    cluster: Cluster
    plan: Plan
    faults: tuple[Injected, ...] = ()
    healed: tuple[Injected, ...] = ()


def fault_named(name: str) -> Fault:
    """A row of the table; raises UsageError with near names."""
    fault = FAULTS.get(name)
    if fault is None:
        near = difflib.get_close_matches(name, FAULTS, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else f"there is {', '.join(FAULTS)}"
        raise UsageError(f"no fault {name}: {hint}")
    return fault


def chosen(
    name: str,
    given: Mapping[Parameter, str],
    cluster: Cluster,
    plan: Plan,
    namespace: str = "default",
    corefile: str | None = None,
) -> Injected:
    """The fault of that name where the parameters say, checked and with whole names.

    `cluster` and `plan` are without faults; `namespace` is for names without one; `corefile` as
    for `faulty`. Raises UsageError for a fault that there is not, and for a place where it
    cannot be.
    """
    fault = fault_named(name)
    said = {parameter: value for parameter, value in given.items() if value}
    _check(fault, said)
    place = _place(said, cluster, namespace)
    if fault.mutual:
        if place.node == place.to:
            raise UsageError(f"{name}: --node and --to are the same node")
        low, high = sorted((place.node, place.to))
        place = replace(place, node=low, to=high)
    problem = fault.fits(_configured(cluster, corefile), plan, place)
    if problem:
        raise UsageError(f"{name}: {problem}")
    return Injected(name, place)


def _check(fault: Fault, given: Mapping[Parameter, str]) -> None:
    missing = [p for p in fault.needs if p not in given]
    if missing:
        raise UsageError(f"{fault.name} needs --{missing[0]}: kubehop lab fault add {fault.usage}")
    extra = [p for p in given if p not in (*fault.needs, *fault.takes)]
    if extra:
        raise UsageError(f"{fault.name} has no --{extra[0]}: kubehop lab fault add {fault.usage}")


def _place(given: Mapping[Parameter, str], cluster: Cluster, namespace: str) -> Place:
    found = {p.value: _WHOLE[p](cluster, text, namespace) for p, text in given.items()}
    return Place(**found)


def _node(cluster: Cluster, text: str, _namespace: str) -> str:
    return find_node(cluster, text.removeprefix("node/")).name


def _pod(cluster: Cluster, text: str, namespace: str) -> str:
    found = find_pod(cluster, text.removeprefix("pod/"), namespace)
    return f"{found.namespace}/{found.name}"


def _service(cluster: Cluster, text: str, namespace: str) -> str:
    found = find_service(cluster, text.removeprefix("svc/"), namespace)
    return f"{found.namespace}/{found.name}"


_WHOLE: dict[Parameter, Callable[[Cluster, str, str], str]] = {
    Parameter.NODE: _node,
    Parameter.TO: _node,
    Parameter.POD: _pod,
    Parameter.SERVICE: _service,
}


def added(faults: Iterable[Injected], new: Injected) -> tuple[Injected, ...]:
    """All of them with a new one; raises UsageError if it is there already."""
    known = tuple(faults)
    if new in known:
        raise UsageError(f"{new.label} is in this lab already")
    return (*known, new)


def faulty(
    cluster: Cluster, faults: Iterable[Injected], build: Build, corefile: str | None = None
) -> Faulty:
    """The cluster with faults, and its plan; `build` makes the plan of a cluster.

    The order of `faults` does not matter. Those whose node, pod or Service is not there any
    more are left out, and named. `corefile` as in DNSSettings: it wins over the cluster's.
    """
    given = sorted(set(faults), key=lambda fault: (ORDER[fault.fault], fault))
    kept = tuple(fault for fault in given if stands(cluster, fault.place))
    altered = cluster
    for fault in kept:
        altered = FAULTS[fault.fault].alter(altered, fault.place)
    plan, said = build(altered), _configured(altered, corefile)
    for fault in kept:
        plan = FAULTS[fault.fault].spoil(plan, said, fault.place)
    return Faulty(altered, plan, kept, tuple(fault for fault in given if fault not in kept))


def _configured(cluster: Cluster, corefile: str | None) -> Cluster:
    """The cluster with that Corefile in its ConfigMap."""
    if corefile is None:
        return cluster
    others = (c for c in cluster.config_maps if (c.namespace, c.name) != COREDNS)
    namespace, name = COREDNS
    metadata = ObjectMeta(name=name, namespace=namespace)
    own = ConfigMap(metadata=metadata, data={"Corefile": corefile})
    return replace(cluster, config_maps=(*others, own))


def stands(cluster: Cluster, place: Place) -> bool:
    """True if every object that the place names is in the cluster."""
    nodes = (name for name in (place.node, place.to) if name)
    return (
        all(cluster.node(name) for name in nodes)
        and (not place.pod or cluster.pod(*place.pod.split("/")) is not None)
        and (not place.service or cluster.service(*place.service.split("/")) is not None)
    )


def healed(
    faults: Iterable[Injected],
    name: str = "",
    given: Mapping[Parameter, str] | None = None,
    namespace: str = "default",
) -> tuple[tuple[Injected, ...], tuple[Injected, ...]]:
    """What stays and what goes: all faults of that name where the parameters say; "" is any.

    Raises UsageError if there is no such fault in the lab.
    """
    known = tuple(faults)
    if name:
        fault_named(name)
    wanted = {p: v for p, v in (given or {}).items() if v}
    goes = tuple(
        fault
        for fault in known
        if name in ("", fault.fault) and _within(fault.place, wanted, namespace)
    )
    if not goes and (name or wanted):
        asked = " ".join((name or "of any name", *(f"--{p} {v}" for p, v in wanted.items())))
        there = "; ".join(fault.label for fault in known) or "none"
        raise UsageError(f"no fault {asked} in this lab; there is: {there}")
    return tuple(fault for fault in known if fault not in goes), goes


def _within(place: Place, wanted: Mapping[Parameter, str], namespace: str) -> bool:
    """True if the place has all of what is wanted; which of two nodes comes first is no matter."""
    nodes = {wanted[p].removeprefix("node/") for p in _NODES if p in wanted}
    objects = ((p, text) for p, text in wanted.items() if p not in _NODES)
    return nodes <= {place.node, place.to} and all(
        place[p] in _readings(text, namespace) for p, text in objects
    )


_NODES = (Parameter.NODE, Parameter.TO)


def _readings(text: str, namespace: str) -> tuple[str, ...]:
    """NAMESPACE/NAME of `NAME`, `NAME.NAMESPACE` and `NAMESPACE/NAME`."""
    bare = text.removeprefix("pod/").removeprefix("svc/")
    name, _, suffix = bare.rpartition(".")
    return (bare, f"{namespace}/{bare}", f"{suffix}/{name}")
