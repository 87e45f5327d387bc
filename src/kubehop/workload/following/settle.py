"""From a change to a cluster in which every controller is content again."""

import dataclasses
from collections.abc import Callable
from dataclasses import replace

from msgspec.structs import replace as replace_value

from kubehop.model.addresses import IPNetwork, network
from kubehop.model.cluster import sort_key
from kubehop.model.config import ConfigMap, ServiceCIDR
from kubehop.model.inventory import Inventory
from kubehop.model.pod import Pod
from kubehop.workload.families import declared_cidrs
from kubehop.workload.following.pods import pods_step
from kubehop.workload.following.slices import changed, slices_step
from kubehop.workload.following.state import Following, Turn
from kubehop.workload.following.workloads import Workloads
from kubehop.workload.namespaces import namespaces_step
from kubehop.workload.placement import PENDING, placement_step
from kubehop.workload.pod_addresses import pod_addresses_step
from kubehop.workload.proxy import proxy_step
from kubehop.workload.proxy_file import NAME as PROXY_CONFIG_MAP


def settled(turn: Turn) -> Following:
    """What is followed once the change has gone through all controllers; the same if none was."""
    for step in STEPS:
        turn = step(turn)
    before = turn.before
    said = tuple(dict.fromkeys((*before.assumed, *turn.lines)))
    cluster = dataclasses.replace(turn.cluster, assumptions=before.cluster.assumptions)
    if turn.inventory == before.inventory and cluster == before.cluster:
        return before
    return replace(
        before,
        inventory=turn.inventory,
        cluster=dataclasses.replace(turn.cluster, assumptions=said),
    )


def service_cidrs_step(turn: Turn) -> Turn:
    """The ranges that ServiceCIDR objects name, once one of them changes."""
    if turn.inventory.of(ServiceCIDR) == turn.before.inventory.of(ServiceCIDR):
        return turn
    given = turn.before.options.service_cidrs or declared_cidrs(turn.inventory)
    return turn.having(service_cidrs=given or turn.cluster.service_cidrs)


def orphans_step(turn: Turn) -> Turn:
    """Pods of a node that is gone go too (`pkg/controller/podgc`), for their workloads to replace.

    With a node that comes, goes or changes, every DaemonSet is looked at.
    """
    before, now = turn.before.cluster.nodes, turn.cluster.nodes
    if before is now:
        return turn
    gone = {node.name for node in before} - {node.name for node in now}
    orphans = [pod for pod in turn.cluster.pods if pod.node_name in gone]
    workloads = Workloads.of(turn)
    deciders = (workloads.decider(pod) for pod in orphans if not pod.finished)
    daemon_sets = (key for key in workloads.known() if key[0] == "DaemonSet")
    turn = turn.touching(*filter(None, deciders), *daemon_sets)
    return turn.without("Pod", {sort_key(pod) for pod in orphans}) if orphans else turn


def waiting_step(turn: Turn) -> Turn:
    """Pods that found no node or no address try again; those observed Pending have a reason."""
    observed = {sort_key(pod) for pod in turn.inventory.of(Pod) if pod.phase}
    pods = tuple(
        replace_value(pod, status=None)
        if pod.status == PENDING and sort_key(pod) not in observed
        else pod
        for pod in turn.cluster.pods
    )
    return turn if pods == turn.cluster.pods else turn.having(pods=pods)


def running_step(turn: Turn) -> Turn:
    """New pods get a node and addresses; those that pods have just left come last."""
    if turn.cluster.pods is turn.before.cluster.pods:
        return turn
    lately = (a for pod in turn.before.cluster.pods if not pod.host_network for a in pod.addresses)
    draft = turn.draft()
    said = len(draft.cluster.assumptions)
    cluster = pod_addresses_step(placement_step(draft), lately).cluster
    return turn.having(*cluster.assumptions[said:], pods=cluster.pods)


def proxy_step_again(turn: Turn) -> Turn:
    """kube-proxy reads its file again; an assumed cluster CIDR grows to hold every node's pods."""
    before = turn.before
    same_file = _proxy_file(turn.inventory) == _proxy_file(before.inventory)
    if same_file and _holds(turn):
        return turn
    draft = turn.draft()
    said = len(draft.cluster.assumptions)
    cluster = proxy_step(draft).cluster
    return turn.having(*cluster.assumptions[said:], proxy=cluster.proxy)


def _proxy_file(inventory: Inventory) -> ConfigMap | None:
    return next((c for c in inventory.of(ConfigMap) if sort_key(c) == PROXY_CONFIG_MAP), None)


def _holds(turn: Turn) -> bool:
    """True if the cluster CIDRs, if there are any, hold all that came of nodes and pods."""
    wide = [network(cidr) for cidr in turn.cluster.proxy.cluster_cidrs]
    if not wide:
        return True
    nodes = changed(turn.before.cluster.nodes, turn.cluster.nodes)
    pods = changed(turn.before.cluster.pods, turn.cluster.pods)
    came = [*(cidr for node in nodes for cidr in node.pod_cidrs)]
    came += [ip for pod in pods if not pod.host_network for ip in pod.addresses]
    return all(any(_within(network(each), whole) for whole in wide) for each in came)


def _within(part: IPNetwork, whole: IPNetwork) -> bool:
    return part.version == whole.version and part.network_address in whole


def namespaces_again(turn: Turn) -> Turn:
    """Every namespace that something is in, and the four that always are."""
    namespaces = namespaces_step(replace(turn.draft(), inventory=Inventory())).cluster.namespaces
    return turn if namespaces == turn.cluster.namespaces else turn.having(namespaces=namespaces)


Step = Callable[[Turn], Turn]

STEPS: tuple[Step, ...] = (
    service_cidrs_step,
    orphans_step,
    waiting_step,
    pods_step,
    running_step,
    slices_step,
    proxy_step_again,
    namespaces_again,
)
