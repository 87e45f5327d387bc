"""Which Corefile a cluster's DNS runs with."""

import msgspec
import pytest

from kubehop.dns.corefile import KUBEADM, cluster_domain, corefile_of, parse
from kubehop.model.cluster import Cluster
from kubehop.model.config import ConfigMap
from kubehop.model.errors import InputError


def with_corefile(text: str) -> Cluster:
    metadata = {"name": "coredns", "namespace": "kube-system"}
    config = msgspec.convert({"metadata": metadata, "data": {"Corefile": text}}, ConfigMap)
    return Cluster(config_maps=(config,))


def test_the_clusters_own() -> None:
    found = corefile_of(with_corefile(". {\nkubernetes corp.internal in-addr.arpa\n}"))
    assert found.notes == ()
    assert cluster_domain(found) == "corp.internal."


def test_kubeadms_is_assumed_without_one() -> None:
    found = corefile_of(Cluster(), files={"/etc/resolv.conf": "nameserver 10.0.0.1"})
    assert found.notes == ("no ConfigMap kube-system/coredns: kubeadm's Corefile is assumed",)
    assert found.blocks == parse(KUBEADM, files={"/etc/resolv.conf": "nameserver 10.0.0.1"}).blocks
    assert cluster_domain(found) == "cluster.local."


def test_an_error_names_the_config_map() -> None:
    with pytest.raises(InputError) as error:
        corefile_of(with_corefile(". {\nfoo\n}"))
    assert str(error.value) == (
        "ConfigMap kube-system/coredns: Corefile:2 - Error during parsing: Unknown directive 'foo'"
    )


def test_without_a_kubernetes_plugin_the_domain_is_the_usual_one() -> None:
    assert cluster_domain(parse(". {\nlog\n}")) == "cluster.local."
