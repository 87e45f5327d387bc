"""Which Corefile a cluster's DNS runs with."""

from collections.abc import Mapping
from dataclasses import replace

from kubehop.dns.corefile.parse import parse
from kubehop.dns.corefile.plugins.kubernetes import Kubernetes
from kubehop.dns.corefile.values import Corefile
from kubehop.model.cluster import Cluster
from kubehop.model.errors import InputError

FOLDER = "/etc/coredns/"
"""Where the Corefile and what it refers to are in the pod."""
_FOLDERS = {("kube-system", "coredns"): "", ("kube-system", "coredns-custom"): "custom/"}
DEFAULT_DOMAIN = "cluster.local."
KUBEADM = """\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
"""
"""The Corefile that kubeadm writes (`cmd/kubeadm/app/phases/addons/dns/manifests.go`)."""


def kubeadm(domain: str) -> str:
    """The Corefile that kubeadm writes for a cluster domain, given without a trailing dot."""
    return KUBEADM.replace(DEFAULT_DOMAIN.removesuffix("."), domain)


def corefile_of(
    cluster: Cluster,
    *,
    files: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Corefile:
    """The Corefile of ConfigMap kube-system/coredns, else kubeadm's, which a note says.

    `files` and `environment` as in `parse`; what ConfigMaps hold beside it is found by itself.
    Raises InputError, which names the ConfigMap.
    """
    text = corefile_text(cluster)
    files = {**mounted_files(cluster), **(files or {})}
    if text is None:
        found = parse(KUBEADM, files=files, environment=environment)
        note = "no ConfigMap kube-system/coredns: kubeadm's Corefile is assumed"
        return replace(found, notes=(note, *found.notes))
    try:
        return parse(text, files=files, environment=environment)
    except InputError as error:
        raise InputError(
            error.problem, field=error.field, object="ConfigMap kube-system/coredns"
        ) from None


def mounted_files(cluster: Cluster) -> dict[str, str]:
    """What CoreDNS finds in its folder, by the names that a Corefile has for it.

    The other keys of its ConfigMap (k3s: NodeHosts), and those of `coredns-custom`, which
    managed clusters (AKS, k3s, Gardener, DigitalOcean) leave to their users to import.
    """
    found: dict[str, str] = {}
    for config in cluster.config_maps:
        below = _FOLDERS.get((config.namespace, config.name))
        for key, text in (config.data or {}).items() if below is not None else ():
            found |= {f"{below}{key}": text, f"{FOLDER}{below}{key}": text}
    return found


def corefile_text(cluster: Cluster) -> str | None:
    """The key `Corefile` of ConfigMap kube-system/coredns, None if it is not known."""
    for config in cluster.config_maps:
        if (config.namespace, config.name) == ("kube-system", "coredns"):
            return (config.data or {}).get("Corefile")
    return None


def cluster_domain(corefile: Corefile) -> str:
    """The cluster domain, absolute: the first `kubernetes` plugin's; cluster.local. without."""
    plugins = (plugin for block in corefile.blocks for plugin in block.plugins)
    found = (plugin.primary for plugin in plugins if isinstance(plugin, Kubernetes))
    return next(found, DEFAULT_DOMAIN)
