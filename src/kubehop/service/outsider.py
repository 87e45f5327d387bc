"""An address that stands for all clients outside of the cluster."""

from kubehop.model.addresses import Family, contains, network
from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.service.decide import source_ranges

EXTERNAL_CLIENT = {Family.IPV4: "203.0.113.9", Family.IPV6: "2001:db8:113::9"}
"""The client outside: documentation addresses (RFC 5737, RFC 3849)."""


def outside_address(cluster: Cluster, service: Service, wanted: Family) -> str:
    """An address outside of the cluster, admitted by `loadBalancerSourceRanges` if one is."""
    ranges = source_ranges(service, wanted)
    outsider = EXTERNAL_CLIENT[wanted]
    if not ranges or any(contains(cidr, outsider) for cidr in ranges):
        return outsider
    edges = (str(network(cidr)[at]) for cidr in ranges for at in (-1, 0))
    return next((edge for edge in edges if not _inside(cluster, edge)), outsider)


def _inside(cluster: Cluster, address: str) -> bool:
    """True if `address` is a node's or may be a pod's."""
    cidrs = (*cluster.proxy.cluster_cidrs, *(c for node in cluster.nodes for c in node.pod_cidrs))
    return cluster.node_at(address) is not None or any(contains(cidr, address) for cidr in cidrs)
