"""What may not be read, which right is missing, and what therefore is not known."""

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


def may_not_list(kind: Kind) -> str:
    """The line for a kind that the cluster refuses to list."""
    resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    group = f"API group {kind.group}" if kind.group else "the core API group"
    return (
        f"may not list {resource} (needs: get, list on {kind.plural} in {group}): "
        f"{CONSEQUENCES[kind.name]}"
    )


def may_not_get_config_map(namespace: str, name: str) -> str:
    """The line for one of the two ConfigMaps that are read by name."""
    return (
        f"may not get configmap {namespace}/{name} (needs: get on configmaps {name} in namespace "
        f"{namespace}): {CONFIG_MAP_CONSEQUENCES[name]}"
    )
