"""What is followed: a cluster, and what it was made of."""

from dataclasses import dataclass

from kubehop.model.cluster import Cluster
from kubehop.model.inventory import Inventory
from kubehop.workload.complete import DEFAULTS, complete
from kubehop.workload.options import Options


@dataclass(frozen=True, slots=True)
class Following:
    """A cluster that lives: what was given and changed since, and what controllers made of it.

    `inventory` holds what people gave: workloads, Services and the rest as they were applied
    and scaled. `cluster` holds what stands: pods, addresses and EndpointSlices, which stay until
    something has to change them. `assumed` are the assumptions of the start; those of the last
    change follow them in `cluster.assumptions`.
    """

    inventory: Inventory
    options: Options
    cluster: Cluster
    assumed: tuple[str, ...] = ()


def start(inventory: Inventory, options: Options = DEFAULTS) -> Following:
    """The cluster that `complete` makes, ready to be changed.

    Raises UsageError and InputError as `complete` does.
    """
    cluster = complete(inventory, options)
    return Following(inventory, options, cluster, cluster.assumptions)
