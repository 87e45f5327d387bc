"""Pods whose containers ask, and their files as the kubelet writes them."""

from typing import Any

import msgspec

from kubehop.dns.resolv.hostname import pod_hostname
from kubehop.dns.resolv.kubelet import KubeletDNS, pod_resolv_conf
from kubehop.dns.resolv.pod_hosts import pod_hosts
from kubehop.model.pod import Pod

DNS_ADDRESS = "10.43.0.10"
SILENT_ADDRESS, DEAD_ADDRESS = "10.43.0.65", "10.43.0.66"
"""A nameserver that never says anything, and an address where there is none."""
POD_ADDRESS = "10.42.0.7"
KUBELET = KubeletDNS(
    cluster_dns=(DNS_ADDRESS,),
    cluster_domain="cluster.local",
    resolv_conf="search ca-central-1.compute.internal\nnameserver 127.0.0.10\n",
)

_LONG = [f"a-rather-long-domain-number-{n}.corp.example" for n in range(8)]
PODS: dict[str, dict[str, Any]] = {
    "ndots 1": {"dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}},
    "one after the other": {"dnsConfig": {"options": [{"name": "single-request-reopen"}]}},
    "tcp": {"dnsConfig": {"options": [{"name": "use-vc"}, {"name": "edns0"}]}},
    "long search list": {"dnsConfig": {"searches": _LONG}},
    "no search list": {"dnsPolicy": "None", "dnsConfig": {"nameservers": [DNS_ADDRESS]}},
    "aliases": {"hostAliases": [{"ip": "192.0.2.50", "hostnames": ["legacy", "example.com"]}]},
    "named": {"hostname": "web-0", "subdomain": "web"},
}
"""Parts of a pod's spec, by what they are about."""
HURRIED: dict[str, Any] = {
    "dnsConfig": {"options": [{"name": "timeout", "value": "1"}, {"name": "ndots", "value": "2"}]}
}
"""For lookups that wait."""


def pod(**spec: Any) -> Pod:
    """A pod in `default` with POD_ADDRESS."""
    raw = {
        "metadata": {"name": "mypod", "namespace": "default"},
        "spec": spec,
        "status": {"podIP": POD_ADDRESS, "podIPs": [{"ip": POD_ADDRESS}], "phase": "Running"},
    }
    return msgspec.convert(raw, Pod)


def files(subject: Pod) -> dict[str, str]:
    """What the container finds in /etc."""
    made = pod_resolv_conf(subject, KUBELET)
    assert not made.problem
    names = pod_hostname(subject, KUBELET.cluster_domain)
    return {"resolv.conf": made.text, "hosts": pod_hosts(subject, names)}
