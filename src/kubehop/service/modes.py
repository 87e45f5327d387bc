"""Where the proxy modes change a packet's fate (reference: kube-proxy, section 8), as a table."""

from dataclasses import dataclass

from kubehop.model.proxy import ProxyMode


@dataclass(frozen=True, slots=True)
class ModeRules:
    """One proxy mode's answers to the questions on which the modes differ.

    nodeports_on_primary_only   node ports listen, by default, on the node's primary addresses
                                only; else on every local address
    loopback_nodeports          127.0.0.1:nodePort works (IPv4, `localhostNodePorts`)
    rejects_undefined_ports     a port or protocol that a live cluster IP does not have: REJECT
    binds_service_addresses     every service address is a local address of every node, so the
                                rule above covers external and load balancer addresses too
    drops_unallocated           an address of a ServiceCIDR without a Service: DROP
    short_circuits              under externalTrafficPolicy Local, pods and node processes get
                                every endpoint (one rule set per origin); else one set for all
    local_falls_back            a policy Local without local endpoints uses the Cluster set
    filters_when_empty          loadBalancerSourceRanges are enforced even without endpoints
    """

    nodeports_on_primary_only: bool
    loopback_nodeports: bool
    rejects_undefined_ports: bool
    binds_service_addresses: bool
    drops_unallocated: bool
    short_circuits: bool
    local_falls_back: bool
    filters_when_empty: bool


MODES: dict[ProxyMode, ModeRules] = {
    ProxyMode.NFTABLES: ModeRules(
        nodeports_on_primary_only=True,
        loopback_nodeports=False,
        rejects_undefined_ports=True,
        binds_service_addresses=False,
        drops_unallocated=True,
        short_circuits=True,
        local_falls_back=False,
        filters_when_empty=True,
    ),
    ProxyMode.IPTABLES: ModeRules(
        nodeports_on_primary_only=False,
        loopback_nodeports=True,
        rejects_undefined_ports=False,
        binds_service_addresses=False,
        drops_unallocated=False,
        short_circuits=True,
        local_falls_back=False,
        filters_when_empty=False,
    ),
    ProxyMode.IPVS: ModeRules(
        nodeports_on_primary_only=False,
        loopback_nodeports=False,
        rejects_undefined_ports=True,
        binds_service_addresses=True,
        drops_unallocated=False,
        short_circuits=False,
        local_falls_back=True,
        filters_when_empty=True,
    ),
}
