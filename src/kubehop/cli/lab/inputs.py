"""The cluster that a lab is built of: the same input as for all other commands."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kubehop.cli.common import inventory_from, model_options, options_for

if TYPE_CHECKING:
    from kubehop.model.inventory import Inventory
    from kubehop.workload.following import Following

cluster_options = options_for("the field notes' cluster")
"""The options that say what a lab is built of; read them with `following_from`."""


def following_from(options: dict[str, Any]) -> "Following":
    """The cluster that the options mean, with what a lab cannot do without.

    Without files and without a context it is that of the field notes: a lab never reads a live
    cluster unasked. A pod network that the input does not tell is canal's.
    """
    from kubehop.lab.plan.inputs import begin
    from kubehop.lab.room import check_pods
    from kubehop.model.pod_network import CANAL, UNKNOWN

    chosen = model_options(options)
    inventory = _inventory(options)
    check_pods(inventory)
    if not (options["files"] or _is_live(options)) and chosen.pod_network is None:
        chosen = replace(chosen, pod_network=CANAL.name)
    begun = begin(inventory, chosen)
    if begun.cluster.pod_network is UNKNOWN:
        begun = begin(inventory, replace(chosen, pod_network=CANAL.name))
        line = f"pod network not recognised: built as {CANAL.name}"
        said = (*begun.cluster.assumptions, line)
        begun = replace(begun, assumed=said, cluster=replace(begun.cluster, assumptions=said))
    return begun


def _is_live(options: dict[str, Any]) -> bool:
    return bool(options["context"] or options["kubeconfig"])


def _inventory(options: dict[str, Any]) -> "Inventory":
    if options["files"] or _is_live(options):
        return inventory_from(options)
    from kubehop import example

    return example.inventory(options["nodes"], options["zones"])
