"""What the objects do not tell about names: said by the caller, else found out or assumed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubehop.dns.outside import Mood


@dataclass(frozen=True, slots=True)
class DNSSettings:
    """Each field wins over what is found in the cluster; None means: find out or assume.

    `cluster_dns` and `cluster_domain` are the kubelet's clusterDNS and clusterDomain,
    `node_resolv_conf` the text of the file that its resolvConf names, on every node. `corefile`
    is the text of a Corefile, and `corefile_name` what errors call it. `hosts` are addresses by
    name outside of the cluster, and `mood` what resolvers there do with every other name.
    """

    cluster_dns: tuple[str, ...] | None = None
    cluster_domain: str | None = None
    node_resolv_conf: str | None = None
    corefile: str | None = None
    corefile_name: str = "Corefile"
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mood: Mood = Mood.ANSWERS
