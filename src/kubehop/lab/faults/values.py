"""What a fault is: a change of the cluster or of the plan, at a place, that can be taken back.

A lab's plan is always that of its cluster with the faults applied, so taking one away gives the
very plan that there would be had it never been.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, fields

from kubehop.lab.plan.values import Plan
from kubehop.model.cluster import Cluster


class Parameter(enum.StrEnum):
    """What says where a fault is; also the names of the command's options."""

    NODE = "node"
    TO = "to"
    POD = "pod"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a fault is: a node, or the way from it `to` another; pod and Service NAMESPACE/NAME.

    "" where the fault has no such parameter, or is everywhere.
    """

    node: str = ""
    to: str = ""
    pod: str = ""
    service: str = ""

    def __getitem__(self, parameter: Parameter) -> str:
        value: str = getattr(self, parameter.value)
        return value

    @property
    def given(self) -> tuple[Parameter, ...]:
        """The parameters that are not ""."""
        return tuple(p for field in fields(self) if self[p := Parameter(field.name)])


@dataclass(frozen=True, slots=True, order=True)
class Injected:
    """A fault that is in a lab."""

    fault: str
    place: Place = Place()

    @property
    def label(self) -> str:
        """As one would type it: `overlay-dropped --node node-0 --to node-1`."""
        options = (f"--{p} {self.place[p]}" for p in self.place.given)
        return " ".join((self.fault, *options))


Alter = Callable[[Cluster, Place], Cluster]
Spoil = Callable[[Plan, Cluster, Place], Plan]
Fits = Callable[[Cluster, Plan, Place], str]
"""Why the fault cannot be there, "" if it can: one line."""


def same_cluster(cluster: Cluster, _place: Place) -> Cluster:
    """Alters nothing."""
    return cluster


def same_plan(plan: Plan, _cluster: Cluster, _place: Place) -> Plan:
    """Spoils nothing."""
    return plan


def anywhere(_cluster: Cluster, _plan: Plan, _place: Place) -> str:
    """Fits wherever its objects are."""
    return ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the table.

    `needs` must be said, `takes` may be. `alter` changes what controllers see, `spoil` what is
    built. `symptom` is what a user sees, `cause` what is behind it in a real cluster, and `fix`
    what puts it right there.
    """

    name: str
    summary: str
    symptom: str
    cause: str
    fix: str
    needs: tuple[Parameter, ...] = ()
    takes: tuple[Parameter, ...] = ()
    alter: Alter = same_cluster
    spoil: Spoil = same_plan
    fits: Fits = anywhere
    mutual: bool = False
    """True if `node` and `to` may be swapped."""

    @property
    def usage(self) -> str:
        """`overlay-dropped --node NODE --to NODE`."""
        needed = (f"--{p} {_METAVARS[p]}" for p in self.needs)
        optional = (f"[--{p} {_METAVARS[p]}]" for p in self.takes)
        return " ".join((self.name, *needed, *optional))


_METAVARS = {
    Parameter.NODE: "NODE",
    Parameter.TO: "NODE",
    Parameter.POD: "POD",
    Parameter.SERVICE: "SERVICE",
}
