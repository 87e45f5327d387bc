"""How kube-proxy is configured: as the options say, as its ConfigMap says, or assumed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubehop.model.addresses import Family, contains, family
from kubehop.model.config import ConfigMap
from kubehop.model.proxy import DetectLocal, ProxyConfig
from kubehop.workload.cidrs import smallest
from kubehop.workload.draft import Draft
from kubehop.workload.nodes import POD_CIDR
from kubehop.workload.proxy_file import NAME, proxy_config


def proxy_step(draft: Draft) -> Draft:
    """Draft with kube-proxy's configuration.

    Without its ConfigMap the mode and the cluster CIDR are assumed. A ConfigMap that has no
    cluster CIDR is the truth: kube-proxy then cannot tell pods from others.
    """
    found = _from_config_map(draft)
    config, lines = (found, []) if found else _assumed(draft)
    return draft.having(*lines, proxy=_overridden(config, draft))


def _from_config_map(draft: Draft) -> ProxyConfig | None:
    for config_map in draft.inventory.of(ConfigMap):
        if (config_map.namespace, config_map.name) == NAME:
            return proxy_config(config_map)
    return None


def _overridden(config: ProxyConfig, draft: Draft) -> ProxyConfig:
    """The options win, one by one."""
    options = draft.options
    wanted: dict[str, Any] = {
        "mode": options.proxy_mode,
        "detect_local": options.detect_local,
        "cluster_cidrs": options.cluster_cidrs,
        "nodeport_addresses": options.nodeport_addresses,
        "masquerade_all": options.masquerade_all,
    }
    return replace(config, **{key: value for key, value in wanted.items() if value is not None})


def _assumed(draft: Draft) -> tuple[ProxyConfig, list[str]]:
    options, lines = draft.options, []
    if options.proxy_mode is None:
        lines.append("kube-proxy assumed in mode nftables with default settings")
    if options.cluster_cidrs is not None or options.detect_local not in (
        None,
        DetectLocal.CLUSTER_CIDR,
    ):
        return ProxyConfig(), lines
    config = _detector(draft)
    told = ", ".join(config.cluster_cidrs) or f"none, detectLocalMode {config.detect_local}"
    return config, [*lines, f"cluster CIDR assumed: {told}"]


def _detector(draft: Draft) -> ProxyConfig:
    """A cluster CIDR around all pods; where it would hold a node too, another way to tell pods.

    A CIDR with a node in it would take that node's packets for a pod's.
    """
    cidrs = _cluster_cidrs(draft)
    nodes = draft.cluster.nodes
    addresses = [ip for node in nodes for ip in (*node.internal_ips, *node.external_ips)]
    if cidrs and not any(contains(cidr, ip) for cidr in cidrs for ip in addresses):
        return ProxyConfig(cluster_cidrs=cidrs)
    known = all(node.pod_cidrs for node in nodes)
    return ProxyConfig(detect_local=DetectLocal.NODE_CIDR if known else DetectLocal.NONE)


def _cluster_cidrs(draft: Draft) -> tuple[str, ...]:
    if draft.imaginary:
        return tuple(str(POD_CIDR[wanted]) for wanted in draft.families)
    found = tuple(_pod_ranges(draft))
    of_family = {wanted: [cidr for cidr in found if family(cidr) is wanted] for wanted in Family}
    return tuple(smallest(cidrs, wanted) for wanted, cidrs in of_family.items() if cidrs)


def _pod_ranges(draft: Draft) -> Iterator[str]:
    for node in draft.cluster.nodes:
        yield from node.pod_cidrs
    for pod in draft.cluster.pods:
        if not pod.host_network:
            yield from pod.addresses
