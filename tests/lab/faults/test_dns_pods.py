"""DNS pods gone or not ready: the cluster as its controllers would have it."""

import pytest

from kubehop.dns.service import dns_service
from kubehop.example import cluster as example
from kubehop.lab.faults import Place
from kubehop.lab.faults.dns_pods import dns_pods, gone, has_dns_pods, not_ready
from kubehop.lab.plan.values import Plan
from kubehop.model.addresses import Family
from kubehop.model.cluster import Cluster
from kubehop.model.meta import Object
from kubehop.model.service import EndpointSlice, Service
from kubehop.service.endpoints import Endpoint, backends
from tests import clusters
from tests.workload import making

NOTES = example()
TWO = making.cluster(
    making.deployment("coredns", 2)
    + making.service("coredns", "type: NodePort")
    + """
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: default, labels: {k8s-app: kube-dns}}
spec: {selector: {app: coredns}, ports: [{port: 53, targetPort: web}]}
---
apiVersion: v1
kind: Service
metadata: {name: early, namespace: default}
spec:
  selector: {app: coredns}
  ports: [{port: 53, targetPort: web}]
  publishNotReadyAddresses: true
"""
)


def endpoints(cluster: Cluster, name: str, namespace: str = "default") -> tuple[Endpoint, ...]:
    service = cluster.service(namespace, name)
    assert service is not None
    slices = cluster.slices_of(service)
    return backends(slices, service.ports[0], Family.IPV4).endpoints


def others(cluster: Cluster) -> list[Object]:
    """All objects that faults of DNS must leave alone."""
    pods = [pod for pod in cluster.pods if "dns" not in pod.name]
    slices = [one for one in cluster.slices if one.service_name not in ("kube-dns",)]
    return [*cluster.nodes, *cluster.services, *pods, *slices]


def test_gone_takes_the_pods_and_their_endpoints() -> None:
    lost = gone(NOTES, Place())
    assert [pod.name for pod in dns_pods(NOTES, Place())] == ["coredns"]
    assert lost.pod("kube-system", "coredns") is None
    assert lost.pod_at("10.42.0.2") is None
    assert endpoints(lost, "kube-dns", "kube-system") == ()
    assert others(lost) == others(NOTES)


def test_gone_leaves_every_slice_of_a_pod_without_it() -> None:
    first, second = (pod.name for pod in dns_pods(TWO, Place()))
    lost = gone(TWO, Place(pod=f"default/{first}"))
    kept = TWO.pod("default", second)
    assert kept is not None
    for service in ("kube-dns", "coredns", "early"):
        assert [e.address for e in endpoints(lost, service)] == list(kept.addresses)


def test_not_ready_leaves_them_where_they_are() -> None:
    now = not_ready(TWO, Place())
    assert [pod.ready for pod in dns_pods(now, Place())] == [False, False]
    for service in ("kube-dns", "coredns"):
        found = endpoints(now, service)
        assert [(e.ready, e.serving, e.terminating) for e in found] == [(False, False, False)] * 2
    assert [pod.addresses for pod in now.pods] == [pod.addresses for pod in TWO.pods]


def test_an_endpoint_that_is_published_all_the_same_stays_ready() -> None:
    """`pkg/endpointslice/utils.go`: ready = publishNotReadyAddresses or the pod's readiness."""
    found = endpoints(not_ready(TWO, Place()), "early")
    assert [(e.ready, e.serving) for e in found] == [(True, False)] * 2


def test_one_pod_can_be_meant() -> None:
    first, second = dns_pods(TWO, Place())
    now = not_ready(TWO, Place(pod=f"default/{first.name}"))
    assert {e.address: e.ready for e in endpoints(now, "kube-dns")} == {
        first.addresses[0]: False,
        second.addresses[0]: True,
    }


HOST = clusters.pod("dns-0", "192.168.0.10", "n0", host=True)
OTHER = clusters.pod("agent", "192.168.0.10", "n0", host=True)


@pytest.mark.parametrize("fault", [gone, not_ready])
def test_on_the_hosts_network_only_the_pod_that_is_referred_to_is_meant(fault: type) -> None:
    dns = clusters.service("dns-default")
    slices = clusters.behind(
        dns, clusters.endpoint("192.168.0.10", "n0", target_ref=None) | REFERENCE
    )
    before = clusters.cluster(HOST, OTHER, _in(dns), *map(_in, slices))
    assert dns_service(before) is not None
    after = fault(before, Place())
    assert after.pod("default", "agent") == OTHER
    assert after.pod("default", "dns-0") != HOST


REFERENCE = {"targetRef": {"kind": "Pod", "name": "dns-0", "namespace": "default"}}


def _in(obj: Object) -> Object:
    """OpenShift's: dns-default is found by name in its own namespace."""
    from msgspec.structs import replace

    assert isinstance(obj, Service | EndpointSlice)
    return replace(obj, metadata=replace(obj.metadata, namespace="openshift-dns"))


def test_why_it_does_not_fit() -> None:
    nothing = clusters.cluster()
    assert has_dns_pods(nothing, Plan(), Place()) == "the cluster has no Service for DNS"
    said = has_dns_pods(NOTES, Plan(), Place(pod="default/busybox"))
    assert said == "Pod default/busybox is not behind Service kube-system/kube-dns"
    empty = gone(NOTES, Place())
    said = has_dns_pods(empty, Plan(), Place())
    assert said == "nothing is behind Service kube-system/kube-dns"


def test_endpoints_without_a_pod_are_meant_too() -> None:
    """An input may have EndpointSlices and no pods."""
    dns = clusters.service("kube-dns", labels={"k8s-app": "kube-dns"})
    other = clusters.service("web", clusterIP="10.43.0.2")
    address = clusters.endpoint("10.42.1.9", "n1")
    before = clusters.cluster(
        dns, other, *clusters.behind(dns, address), *clusters.behind(other, address)
    )
    assert has_dns_pods(before, Plan(), Place()) == ""
    assert endpoints(gone(before, Place()), "kube-dns") == ()
    assert [e.ready for e in endpoints(not_ready(before, Place()), "kube-dns")] == [False]
    assert endpoints(gone(before, Place()), "web") == endpoints(before, "web")
