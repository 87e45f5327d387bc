"""Packets through a lab: what the reference says, section by section, without `trace` between."""

import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from kubehop.lab.kernel import Base
from kubehop.lab.plan.rules import (
    balancer_ruleset,
    change_text,
    flows_to_forget,
    load_text,
    node_rulesets,
)
from kubehop.lab.plan.values import FABRIC, OUTSIDE, Nft, node_namespace, pod_namespace
from kubehop.lab.probe import Observed, Probe
from kubehop.model.cluster import Cluster
from kubehop.model.pod_network import POD_NETWORKS
from kubehop.model.service import Service
from kubehop.trace.values import Verdict
from tests.clusters import UNREADY, balanced, behind, cluster, endpoint, node, pod, service
from tests.lab.differential.stand import Stand, standing
from tests.lab.inside import as_everyone, in_lab

PORT = {"containerPort": 8080}
UDP_PORT = {"containerPort": 8080, "protocol": "UDP"}
CLIENT = "203.0.113.9"
A, B, C = "10.42.0.2", "10.42.1.2", "10.42.2.2"
PODS = (
    pod("a", A, "n0", PORT, UDP_PORT),
    pod("b", B, "n1", PORT, UDP_PORT),
    pod("c", C, "n2", PORT, UDP_PORT),
    pod("client", "10.42.1.9", "n1"),
)
ENDPOINTS = tuple(endpoint(address, f"n{at}") for at, address in enumerate((A, B, C)))
ORIGINS = {
    "pod": (pod_namespace("default", "client"), "10.42.1.9"),
    "node": (node_namespace("n1"), ""),
    "outside": (OUTSIDE, CLIENT),
}
PATIENCE, BRIEFLY = 10.0, 0.5
"""Seconds for an answer that is expected, however busy the machine is; and for one that is not."""
CHOICES = 40
"""Connections among three: that one is missed has the chance 3 * (2/3)**40, 3e-7."""


def of(subject: Service, *endpoints: Any, **more: Any) -> Cluster:
    return cluster(*PODS, subject, *behind(subject, *endpoints), **more)


def seen(stand: Stand, origin: str, address: str, port: int, **more: Any) -> list[Observed]:
    namespace, source = ORIGINS[origin]
    count, patience = more.pop("count", CHOICES), more.pop("patience", PATIENCE)
    return stand.prober.run(
        [Probe(namespace, source, address, port, count=count, **more)], patience
    )


def pods(found: Iterable[Observed]) -> set[str]:
    return {one.pod.removeprefix("default/") or one.verdict for one in found}


def sources(found: Iterable[Observed]) -> set[str]:
    return {one.source_seen for one in found}


FRONTENDS = {
    "nodeport": ("192.168.0.11", 30080),
    "externalip": ("198.51.100.77", 80),
    "loadbalancer": ("198.51.100.1", 80),
}
KEPT = {"pod": {"10.42.1.9"}, "outside": {CLIENT}}
OPEN = {"externalIPs": ["198.51.100.77"]}


@in_lab
def test_external_frontends_under_policy_cluster(base: Base) -> None:
    """Section 3.3, row 1: anyone gets any endpoint and is masqueraded."""
    with standing(base, of(balanced(**OPEN), *ENDPOINTS)) as stand:
        for address, port in FRONTENDS.values():
            for origin in ORIGINS:
                found = seen(stand, origin, address, port)
                assert pods(found) == {"a", "b", "c"}, (address, origin)
                assert not sources(found) & {"10.42.1.9", CLIENT}, (address, origin)


@in_lab
def test_external_frontends_under_policy_local(base: Base) -> None:
    """Section 3.3, rows 2 to 4: pods and the node itself take the short circuit."""
    subject = balanced(**OPEN, externalTrafficPolicy="Local")
    with standing(base, of(subject, *ENDPOINTS)) as stand:
        for kind, (address, port) in FRONTENDS.items():
            by_pod = seen(stand, "pod", address, port)
            assert pods(by_pod) == {"a", "b", "c"}
            assert sources(by_pod) == {"10.42.1.9"}
            assert pods(seen(stand, "node", address, port)) == {"a", "b", "c"}
            outside = seen(stand, "outside", address, port)
            assert pods(outside) == ({"b"} if kind == "nodeport" else {"a", "b", "c"})
            assert sources(outside) == {CLIENT}
            assert {one.crossings for one in outside} == {0}


@in_lab
def test_policy_local_without_local_endpoint_drops_others_alone(base: Base) -> None:
    subject = balanced(externalTrafficPolicy="Local")
    with standing(base, of(subject, ENDPOINTS[0])) as stand:
        node_port = FRONTENDS["nodeport"]
        outside = seen(stand, "outside", *node_port, count=3, patience=BRIEFLY)
        assert {one.verdict for one in outside} == {Verdict.DROPPED}
        for origin in ("pod", "node"):
            assert pods(seen(stand, origin, *node_port, count=3)) == {"a"}
        assert pods(seen(stand, "outside", *FRONTENDS["loadbalancer"], count=9)) == {"a"}


@in_lab
def test_cluster_ips(base: Base) -> None:
    """Section 3.2: pods keep their address, the node does not; hairpin (3.5)."""
    with standing(base, of(service(), *ENDPOINTS)) as stand:
        by_pod = seen(stand, "pod", "10.43.0.1", 80)
        assert (pods(by_pod), sources(by_pod)) == ({"a", "b", "c"}, {"10.42.1.9"})
        assert pods(seen(stand, "node", "10.43.0.1", 80)) == {"a", "b", "c"}
        probe = Probe(pod_namespace("default", "b"), "", "10.43.0.1", 80, count=CHOICES)
        own = stand.prober.run([probe], PATIENCE)
        kept = {one.pod: one.source_seen == B for one in own}
        assert kept == {"default/a": True, "default/b": False, "default/c": True}


@in_lab
def test_an_endpoint_may_meet_itself_on_another_node(base: Base) -> None:
    """Section 3.5: whatever the policy, where the pod network leaves a pod its own address."""
    subject = service(type="NodePort", externalTrafficPolicy="Local")
    (bare,) = (one for one in POD_NETWORKS if not one.masquerades_to_nodes)
    with standing(base, of(subject, ENDPOINTS[1], pod_network=bare)) as stand:
        probe = Probe(pod_namespace("default", "b"), "", "192.168.0.10", 30080, count=3)
        found = stand.prober.run([probe], PATIENCE)
        assert (pods(found), sources(found)) == ({"b"}, {"192.168.0.10"})


@in_lab
def test_what_was_translated_is_not_guarded_again(base: Base) -> None:
    """Section 8: in mode ipvs every port of a Service's address is guarded, n0's own here; a
    packet that was translated to it is for n0 to judge."""
    subject = service(externalIPs=["192.168.0.10"])
    of_node = of(subject, endpoint("192.168.0.10", "n0"), mode="ipvs")
    with standing(base, of_node) as stand:
        (found,) = seen(stand, "pod", "10.43.0.1", 80, count=1)
        assert (found.verdict, found.crossings) == (Verdict.REJECTED, 1)


MODES: dict[str, tuple[str, str]] = {
    # mode: a port that the Service has not, an address that no Service has
    "nftables": ("rejected", "dropped"),
    "iptables": ("unrouted", "unrouted"),
    "ipvs": ("rejected", "unrouted"),
}


@pytest.mark.parametrize("mode", MODES)
@as_everyone
@in_lab
def test_what_no_frontend_has(base: Base, mode: str, uid: int | None) -> None:
    """Section 8: where the modes differ. Where kube-proxy does nothing, nothing leads there."""
    del uid
    undefined, unallocated = MODES[mode]
    with standing(base, of(service(), *ENDPOINTS, mode=mode)) as stand:
        # Of a route that leads nowhere, the kernel tells a sender five times at once and then
        # once a second (ip_error): these are four.
        for origin, protocol in (("pod", "TCP"), ("node", "UDP")):
            found = [
                seen(stand, origin, address, 81, protocol=protocol, count=1,
                     patience=BRIEFLY if expected == "dropped" else PATIENCE)[0].verdict
                for address, expected in (("10.43.0.1", undefined), ("10.43.7.7", unallocated))
            ]  # fmt: skip
            assert found == [undefined, unallocated], origin


@in_lab
def test_no_endpoint_is_refused_at_once_for_everybody(base: Base) -> None:
    """Sections 3.7 and 11: connect fails with ECONNREFUSED, long before a SYN is sent again."""
    subject = service(type="NodePort")
    with standing(base, of(subject, endpoint(A, "n0", UNREADY))) as stand:
        for origin in ("pod", "node"):
            for where in (("10.43.0.1", 80), FRONTENDS["nodeport"]):
                with stand.kernel.inside(ORIGINS[origin][0]), socket.socket() as client:
                    client.settimeout(5)
                    begun = time.monotonic()
                    with pytest.raises(ConnectionRefusedError):
                        client.connect(where)
                    assert time.monotonic() - begun < 1, (origin, where)  # TCP_TIMEOUT_INIT


@in_lab
def test_source_ranges_guard_load_balancer_addresses_alone(base: Base) -> None:
    """Section 1.5."""
    subject = balanced(**OPEN, loadBalancerSourceRanges=["203.0.113.0/28", "10.42.1.0/24"])
    with standing(base, of(subject, *ENDPOINTS)) as stand:
        vip = FRONTENDS["loadbalancer"]
        for origin, verdict, patience in (
            ("pod", "delivered", PATIENCE),
            ("outside", "delivered", PATIENCE),
            ("node", "dropped", BRIEFLY),
        ):
            assert seen(stand, origin, *vip, count=1, patience=patience)[0].verdict == verdict
        stranger = Probe(OUTSIDE, "203.0.113.77", *vip)
        assert stand.prober.run([stranger], BRIEFLY)[0].verdict is Verdict.DROPPED
        others = [replace(stranger, destination=a, port=p) for a, p in FRONTENDS.values()][:2]
        assert {o.verdict for o in stand.prober.run(others, PATIENCE)} == {Verdict.DELIVERED}


def change(stand: Stand, old: Cluster, new: Cluster) -> None:
    """The rules of another cluster; its pods are the same."""
    before, after = node_rulesets(old), node_rulesets(new, old)
    texts = {node_namespace(n): change_text(before[n], after[n]) for n in before}
    stand.kernel.apply([Nft(where, text) for where, text in texts.items() if text])
    stand.kernel.apply(flows_to_forget(old, new))


def sticky(seconds: int) -> Service:
    config = {"clientIP": {"timeoutSeconds": seconds}}
    return service(type="NodePort", sessionAffinity="ClientIP", sessionAffinityConfig=config)


@in_lab
def test_affinity_is_a_service_ports_and_goes_with_the_endpoint(base: Base) -> None:
    """Section 4: shared by the frontends of a Service port; a client of an endpoint that goes is
    drawn again, and not remembered by it when it comes back."""
    whole = of(sticky(10_800), *ENDPOINTS)
    with standing(base, whole) as stand:
        (first,) = pods(seen(stand, "pod", "10.43.0.1", 80))
        assert pods(seen(stand, "pod", *FRONTENDS["nodeport"])) == {first}
        left = [e for e, name in zip(ENDPOINTS, "abc", strict=True) if name != first]
        fewer = of(sticky(10_800), *left)
        change(stand, whole, fewer)
        (second,) = pods(seen(stand, "pod", "10.43.0.1", 80))
        assert second != first
        change(stand, fewer, whole)
        assert pods(seen(stand, "pod", "10.43.0.1", 80)) == {second}


@in_lab
def test_affinity_ends_with_its_timeout(base: Base) -> None:
    with standing(base, of(sticky(1), *ENDPOINTS)) as stand:
        found = set()
        for _ in range(12):
            found |= pods(seen(stand, "pod", "10.43.0.1", 80, count=1))
            if len(found) > 1:
                break
            time.sleep(1.2)
        # Twelve draws of one in three: all the same has the chance 6e-6.
        assert len(found) > 1


@in_lab
def test_a_udp_flow_leaves_an_endpoint_that_went(base: Base) -> None:
    """Section 6: the same five-tuple would stay with the old endpoint as long as it sends."""
    subject = service(ports=[{"port": 80, "protocol": "UDP"}])
    old, new = of(subject, ENDPOINTS[0]), of(subject, ENDPOINTS[2])
    with standing(base, old) as stand:
        with stand.kernel.inside(ORIGINS["pod"][0]):
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with client:
            client.settimeout(2)
            client.connect(("10.43.0.1", 80))

            def answers() -> bytes:
                client.send(b"who")
                return client.recv(1000)

            assert b"pod: default/a\n" in answers()
            assert b"pod: default/a\n" in answers()
            change(stand, old, new)
            assert b"pod: default/c\n" in answers()


HEALTHY: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "as predicted": (lambda: None, {"a", "b"}),
    "one": (lambda: frozenset({"n1"}), {"b"}),
    "one that lies": (lambda: frozenset({"n2"}), {"dropped"}),
    "none": (lambda: frozenset(), {"dropped"}),
}


@in_lab
def test_the_balancer_goes_by_health_checks(base: Base) -> None:
    """Section 5. A connection stays with its node whatever checks say later."""
    of_two = of(balanced(externalTrafficPolicy="Local"), *ENDPOINTS[:2])
    vip = FRONTENDS["loadbalancer"]
    with standing(base, of_two) as stand:
        before = balancer_ruleset(of_two, None)
        with stand.kernel.inside(OUTSIDE):
            lasting = socket.create_connection(vip, 2, (CLIENT, 0))
        for what, (said, expected) in HEALTHY.items():
            nodes = said()
            found = None if nodes is None else {("default", "web"): nodes}
            after = balancer_ruleset(of_two, found)
            text = change_text(before, after)
            stand.kernel.apply([Nft(FABRIC, text)] if text else [])
            before = after
            patience = BRIEFLY if Verdict.DROPPED in expected else PATIENCE
            found_pods = pods(seen(stand, "outside", *vip, count=20, patience=patience))
            assert found_pods == expected, what
        with lasting:
            lasting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert b" 200 " in lasting.recv(1000)


@in_lab
def test_a_proxying_balancer_sends_by_itself(base: Base) -> None:
    """ipMode Proxy: the node port sees the load balancer's address."""
    proxied = balanced(
        externalTrafficPolicy="Local", lb=({"ip": "198.51.100.1", "ipMode": "Proxy"},)
    )
    with standing(base, of(proxied, *ENDPOINTS)) as stand:
        for origin in ("outside", "pod"):
            found = seen(stand, origin, *FRONTENDS["loadbalancer"])
            assert (pods(found), sources(found)) == ({"a", "b", "c"}, {"198.51.100.1"}), origin
        odd = seen(stand, "outside", "198.51.100.1", 81, count=9)
        assert {one.verdict for one in odd} == {Verdict.UNROUTED}


@in_lab
def test_an_external_address_of_a_node_is_translated_in_front_of_it(base: Base) -> None:
    """In mode nftables node ports listen on the primary address alone, an InternalIP."""
    nodes = node(0), node(1, external="198.51.100.201"), node(2)
    subject = service(type="NodePort", externalTrafficPolicy="Local")
    of_three = cluster(*nodes, *PODS, subject, *behind(subject, *ENDPOINTS))
    with standing(base, of_three) as stand:
        found = seen(stand, "outside", "198.51.100.201", 30080, count=3)
        assert (pods(found), sources(found)) == ({"b"}, {CLIENT})
        assert seen(stand, "node", "198.51.100.201", 30080, count=1)[0].verdict == "rejected"


@as_everyone
@in_lab
def test_anyone_may_load_thousands_of_services(base: Base, uid: int | None) -> None:
    """No transaction is longer than the send buffer of an ordinary user."""
    del uid
    with standing(base, cluster(*PODS)) as stand:
        services = [
            service(
                f"s{at}",
                clusterIP=f"10.43.{at >> 8}.{at & 255}",
                clusterIPs=[f"10.43.{at >> 8}.{at & 255}", f"fd00:10:43::{at:x}"],
            )
            for at in range(256, 3256)
        ]
        slices = [
            one
            for found in services
            for one in behind(found, *ENDPOINTS, endpoint("fd00:10:42::2", "n0"))
        ]
        old, new = cluster(*PODS), cluster(*PODS, *services, *slices)
        rulesets = node_rulesets(old)["n1"], node_rulesets(new)["n1"]
        where = node_namespace("n1")
        stand.kernel.apply([Nft(where, change_text(*rulesets))])
        assert pods(seen(stand, "pod", "10.43.12.183", 80)) == {"a", "b", "c"}
        gone = "delete table ip kubehop\ndelete table ip6 kubehop\n"
        stand.kernel.apply([Nft(where, gone), Nft(where, load_text(rulesets[1]))])
        assert pods(seen(stand, "pod", "10.43.12.183", 80)) == {"a", "b", "c"}
        stand.kernel.apply([Nft(where, change_text(*reversed(rulesets)))])
        verdict = seen(stand, "pod", "10.43.12.183", 80, count=1, patience=BRIEFLY)[0].verdict
        assert verdict is Verdict.DROPPED
