"""A cluster in the making, which the steps of `kubehop.workload.complete` hand on."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from kubehop.model.addresses import Family
from kubehop.model.cluster import Cluster
from kubehop.model.inventory import Inventory
from kubehop.workload.options import Options


@dataclass(frozen=True, slots=True)
class Draft:
    """What was read, what was asked for, and the cluster as far as it is made.

    `families` are those that the cluster has, primary first. `imaginary`: its nodes were not
    in the input, so that nothing about the addresses of nodes and pods was observed.
    """

    inventory: Inventory
    options: Options
    cluster: Cluster = field(default_factory=Cluster)
    families: tuple[Family, ...] = (Family.IPV4,)
    imaginary: bool = False

    def having(self, *assumptions: str, **fields: Any) -> "Draft":
        """The draft with these fields of its cluster replaced and these assumptions added."""
        said = self.cluster.assumptions + assumptions
        return replace(self, cluster=replace(self.cluster, assumptions=said, **fields))


Step = Callable[[Draft], Draft]
