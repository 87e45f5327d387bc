"""Objects and Corefiles that are rare, and what CoreDNS makes of them."""

from kubehop.dns.message import Kind
from kubehop.model.changes import between
from tests.real.asking import Ask
from tests.real.corefiles import COREFILES
from tests.real.network import Network, filled
from tests.real.ours import answered, cluster_of, serving
from tests.real.selecting import Json
from tests.real.test_coredns import LOCAL, OWN, change, differences, wait_for
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


def pod(address: str, *, ends: bool = False) -> Json:
    metadata: Json = {"namespace": "demo", "name": f"pod-{address[-1]}"}
    if ends:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"kind": "Pod", "metadata": metadata, "status": {"podIP": address, "phase": "Running"}}


def test_slices_of_host_names(network: Network) -> None:
    hosts = ["example.com", "nosuch.example.net"]
    objects = [DEMO, service("out"), endpoint_slice("out", "FQDN", hosts, [])]
    with network.api(objects) as api:
        corefile = filled(COREFILES["verified"], api)
        with network.coredns(corefile):
            asks = [Ask(f"out.demo.svc.{LOCAL}", kind) for kind in ("A", "AAAA", "SRV", "CNAME")]
            assert differences(network, serving(objects, corefile, OWN), asks) == []


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


def asks_for_pods(*numbers: int) -> list[Ask]:
    return [Ask(f"10-42-0-{n}.demo.pod.{LOCAL}", "A") for n in numbers]


def test_pods_keep_their_names_until_they_are_gone(network: Network) -> None:
    """What is heard of a pod that ends is passed by, its new address as well as the old one."""
    objects = [DEMO, pod("10.42.0.8"), pod("10.42.0.9")]
    ending = [pod("10.42.0.7", ends=True), pod("10.42.0.8", ends=True)]
    moved = pod("10.42.0.9", ends=True)
    moved["status"]["podIP"] = "10.42.0.6"
    with network.api(objects) as api:
        corefile = filled(COREFILES["verified"], api)
        ours = serving(objects, corefile, OWN)
        with network.coredns(corefile):
            change(api, objects, [DEMO, *ending, moved], "1")
            wait_for(network, "1")
            ours.apply(between(cluster_of(objects), cluster_of([DEMO, *ending, moved])))
            assert differences(network, ours, asks_for_pods(6, 7, 8, 9)) == []
            known = [ask.name for ask in asks_for_pods(6, 7, 8, 9) if network.ask(ask)[0].answer]
            assert known == [ask.name for ask in asks_for_pods(8, 9)]
            change(api, [DEMO, *ending, moved], [DEMO], "2")
            wait_for(network, "2")
            ours.apply(between(cluster_of([DEMO, *ending, moved]), cluster_of([DEMO])))
            assert differences(network, ours, asks_for_pods(6, 7, 8, 9)) == []


def test_only_a_coredns_that_starts_later_does_not_know_a_pod_that_ends(network: Network) -> None:
    """A cluster does not tell when CoreDNS started: ours takes it to have run all the time."""
    objects = [DEMO, pod("10.42.0.8", ends=True)]
    (ask,) = asks_for_pods(8)
    with network.api(objects) as api:
        corefile = filled(COREFILES["verified"], api)
        with network.coredns(corefile):
            assert network.ask(ask)[0].kind is Kind.NXDOMAIN
        assert answered(serving(objects, corefile, OWN), ask).kind is Kind.ANSWER


def test_minimal_without_a_reply(network: Network) -> None:
    with network.api([DEMO]) as api:
        corefile = filled(COREFILES["minimal"], api)
        with network.coredns(corefile):
            ours = serving([DEMO], corefile, OWN)
            assert differences(network, ours, [Ask(f"demo.svc.{LOCAL}", "AXFR")]) == []


def test_nameserver_that_labels_pass_by(network: Network) -> None:
    cluster_ip = {"type": "ClusterIP", "clusterIP": "10.43.0.10", "clusterIPs": ["10.43.0.10"]}
    dns = service("dns", **cluster_ip, ports=[{"port": 53}])
    objects = [DEMO, dns, endpoint_slice("dns", "IPv4", list(OWN), [])]
    with network.api(objects) as api:
        corefile = filled(COREFILES["labels"], api)
        with network.coredns(corefile):
            asks = [Ask(LOCAL, "NS"), Ask(f"ns.dns.{LOCAL}", "A")]
            assert differences(network, serving(objects, corefile, OWN), asks) == []


def test_unknown_property_of_health(network: Network) -> None:
    text = ". {\nhealth {\nfoo 5s 3s\n}\n}"
    assert ours_of(text) == real_of(network, text)
