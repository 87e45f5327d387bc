"""Where our answers are known to differ from CoreDNS's; a test that passes says so."""

import pytest

from kubehop.model.changes import between
from tests.real.asking import Ask
from tests.real.corefiles import COREFILES
from tests.real.network import Network, filled
from tests.real.ours import cluster_of, serving
from tests.real.selecting import Json
from tests.real.test_coredns import LOCAL, OWN, differences
from tests.real.test_corefile_errors import ours_of, real_of
from tests.real.test_transfer import TRANSFER

DEMO: Json = {"kind": "Namespace", "metadata": {"name": "demo"}}


def service(name: str, **spec: object) -> Json:
    metadata = {"namespace": "demo", "name": name}
    headless = {"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"], "ports": []}
    return {"kind": "Service", "metadata": metadata, "spec": headless | spec}


def endpoint_slice(service: str, kind: str, addresses: list[str], ports: list[Json]) -> Json:
    labels = {"kubernetes.io/service-name": service}
    metadata = {"namespace": "demo", "name": f"{service}-{kind.lower()}", "labels": labels}
    endpoints = [{"addresses": [address]} for address in addresses]
    found: Json = {"kind": "EndpointSlice", "metadata": metadata, "addressType": kind}
    return found | {"endpoints": endpoints, "ports": ports}


def pod(address: str, terminating: bool) -> Json:
    metadata: Json = {"namespace": "demo", "name": f"pod-{address[-1]}"}
    if terminating:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"kind": "Pod", "metadata": metadata, "status": {"podIP": address, "phase": "Running"}}


@pytest.mark.xfail(reason="slices of host names make CNAMEs in CoreDNS, and nothing in ours")
def test_slices_of_host_names(network: Network) -> None:
    hosts = ["example.com", "nosuch.example.net"]
    objects = [DEMO, service("out"), endpoint_slice("out", "FQDN", hosts, [])]
    with network.api(objects) as api:
        corefile = filled(COREFILES["verified"], api)
        with network.coredns(corefile):
            asks = [Ask(f"out.demo.svc.{LOCAL}", kind) for kind in ("A", "AAAA", "SRV", "CNAME")]
            assert differences(network, serving(objects, corefile, OWN), asks) == []


@pytest.mark.xfail(reason="a transfer lists port 65535 where a slice's port has no number")
def test_ports_without_a_number_in_a_transfer(network: Network) -> None:
    ports = [{"name": "any", "protocol": "TCP", "port": None}]
    objects = [DEMO, service("all", ports=[{"name": "any", "port": 80}])]
    objects.append(endpoint_slice("all", "IPv4", ["10.42.0.9"], ports))
    metadata = {"namespace": "demo", "name": "dns"}
    cluster_ip = {
        "type": "ClusterIP",
        "clusterIP": "10.43.0.10",
        "clusterIPs": ["10.43.0.10"],
        "ports": [{"port": 53}],
    }
    objects.append({"kind": "Service", "metadata": metadata, "spec": cluster_ip})
    objects.append(endpoint_slice("dns", "IPv4", list(OWN), []))
    with network.api(objects) as api:
        corefile = filled(TRANSFER, api)
        with network.coredns(corefile):
            asks = [Ask(LOCAL, "AXFR", "tcp")]
            assert differences(network, serving(objects, corefile, OWN), asks) == []


@pytest.mark.xfail(reason="CoreDNS never hears of a pod that is terminating when it is listed")
def test_terminating_pods(network: Network) -> None:
    objects = [DEMO, pod("10.42.0.8", terminating=True), pod("10.42.0.9", terminating=False)]
    asks = [Ask(f"10-42-0-{n}.demo.pod.{LOCAL}", "A") for n in (8, 9)]
    with network.api(objects) as api:
        corefile = filled(COREFILES["verified"], api)
        ours = serving(objects, corefile, OWN)
        with network.coredns(corefile):
            before = differences(network, ours, asks)
            # One that it knows stays known until it is gone.
            after = [DEMO, *(pod(f"10.42.0.{n}", terminating=True) for n in (8, 9))]
            api.put(*after[1:])
            ours.apply(between(cluster_of(objects), cluster_of(after)))
            assert before + differences(network, ours, asks) == []


@pytest.mark.xfail(reason="minimal panics where the next plugin writes nothing: SERVFAIL")
def test_minimal_without_a_reply(network: Network) -> None:
    with network.api([DEMO]) as api:
        corefile = filled(COREFILES["minimal"], api)
        with network.coredns(corefile):
            ours = serving([DEMO], corefile, OWN)
            assert differences(network, ours, [Ask(f"demo.svc.{LOCAL}", "AXFR")]) == []


@pytest.mark.xfail(reason="CoreDNS looks for itself among the slices that `labels` selects only")
def test_nameserver_that_labels_pass_by(network: Network) -> None:
    cluster_ip = {"type": "ClusterIP", "clusterIP": "10.43.0.10", "clusterIPs": ["10.43.0.10"]}
    dns = service("dns", **cluster_ip, ports=[{"port": 53}])
    objects = [DEMO, dns, endpoint_slice("dns", "IPv4", list(OWN), [])]
    with network.api(objects) as api:
        corefile = filled(COREFILES["labels"], api)
        with network.coredns(corefile):
            asks = [Ask(LOCAL, "NS"), Ask(f"ns.dns.{LOCAL}", "A")]
            assert differences(network, serving(objects, corefile, OWN), asks) == []


@pytest.mark.xfail(
    reason="CoreDNS names the property that it does not know, ours its last argument"
)
def test_unknown_property_of_health(network: Network) -> None:
    text = ". {\nhealth {\nfoo 5s 3s\n}\n}"
    assert ours_of(text) == real_of(network, text)
