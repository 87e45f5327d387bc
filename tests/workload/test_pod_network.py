"""The pod network is recognised by the names of its agents."""

import pytest

from kubehop.workload.options import Options
from tests.workload.making import cluster, node, pod

DAEMON_SET = """
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: {}, namespace: kube-system}}
spec: {{template: {{spec: {{hostNetwork: true, containers: [{{name: c}}]}}}}}}
"""
HOST = "hostNetwork: true"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "canal"),
        (node("n1"), "unknown"),
        (DAEMON_SET.format("kube-flannel-ds"), "flannel"),
        (DAEMON_SET.format("rke2-canal"), "canal"),
        (DAEMON_SET.format("kube-flannel-ds") + DAEMON_SET.format("canal"), "canal"),
        (DAEMON_SET.format("calico-node"), "calico"),
        (node("n1") + pod("kindnet-x7f2p", HOST), "kindnet"),
        (node("n1") + pod("aws-node-x7f2p", HOST), "aws-vpc"),
        (node("n1") + pod("canal-boats-7d4b9-x2x8p"), "unknown"),
    ],
)
def test_recognised(text: str, name: str) -> None:
    assert cluster(text).pod_network.name == name


def test_the_option_wins() -> None:
    made = cluster(DAEMON_SET.format("canal"), Options(pod_network="calico"))
    assert made.pod_network.name == "calico"
    assert not [line for line in made.assumptions if "pod network" in line]
