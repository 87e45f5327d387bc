"""What may not be read, which right is missing, and what therefore is not known."""

from collections.abc import Sequence

from kubehop.model.kinds import Kind

# A test holds this against KINDS: a kind that can be refused has a consequence.
CONSEQUENCES = {
    "Node": "addresses, zones and pod ranges of nodes are not known",
    "Namespace": "labels of namespaces are not known, nor what policies select by them",
    "Pod": "which pods there are and where they run is not known",
    "Service": "which frontends there are is not known",
    "EndpointSlice": "endpoints are taken from Endpoints or, without those, derived from pods",
    "Endpoints": "they cannot stand in for EndpointSlices",
    "NetworkPolicy": "which traffic policies forbid is not known",
    "ServiceCIDR": "the range of cluster IPs is taken from the Services",
    "Deployment": "pods are known only where they exist already",
    "ReplicaSet": "which Deployment a pod belongs to is not known",
    "StatefulSet": "pods are known only where they exist already",
    "DaemonSet": "pods are known only where they exist already",
    "Job": "pods are known only where they exist already",
    "CronJob": "pods are known only where they exist already",
}
CONFIG_MAP_CONSEQUENCES = {
    "coredns": "the cluster domain and the forwarders of CoreDNS are assumed",
    "kube-proxy": "mode, cluster CIDR and other settings of kube-proxy are assumed",
}

# What cluster DNS answers while it never got the kind: CoreDNS 1.13.2 as observed, and the order
# of `plugin/kubernetes/kubernetes.go` (a name that is not found is SERVFAIL until all is synced).
DNS_CONSEQUENCES = {
    "Namespace": "every name of the cluster is answered SERVFAIL",
    "Service": "every name of the cluster is answered SERVFAIL",
    "EndpointSlice": "headless Services and names that do not exist are answered SERVFAIL",
    "Pod": "names of pods and names that do not exist are answered SERVFAIL",
    "ConfigMap": "the Corefile of the cluster is not known",
}
_STAYS = "what is known of it stays as it is"


def may_not_list(kind: Kind) -> str:
    """The line for a kind that the cluster refuses to list."""
    return (
        f"may not list {_resource(kind)} (needs: get, list on {_place(kind)}): "
        f"{CONSEQUENCES[kind.name]}"
    )


def may_list_only_in(kind: Kind, namespaces: Sequence[str]) -> str:
    """The line for a kind that the cluster lists in some namespaces and not in all."""
    some = "namespace" if len(namespaces) == 1 else "namespaces"
    return (
        f"may list {_resource(kind)} only in {some} {', '.join(namespaces)} (needs: get, list on "
        f"{_place(kind)}): those of other namespaces are not known"
    )


def may_not_follow(kind: Kind, *, known: bool) -> str:
    """The line for a kind that is to be followed and may not be listed; `known`: any more."""
    return (
        f"may not list {_resource(kind)} (needs: list, watch on {_place(kind)}): "
        f"{_STAYS if known else DNS_CONSEQUENCES[kind.name]}"
    )


def may_not_watch(kind: Kind, seconds: float) -> str:
    """The line for a kind that may be listed and not watched."""
    return (
        f"may not watch {_resource(kind)} (needs: list, watch on {_place(kind)}): "
        f"read every {seconds:g} s instead"
    )


def _resource(kind: Kind) -> str:
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def _place(kind: Kind) -> str:
    """For the one ConfigMap that is followed a role may name it."""
    if kind.name == "ConfigMap":
        return "configmaps coredns in namespace kube-system"
    group = f"API group {kind.group}" if kind.group else "the core API group"
    return f"{kind.plural} in {group}"


def may_not_get_config_map(namespace: str, name: str) -> str:
    """The line for one of the two ConfigMaps that are read by name."""
    return (
        f"may not get configmap {namespace}/{name} (needs: get on configmaps {name} in namespace "
        f"{namespace}): {CONFIG_MAP_CONSEQUENCES[name]}"
    )
