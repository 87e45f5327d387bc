"""Zone transfers from the real CoreDNS and from ours."""

import time
from collections.abc import Iterator

import pytest

from tests.real.asking import Ask
from tests.real.corefiles import COREFILES
from tests.real.generated import fixture, generated
from tests.real.network import Network, filled
from tests.real.ours import answered, serving
from tests.real.selecting import Json
from tests.real.test_coredns import LOCAL, OWN, differences

TRANSFER = COREFILES["plain"].replace("errors\n", "errors\n    transfer {\n        to *\n    }\n")
ASKS = [
    Ask(zone, kind, transport)
    for zone in (LOCAL, "svc.cluster.local.", "nosuch.", "10.in-addr.arpa.")
    for kind in ("AXFR", "IXFR")
    for transport in ("tcp", "udp")
]


def numbered(objects: list[Json]) -> Iterator[Json]:
    """The cluster with a number for every port, and a cluster DNS of one address."""
    for obj in objects:
        for port in obj.get("ports") or ():
            port["port"] = port["port"] or 1
        if obj["kind"] == "Service" and obj["metadata"]["name"] == "kube-dns":
            obj["spec"]["clusterIPs"] = [obj["spec"]["clusterIP"]]
        yield obj


@pytest.mark.parametrize("seed", [None, *range(6)])
def test_same_transfer(network: Network, seed: int | None) -> None:
    objects = [*numbered(fixture() if seed is None else generated(seed))]
    with network.api(objects) as api:
        corefile = filled(TRANSFER, api)
        with network.coredns(corefile):
            assert differences(network, serving(objects, corefile, OWN), ASKS) == []


def test_a_second_address_of_cluster_dns_ends_the_real_one_but_not_ours(network: Network) -> None:
    """CoreDNS 1.13.2 closes a channel for each nameserver (xfr.go): the second is a panic."""
    objects = [*numbered(fixture())]
    for obj in objects:
        if obj["kind"] == "Service" and obj["metadata"]["name"] == "kube-dns":
            obj["spec"]["clusterIPs"] = ["10.43.0.10", "fd00:43::10"]
    ask = Ask(LOCAL, "AXFR", "tcp")
    with network.api(objects) as api:
        corefile = filled(TRANSFER, api)
        with network.coredns(corefile) as real:
            network.ask(ask)
            assert real.process.wait(10) != 0
            assert "panic: send on closed channel" in real.log.read_text()
        found = answered(serving(objects, corefile, OWN), ask, time.monotonic()).answer
    assert [record.type for record in found].count("SOA") == 2
    assert {record.data for record in found if record.type == "NS"} == {
        "kube-dns.kube-system.svc.cluster.local."
    }
