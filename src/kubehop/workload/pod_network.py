"""Which pod network the cluster has, by the names of its agents."""

from collections.abc import Iterator

from kubehop.model.errors import UsageError
from kubehop.model.pod_network import CANAL, POD_NETWORKS, UNKNOWN, PodNetwork
from kubehop.model.workloads import DaemonSet
from kubehop.workload.draft import Draft


def pod_network_step(draft: Draft) -> Draft:
    """Draft with the pod network that the options name, or that is recognised, or assumed.

    Raises UsageError for a name that is not in POD_NETWORKS.
    """
    if draft.options.pod_network is not None:
        return draft.having(pod_network=_named(draft.options.pod_network))
    found = recognised(tuple(_agents(draft)))
    if found:
        return draft.having(pod_network=found)
    if draft.imaginary:
        return draft.having(f"pod network assumed: {CANAL.name}", pod_network=CANAL)
    return draft.having("pod network not recognised", pod_network=UNKNOWN)


def _named(name: str) -> PodNetwork:
    for known in POD_NETWORKS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in POD_NETWORKS)
    raise UsageError(f"no pod network is called {name!r}: one of {names}")


def recognised(names: tuple[str, ...]) -> PodNetwork | None:
    """The first pod network of which one of these names is an agent's."""
    return next((n for n in POD_NETWORKS if any(x.startswith(n.markers) for x in names)), None)


def _agents(draft: Draft) -> Iterator[str]:
    """Names of DaemonSets and pods in the host network, where every such agent runs."""
    for daemon_set in draft.inventory.of(DaemonSet):
        if daemon_set.spec.template.spec.host_network:
            yield daemon_set.name
    for pod in draft.cluster.pods:
        if pod.host_network:
            yield pod.name
