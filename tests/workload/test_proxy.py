"""kube-proxy's configuration: from its ConfigMap, the options, or assumed."""

import textwrap

import pytest

from kubehop.model.errors import InputError
from kubehop.model.proxy import DetectLocal, ProxyConfig, ProxyMode
from kubehop.workload.options import Options
from tests.workload.making import cluster, deployment, node, pod

IPTABLES, NFTABLES = ProxyMode.IPTABLES, ProxyMode.NFTABLES


def config_map(text: str) -> str:
    body = textwrap.indent(textwrap.dedent(text), "    ")
    return f"""
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: kube-proxy, namespace: kube-system}}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
{body}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ProxyConfig(mode=IPTABLES)),
        ("mode: ''", ProxyConfig(mode=IPTABLES)),
        ("mode: nftables", ProxyConfig(mode=NFTABLES)),
        (
            "mode: ipvs\nipvs: {scheduler: lc}",
            ProxyConfig(mode=ProxyMode.IPVS, ipvs_scheduler="lc"),
        ),
        ("mode: ipvs\nipvs: {scheduler: ''}", ProxyConfig(mode=ProxyMode.IPVS)),
        ("clusterCIDR: 10.1.0.0/16", ProxyConfig(mode=IPTABLES, cluster_cidrs=("10.1.0.0/16",))),
        (
            "clusterCIDR: 10.1.0.0/16,fd00::/48",
            ProxyConfig(mode=IPTABLES, cluster_cidrs=("10.1.0.0/16", "fd00::/48")),
        ),
        ("clusterCIDR: null", ProxyConfig(mode=IPTABLES)),
        (
            "detectLocalMode: NodeCIDR",
            ProxyConfig(mode=IPTABLES, detect_local=DetectLocal.NODE_CIDR),
        ),
        ("detectLocalMode: ''", ProxyConfig(mode=IPTABLES)),
        (
            "iptables: {masqueradeAll: true, localhostNodePorts: false}",
            ProxyConfig(mode=IPTABLES, masquerade_all=True, localhost_nodeports=False),
        ),
        ("nftables: {masqueradeAll: true}", ProxyConfig(mode=IPTABLES)),
        (
            "mode: nftables\nnftables: {masqueradeAll: true}",
            ProxyConfig(mode=NFTABLES, masquerade_all=True),
        ),
        ("nodePortAddresses: null", ProxyConfig(mode=IPTABLES)),
        ("nodePortAddresses: []", ProxyConfig(mode=IPTABLES)),
        (
            "nodePortAddresses: [primary]",
            ProxyConfig(mode=IPTABLES, nodeport_addresses=("primary",)),
        ),
        (
            "featureGates: {PreferSameTrafficDistribution: false, Other: true}",
            ProxyConfig(mode=IPTABLES, same_node_hints=False),
        ),
    ],
)
def test_config_map(text: str, expected: ProxyConfig) -> None:
    made = cluster(config_map(text))
    assert made.proxy == expected
    assert not [line for line in made.assumptions if "kube-proxy" in line or "cluster CIDR" in line]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mode: userspace", "mode: 'userspace' is none of nftables, iptables, ipvs"),
        ("detectLocalMode: Guess", "detectLocalMode: 'Guess' is none of ClusterCIDR, NodeCIDR,"),
        ("clusterCIDR: 10.1.0.0/99", "clusterCIDR: '10.1.0.0/99' is not a CIDR"),
        ("nodePortAddresses: [eth0]", "nodePortAddresses: 'eth0' is not a CIDR"),
        ("iptables: {masqueradeAll: maybe}", "Expected `bool | null`, got `str`"),
        ("mode: [", "line "),
    ],
)
def test_a_config_map_that_kube_proxy_would_refuse(text: str, problem: str) -> None:
    with pytest.raises(InputError) as raised:
        cluster(config_map(text))
    message = str(raised.value)
    assert message.startswith("ConfigMap kube-system/kube-proxy: data.config.conf: ")
    assert problem in message


@pytest.mark.parametrize(
    ("text", "expected", "line"),
    [
        (
            deployment("web"),
            ProxyConfig(cluster_cidrs=("10.42.0.0/16",)),
            "cluster CIDR assumed: 10.42.0.0/16",
        ),
        (
            node("n1", "podCIDR: 10.1.1.0/24") + node("n2", "podCIDR: 10.1.2.0/24"),
            ProxyConfig(cluster_cidrs=("10.1.0.0/22",)),
            "cluster CIDR assumed: 10.1.0.0/22",
        ),
        (
            node("n1", "podCIDR: 192.0.2.0/26") + node("n2", "podCIDR: 192.0.2.128/26"),
            ProxyConfig(detect_local=DetectLocal.NODE_CIDR),
            "cluster CIDR assumed: none, detectLocalMode NodeCIDR",
        ),
        (
            node("n1") + pod("a", "nodeName: n1", "phase: Running, podIP: 192.0.2.1"),
            ProxyConfig(detect_local=DetectLocal.NONE),
            "cluster CIDR assumed: none, detectLocalMode none",
        ),
        (
            node("n1") + pod("a", "nodeName: n1, hostNetwork: true"),
            ProxyConfig(detect_local=DetectLocal.NONE),
            "cluster CIDR assumed: none, detectLocalMode none",
        ),
    ],
)
def test_assumed(text: str, expected: ProxyConfig, line: str) -> None:
    made = cluster(text)
    assert made.proxy == expected
    assert line in made.assumptions


def test_options_win_one_by_one() -> None:
    options = Options(
        proxy_mode=ProxyMode.IPVS,
        detect_local=DetectLocal.NODE_CIDR,
        cluster_cidrs=("10.5.0.0/16",),
        nodeport_addresses=("primary",),
        masquerade_all=True,
    )
    expected = ProxyConfig(
        mode=ProxyMode.IPVS,
        detect_local=DetectLocal.NODE_CIDR,
        cluster_cidrs=("10.5.0.0/16",),
        nodeport_addresses=("primary",),
        masquerade_all=True,
        localhost_nodeports=False,
    )
    text = config_map("mode: iptables\niptables: {localhostNodePorts: false}")
    assert cluster(text, options).proxy == expected
    assert cluster("", Options(masquerade_all=True)).proxy.cluster_cidrs == ("10.42.0.0/16",)
