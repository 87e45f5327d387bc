"""From what was read to a complete cluster: what controllers would make is made."""

from kubehop.model.addresses import network
from kubehop.model.cluster import Cluster
from kubehop.model.config import ConfigMap
from kubehop.model.errors import UsageError
from kubehop.model.inventory import Inventory
from kubehop.model.node import Namespace
from kubehop.model.policy import NetworkPolicy
from kubehop.workload.draft import Draft, Step
from kubehop.workload.endpoint_slices import endpoint_slices_step
from kubehop.workload.families import families_step
from kubehop.workload.namespaces import namespaces_step
from kubehop.workload.nodes import nodes_step
from kubehop.workload.options import Options
from kubehop.workload.placement import placement_step
from kubehop.workload.pod_addresses import pod_addresses_step
from kubehop.workload.pod_network import pod_network_step
from kubehop.workload.proxy import proxy_step
from kubehop.workload.service_cidrs import service_cidrs_step
from kubehop.workload.services import services_step
from kubehop.workload.workloads import workloads_step

STEPS: tuple[Step, ...] = (
    families_step,
    nodes_step,
    workloads_step,
    placement_step,
    pod_addresses_step,
    service_cidrs_step,
    services_step,
    endpoint_slices_step,
    proxy_step,
    pod_network_step,
    namespaces_step,
)

DEFAULTS = Options()


def complete(inventory: Inventory, options: Options = DEFAULTS) -> Cluster:
    """The cluster that these objects describe, with everything that they leave open decided.

    What is in the inventory is never changed where it was observed; each thing invented is in
    `assumptions`. Raises UsageError for options that no cluster can have, and InputError for a
    kube-proxy ConfigMap that kube-proxy would refuse.
    """
    _check(options)
    read = Cluster(
        namespaces=inventory.of(Namespace),
        policies=inventory.of(NetworkPolicy),
        config_maps=inventory.of(ConfigMap),
        unknown=inventory.unknown,
        ignored=inventory.ignored,
    )
    draft = Draft(inventory, options, read)
    for step in STEPS:
        draft = step(draft)
    return draft.cluster


def _check(options: Options) -> None:
    nodeport_cidrs = [cidr for cidr in options.nodeport_addresses or () if cidr != "primary"]
    for cidr in (*(options.service_cidrs or ()), *(options.cluster_cidrs or ()), *nodeport_cidrs):
        try:
            network(cidr)
        except ValueError:
            raise UsageError(f"{cidr!r} is not a CIDR") from None
