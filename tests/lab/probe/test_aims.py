"""What is tried of a cluster, and what clients should observe of a trace. Pure."""

from fractions import Fraction

from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.values import OUTSIDE
from kubehop.lab.probe.aims import NOBODY, Aim, aims
from kubehop.lab.probe.expect import Outcome, Seen, expected, listens_at
from kubehop.model.cluster import Cluster
from kubehop.model.pod_network import POD_NETWORKS
from kubehop.model.proxy import ProxyMode
from kubehop.trace.aim import Shot
from kubehop.trace.questions import external_origin, node_origin, pod_origin
from kubehop.trace.values import Verdict
from tests.clusters import balanced, behind, cluster, endpoint, node, pod, service

WEB = ({"containerPort": 8080},)
PODS = (pod("a", "10.42.0.2", "n0", *WEB), pod("b", "10.42.1.2", "n1", *WEB))
ENDS = (endpoint("10.42.0.2", "n0"), endpoint("10.42.1.2", "n1"))
AWS = next(network for network in POD_NETWORKS if network.routed_outside)


def tried(found: Cluster) -> set[tuple[str, str, str, int]]:
    return {
        (one.namespace, one.shot.address, one.shot.protocol, one.shot.port) for one in aims(found)
    }


def test_every_frontend_is_tried_from_everywhere() -> None:
    subject = balanced(externalIPs=["198.51.100.7"])
    made = cluster(subject, *PODS, *behind(subject, *ENDS), mode=ProxyMode.IPTABLES)
    found = tried(made)
    nodes = ["192.168.0.10", "192.168.0.11", "192.168.0.12"]
    for namespace in ("pod/default/a", "pod/default/b", "node/n0", "node/n2", OUTSIDE):
        for address in ("10.43.0.1", "198.51.100.1", "198.51.100.7"):
            for port in (80, NOBODY):
                assert (namespace, address, "TCP", port) in found
            assert (namespace, address, "UDP", 80) in found
        for address in nodes:
            assert (namespace, address, "TCP", 30080) in found
        assert (namespace, "10.42.1.2", "TCP", 8080) in found
        assert (namespace, "10.43.255.254", "UDP", 80) in found
        loopback = (namespace, "127.0.0.1", "TCP", 30080) in found
        assert loopback is namespace.startswith("node/")


def test_families_are_not_mixed_and_source_ranges_have_a_client() -> None:
    subject = balanced(loadBalancerSourceRanges=["192.0.2.0/24", "10.42.0.0/24", "fd00::/8"])
    made = cluster(node(0, v6=True), subject, pod("a", "10.42.0.2", "n0"))
    sources = {one.origin.label for one in aims(made) if one.namespace == OUTSIDE}
    assert "external/192.0.2.254" in sources
    assert not any("10.42" in label for label in sources)
    for one in aims(made):
        probe = one.probe(3)
        assert probe.count == 3
        assert not probe.source or (":" in probe.source) is (":" in probe.destination)
        assert bool(probe.source) is (one.namespace == OUTSIDE)


def outcomes(found: Cluster, aim: Aim) -> set[Outcome]:
    return set(expected(aim.trace(found), listens_at(build_plan(found))))


def test_shares_are_those_of_endpoints_and_who_answers_is_the_listener() -> None:
    subject = service()
    made = cluster(subject, *PODS, *behind(subject, *ENDS))
    aim = Aim(pod_origin(PODS[0]), "pod/default/a", Shot("10.43.0.1", 80, "TCP"))
    half = Fraction(1, 2)
    assert outcomes(made, aim) == {
        Outcome(
            half, Seen(Verdict.DELIVERED, "default/a", "n0", "10.42.0.2", 8080, "192.168.0.10", 0)
        ),
        Outcome(
            half, Seen(Verdict.DELIVERED, "default/b", "n1", "10.42.1.2", 8080, "10.42.0.2", 1)
        ),
    }


def test_where_nobody_listens_it_is_refused() -> None:
    made = cluster(*PODS)
    aim = Aim(node_origin(made.nodes[0]), "node/n0", Shot("10.42.1.2", 81, "TCP"))
    assert outcomes(made, aim) == {Outcome(Fraction(1), Seen(Verdict.REJECTED, crossings=1))}


def test_what_arrives_and_hangs_is_seen_as_silence_that_got_far() -> None:
    """Reference kube-proxy, 3.8: a pod to another node's port, sent on to a third node."""
    subject = service(type="NodePort", externalTrafficPolicy="Local")
    far = pod("c", "10.42.2.2", "n2", *WEB)
    made = cluster(
        subject, *PODS, far, *behind(subject, endpoint("10.42.2.2", "n2")), pod_network=AWS
    )
    aim = Aim(pod_origin(PODS[0]), "pod/default/a", Shot("192.168.0.11", 30080, "TCP"))
    hung = Seen(Verdict.DROPPED, None, None, "10.42.2.2", 8080, "10.42.0.2", 2)
    assert outcomes(made, aim) == {Outcome(Fraction(1), hung)}


def test_outside_answers_for_endpoints_that_are_there() -> None:
    subject = service()
    made = cluster(subject, *PODS, *behind(subject, endpoint("198.18.0.7")))
    aim = Aim(external_origin(""), OUTSIDE, Shot("192.168.0.10", NOBODY, "TCP"))
    assert {one.seen.verdict for one in outcomes(made, aim)} == {Verdict.REJECTED}
    inside = Aim(pod_origin(PODS[0]), "pod/default/a", Shot("10.43.0.1", 80, "TCP"))
    (one,) = outcomes(made, inside)
    assert (one.seen.verdict, one.seen.address) == (Verdict.DELIVERED, "198.18.0.7")
