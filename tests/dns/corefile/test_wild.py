"""Corefiles of real clusters: all are understood, and what is not modelled is named."""

import msgspec
import pytest

from kubehop.dns.chain import Asked, Serving
from kubehop.dns.corefile import cluster_domain, corefile_of, parse
from kubehop.dns.corefile.plugins.forward import Forward
from kubehop.dns.corefile.plugins.hosts import Hosts
from kubehop.dns.message import Question
from kubehop.dns.zone import ZoneData
from kubehop.model.cluster import Cluster
from kubehop.model.config import ConfigMap
from kubehop.model.errors import InputError
from tests.dns.corefile.wild import KUBEADM_OLD, KUBEADM_OLDEST, NODE_LOCAL, WILD
from tests.dns.zone.objects import cluster, service

FILES = {"/etc/resolv.conf": "nameserver 10.0.0.2\nsearch example.org\n"}
IMPORTS = "import: no file matches {}"
NOTES = {
    "k3s": {
        "hosts: the entries of /etc/coredns/NodeHosts are not known",
        IMPORTS.format("/etc/coredns/custom/*.override"),
        IMPORTS.format("/etc/coredns/custom/*.server"),
    },
    "AKS": {IMPORTS.format("custom/*.override"), IMPORTS.format("custom/*.server")},
    "DigitalOcean": {IMPORTS.format("custom/*.override"), IMPORTS.format("custom/*.server")},
    "Gardener": {IMPORTS.format("custom/*.override"), IMPORTS.format("custom/*.server")},
    "OVH": {IMPORTS.format("custom/*.include"), IMPORTS.format("custom/*.server")},
    "OpenShift": {"forward: 10.0.0.54:5353 speaks another protocol than the first, left out"},
    "with snippets": {"acl: this plugin is not modelled"},
}
WEB = cluster(service("default/web", "10.43.0.1"))


@pytest.mark.parametrize("name", WILD)
def test_it_is_understood(name: str) -> None:
    found = parse(WILD[name], files=FILES)
    assert set(found.notes) == NOTES.get(name, set())
    plugins = [plugin for block in found.blocks for plugin in block.plugins]
    assert all(plugin.servers for plugin in plugins if isinstance(plugin, Forward))


@pytest.mark.parametrize("name", [name for name in WILD if name != "node-local-dns"])
def test_its_cluster_answers(name: str) -> None:
    corefile = parse(WILD[name], files=FILES)
    assert cluster_domain(corefile) == "cluster.local."
    question = Question("web.default.svc.cluster.local.", "A")
    with pytest.raises(StopIteration) as done:
        next(Serving(corefile, ZoneData.of(WEB)).answer(Asked(question), 0.0))
    assert [record.data for record in done.value.value.answer] == ["10.43.0.1"]


def test_the_oldest_ones_are_refused_as_every_newer_coredns_does() -> None:
    """CoreDNS 1.5 took out `proxy`, 1.7 the option `upstream`: clusters of 2019 and before."""
    for text, problem in (
        (KUBEADM_OLDEST, "Corefile:9 - Error during parsing: Unknown directive 'proxy'"),
        (KUBEADM_OLD, "plugin/kubernetes: Corefile:6 - Error during parsing: unknown property"),
    ):
        with pytest.raises(InputError) as error:
            parse(text, files=FILES)
        assert str(error.value).startswith(problem)


def test_a_placeholder_is_named_once() -> None:
    with pytest.raises(InputError) as error:
        parse(NODE_LOCAL)
    problem = "__PILLAR__CLUSTER__DNS__ is a placeholder: it is filled in before CoreDNS starts"
    assert str(error.value) == f"Corefile:10: {problem}"
    with pytest.raises(InputError, match=r"^Corefile:1: __PILLAR__DNS__DOMAIN__ is a placeholder"):
        parse(NODE_LOCAL.replace("cluster.local", "__PILLAR__DNS__DOMAIN__"))


def test_node_local_dns_listens_on_its_own_addresses() -> None:
    found = parse(WILD["node-local-dns"], files=FILES)
    assert {block.listen for block in found.blocks} == {("169.254.20.10", "10.96.0.10")}


def config_map(name: str, **data: str) -> ConfigMap:
    raw = {"metadata": {"name": name, "namespace": "kube-system"}, "data": data}
    return msgspec.convert(raw, ConfigMap)


@pytest.mark.parametrize("name", ["k3s", "AKS", "DigitalOcean", "Gardener"])
def test_what_it_imports_is_taken_from_the_config_map_of_users(name: str) -> None:
    custom = {
        "log.override": "minimal",
        "corp.server": "corp.example:53 {\n forward . 10.9.9.9\n}",
        "README": "not imported {",
    }
    maps = (config_map("coredns", Corefile=WILD[name]), config_map("coredns-custom", **custom))
    found = corefile_of(Cluster(config_maps=maps), files=FILES)
    assert not any(note.startswith("import") for note in found.notes)
    assert [block.zones for block in found.blocks] == [(".",), ("corp.example.",)]
    assert "minimal" in {plugin.name for plugin in found.blocks[0].plugins}


def test_k3s_keeps_its_nodes_beside_the_corefile() -> None:
    data = {"Corefile": WILD["k3s"], "NodeHosts": "10.0.0.5 node-1\nfd00::5 node-1\n"}
    found = corefile_of(Cluster(config_maps=(config_map("coredns", **data),)), files=FILES)
    (hosts,) = [plugin for plugin in found.blocks[0].plugins if isinstance(plugin, Hosts)]
    assert (hosts.a["node-1."], hosts.aaaa["node-1."]) == (("10.0.0.5",), ("fd00::5",))
    assert hosts.notes == ()
