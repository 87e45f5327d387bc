"""All faults, in the order in which they are applied to a plan."""

from kubehop.lab.faults import dns_pods, names, packets, servers
from kubehop.lab.faults.values import Fault, Parameter

_NODE, _TO, _POD, _SERVICE = Parameter

_ROWS: tuple[Fault, ...] = (
    Fault(
        "rules-gone",
        "A node has no Service rules any more.",
        symptom="from pods of one node neither cluster IPs nor the outside work, and its node "
        "ports refuse; pod addresses work",
        cause="another program flushed the node's ruleset, or kube-proxy never ran there",
        fix="restart the kube-proxy pod of that node; find out who flushed the ruleset",
        needs=(_NODE,),
        spoil=packets.rules_gone,
        fits=packets.has_rules,
    ),
    Fault(
        "overlay-dropped",
        "VXLAN packets between two nodes vanish.",
        symptom="pods of two nodes cannot reach each other, while the nodes themselves can; "
        "Services fail for the share of endpoints that is over there",
        cause="a firewall or security group drops UDP 8472 between the nodes",
        fix="allow the overlay's UDP port between all nodes, both ways",
        needs=(_NODE, _TO),
        spoil=packets.overlay_dropped,
        fits=packets.has_overlay,
        mutual=True,
    ),
    Fault(
        "mtu-hole",
        "The way to a node takes 1400 octets, and no ICMP says so.",
        symptom="connections to pods of one node open, then stall as soon as much is sent; "
        "small requests work",
        cause="a link on the way has a smaller MTU, and fragments and ICMP are filtered",
        fix="lower the MTU of the overlay to what the way takes; let ICMP through",
        needs=(_NODE,),
        spoil=packets.mtu_hole,
    ),
    Fault(
        "tcp-53-dropped",
        "TCP to port 53 vanishes, UDP passes.",
        symptom="big DNS answers time out, small ones work",
        cause="a firewall or NetworkPolicy allows DNS over UDP only",
        fix="allow TCP 53 as well (RFC 7766)",
        takes=(_NODE,),
        spoil=packets.tcp_53_dropped,
    ),
    Fault(
        "dns-gone",
        "The DNS pods are gone.",
        symptom="no name resolves; the DNS Service refuses at once",
        cause="the Deployment of CoreDNS is scaled to 0, or its pods cannot be made",
        fix="scale it up: kubectl -n kube-system scale deployment coredns --replicas=2",
        takes=(_POD,),
        alter=dns_pods.gone,
        fits=dns_pods.has_dns_pods,
    ),
    Fault(
        "dns-not-ready",
        "The DNS pods run, but are not ready.",
        symptom="no name resolves through the DNS Service; asked directly, its pods answer",
        cause="CoreDNS's readiness probe fails: it cannot reach the API server, or is overloaded",
        fix="see its log, and whether it reaches the API server",
        takes=(_POD,),
        alter=dns_pods.not_ready,
        fits=dns_pods.has_dns_pods,
    ),
    Fault(
        "dns-looping",
        "The DNS pods forward to themselves.",
        symptom="short names of the cluster resolve; all others, and whatever gets as far as "
        "the nodes' search domain, end in SERVFAIL",
        cause="the node's resolv.conf names a stub on the loopback (127.0.0.53), "
        "which is CoreDNS itself in its pod",
        fix="give the kubelet the real file: resolvConf: /run/systemd/resolve/resolv.conf",
        takes=(_POD,),
        spoil=names.looping,
        fits=names.can_loop,
    ),
    Fault(
        "dns-refusing",
        "The DNS pods refuse every query.",
        symptom="every lookup is answered with REFUSED",
        cause="the Corefile has no server block for the names that are asked",
        fix="put the block `.:53` back into ConfigMap kube-system/coredns",
        takes=(_POD,),
        spoil=names.refusing,
        fits=names.has_servers,
    ),
    Fault(
        "wrong-nameserver",
        "A pod has the address of another cluster's DNS.",
        symptom="no name resolves in one pod, while its neighbours have no trouble",
        cause="its dnsConfig, or clusterDNS of its node's kubelet, names a wrong address",
        fix="correct dnsConfig or clusterDNS, then make the pod anew: the file is never rewritten",
        needs=(_POD,),
        spoil=names.wrong_nameserver,
        fits=names.has_file,
    ),
    Fault(
        "upstream-silent",
        "The DNS server outside takes queries and answers none.",
        symptom="names of the cluster resolve, all others time out",
        cause="CoreDNS cannot reach the servers that it forwards to, or they do not answer it",
        fix="check the way to the servers in the node's resolv.conf, and whether they allow you",
        spoil=names.upstream_silent,
        fits=names.has_upstream,
    ),
    Fault(
        "server-stopped",
        "A pod's server does not listen any more.",
        symptom="the share of connections that one endpoint gets is refused",
        cause="the process has ended or listens elsewhere, and no readiness probe notices",
        fix="restart the pod; give it a readiness probe",
        needs=(_POD,),
        spoil=servers.server_stopped,
        fits=servers.has_server,
    ),
    Fault(
        "health-lies",
        "A node without endpoints passes a Service's health check.",
        symptom="a share of the connections through the load balancer times out",
        cause="something else answers on the health check node port, or the load balancer "
        "checks another port",
        fix="let the load balancer check healthCheckNodePort of the Service, path /healthz",
        needs=(_SERVICE,),
        takes=(_NODE,),
        spoil=servers.health_lies,
        fits=servers.can_lie,
    ),
)

FAULTS: dict[str, Fault] = {row.name: row for row in _ROWS}
ORDER: dict[str, int] = {row.name: at for at, row in enumerate(_ROWS)}
"""Where a fault comes among others: whatever the order in which they were added."""
