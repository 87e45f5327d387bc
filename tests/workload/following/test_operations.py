"""What people do to a cluster, case by case."""

import pytest

from kubehop.model.errors import UsageError
from kubehop.workload.following import conditioned, deleted, described, scaled
from kubehop.workload.options import Options
from tests.workload.following.making import begun, endpoints, places, pod, put
from tests.workload.making import deployment, node, service
from tests.workload.making import pod as a_pod

WEB = deployment("web", 3) + service("web")


def test_more_replicas_leave_the_others_where_they_are() -> None:
    before = begun(WEB)
    after = scaled(before, "Deployment", "default", "web", 5)
    assert places(before.cluster).items() <= places(after.cluster).items()
    assert sorted(places(after.cluster)) == [f"web-{n}" for n in range(1, 6)]
    assert len(endpoints(after, "web")) == 5
    assert described(before.cluster, after.cluster) == (
        "Service default/web: endpoints 3 -> 5, ready 3 -> 5",
        "pod default/web-4 made on node-0 at 10.42.0.3",
        "pod default/web-5 made on node-1 at 10.42.1.3",
    )


def test_fewer_replicas_take_first_what_serves_least() -> None:
    """Not ready before ready, then doubled up on a node, then the newest."""
    five = scaled(begun(WEB), "Deployment", "default", "web", 5)
    assert sorted(places(scaled(five, "Deployment", "default", "web", 4).cluster)) == [
        "web-1",
        "web-2",
        "web-3",
        "web-4",
    ]
    two = scaled(five, "Deployment", "default", "web", 2)
    assert sorted(places(two.cluster)) == ["web-1", "web-3"]
    unready = conditioned(five, "default", "web-3", "not-ready")
    four = scaled(unready, "Deployment", "default", "web", 4)
    assert "web-3" not in places(four.cluster)
    three = scaled(unready, "Deployment", "default", "web", 3)
    assert sorted(places(three.cluster)) == ["web-1", "web-2", "web-4"]


def test_a_stateful_set_loses_its_highest_ordinals_and_gets_them_back() -> None:
    text = deployment("db", 3).replace("Deployment", "StatefulSet")
    two = scaled(begun(text), "StatefulSet", "default", "db", 2)
    assert sorted(places(two.cluster)) == ["db-0", "db-1"]
    assert "db-0" in places(deleted(two, [("Pod", "default", "db-0")]).cluster)


def test_none_and_one_again() -> None:
    none = scaled(begun(WEB), "Deployment", "default", "web", 0)
    assert not none.cluster.pods
    assert endpoints(none, "web") == {}
    assert len(none.cluster.slices) == 1
    assert len(scaled(none, "Deployment", "default", "web", 1).cluster.pods) == 1


@pytest.mark.parametrize(
    ("kind", "name", "replicas", "problem"),
    [
        ("Deployment", "webb", 1, "no Deployment default/webb; did you mean default/web?"),
        ("Deployment", "web", -1, "Deployment default/web: replicas may not be negative: -1"),
        (
            "DaemonSet",
            "agent",
            1,
            "a DaemonSet cannot be scaled, only Deployment, ReplicaSet, StatefulSet",
        ),
    ],
)
def test_what_cannot_be_scaled(kind: str, name: str, replicas: int, problem: str) -> None:
    agent = deployment("agent").replace("Deployment", "DaemonSet")
    with pytest.raises(UsageError) as caught:
        scaled(begun(WEB + agent), kind, "default", name, replicas)
    assert str(caught.value) == problem


def test_a_deleted_pod_is_replaced_under_another_name_and_address() -> None:
    before = begun(WEB)
    after = deleted(before, [("Pod", "default", "web-2")])
    assert sorted(places(after.cluster)) == ["web-1", "web-3", "web-4"]
    assert pod(after, "web-4").addresses != pod(before, "web-2").addresses
    assert set(endpoints(after, "web")) == {"web-1", "web-3", "web-4"}


def test_an_address_is_given_again_where_no_other_is_left() -> None:
    """A /29 has five pod addresses; the one that a pod has just left is the last resort."""
    text = node("n0", "podCIDR: 10.1.0.0/29") + deployment("web", 5)
    before = begun(text)
    after = deleted(before, [("Pod", "default", "web-3")])
    assert pod(after, "web-6").addresses == pod(before, "web-3").addresses


def test_a_pod_that_nothing_manages_is_gone() -> None:
    after = deleted(begun(a_pod("busybox")), [("Pod", "default", "busybox")])
    assert not after.cluster.pods
    assert not after.inventory.objects["Pod"]


def test_a_deployment_takes_its_pods_and_leaves_the_service() -> None:
    after = deleted(begun(WEB), [("Deployment", "default", "web")])
    assert not after.cluster.pods
    assert endpoints(after, "web") == {}


def test_a_service_takes_the_slices_that_controllers_made() -> None:
    after = deleted(begun(WEB), [("Service", "default", "web")])
    assert not after.cluster.slices
    assert len(after.cluster.pods) == 3


def test_a_namespace_takes_everything_in_it() -> None:
    text = deployment("far", 2) + service("far")
    before = begun(WEB + text.replace("{name: far}", "{name: far, namespace: team}", 2))
    assert len(before.cluster.pods) == 5
    after = deleted(before, [("Namespace", "", "team")])
    assert {found.namespace for found in after.cluster.pods} == {"default"}
    assert {found.namespace for found in after.cluster.services} == {"default"}
    assert not [
        o for found in after.inventory.objects.values() for o in found if o.namespace == "team"
    ]
    assert "team" not in [found.name for found in after.cluster.namespaces]
    assert {found.namespace for found in after.cluster.slices} == {"default"}


@pytest.mark.parametrize("name", ["default", "kube-system"])
def test_some_namespaces_stay(name: str) -> None:
    with pytest.raises(UsageError, match="may not be deleted"):
        deleted(begun(WEB), [("Namespace", "", name)])


def test_pods_of_a_node_that_is_gone_are_made_elsewhere() -> None:
    agent = deployment("agent").replace("Deployment", "DaemonSet")
    before = begun(WEB + agent + a_pod("busybox", "nodeName: node-1"))
    after = deleted(before, [("Node", "", "node-1")])
    on_it = {name for name, (at, _) in places(before.cluster).items() if at == "node-1"}
    (lost,) = on_it - {"agent-node-1", "busybox"}
    assert set(places(after.cluster)) == (set(places(before.cluster)) - on_it) | {"web-4"}
    assert lost.startswith("web-")
    assert {at for at, _ in places(after.cluster).values()} == {"node-0", "node-2"}


def test_a_new_node_gets_daemons_an_address_and_pods_that_wait() -> None:
    agent = deployment("agent").replace("Deployment", "DaemonSet")
    waiting = deployment("picky", 1, pod="nodeSelector: {disk: ssd}")
    before = begun(agent + waiting)
    assert pod(before, "picky-1").phase == "Pending"
    text = "{apiVersion: v1, kind: Node, metadata: {name: extra, labels: {disk: ssd}}}"
    after = put(before, text)
    assert pod(after, "picky-1").node_name == "extra"
    assert pod(after, "agent-extra").addresses == ("10.42.3.2",)
    extra = after.cluster.node("extra")
    assert extra
    assert extra.internal_ips == ("192.168.0.13",)
    assert extra.pod_cidrs == ("10.42.3.0/24",)


def test_an_address_of_another_node_is_refused() -> None:
    with pytest.raises(UsageError, match=r"status.addresses: 192.168.0.11 is that of Node node-1"):
        put(begun(WEB), node("extra", address="192.168.0.11"))


def test_a_pod_cidr_that_overlaps_another_is_refused() -> None:
    with pytest.raises(UsageError, match=r"overlaps 10.42.1.0/24 of Node node-1"):
        put(begun(WEB), node("extra", "podCIDR: 10.42.1.128/25"))


def test_a_new_template_replaces_all_pods() -> None:
    before = begun(WEB)
    after = put(before, deployment("web", 3).replace("8080", "9090"))
    assert sorted(places(after.cluster)) == ["web-4", "web-5", "web-6"]
    (only,) = after.cluster.slices
    assert [port.port for port in only.ports or ()] == [9090]


def test_a_template_that_only_spells_defaults_replaces_none() -> None:
    before = begun(WEB)
    after = put(before, deployment("web", 3, pod="dnsPolicy: ClusterFirst, hostNetwork: false"))
    assert after.cluster == before.cluster


def test_replicas_that_are_left_open_stay() -> None:
    five = scaled(begun(WEB), "Deployment", "default", "web", 5)
    assert put(five, deployment("web", 3).replace("replicas: 3", "")).cluster == five.cluster
    assert len(put(five, deployment("web", 3)).cluster.pods) == 3


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (
            deployment("web", 3).replace("matchLabels: {app: web}", "matchLabels: {app: v}"),
            "spec.selector",
        ),
        (a_pod("busybox", "hostNetwork: true"), "spec.hostNetwork"),
        (a_pod("busybox", "nodeName: node-2"), "spec.nodeName"),
    ],
)
def test_what_may_not_change(text: str, field: str) -> None:
    with pytest.raises(UsageError, match=field):
        put(begun(WEB + a_pod("busybox", "nodeName: node-1")), text)


def test_labels_of_a_pod_may_change_and_slices_follow() -> None:
    before = begun(a_pod("busybox") + service("web"))
    assert endpoints(before, "web") == {"busybox": "rs"}
    after = put(before, a_pod("busybox").replace("app: web", "app: other"))
    assert endpoints(after, "web") == {}
    assert places(after.cluster) == places(before.cluster)


def test_not_ready_and_terminating() -> None:
    """A ReplicaSet does not count what ends, and makes another; a StatefulSet waits."""
    sts = deployment("db", 1).replace("Deployment", "StatefulSet") + service("db")
    now = conditioned(begun(WEB + sts), "default", "web-1", "not-ready")
    assert endpoints(now, "web") == {"web-1": "", "web-2": "rs", "web-3": "rs"}
    now = conditioned(now, "default", "web-2", "terminating")
    assert endpoints(now, "web") == {"web-1": "", "web-2": "st", "web-3": "rs", "web-4": "rs"}
    now = conditioned(now, "default", "web-2", "not-ready")
    assert endpoints(now, "web")["web-2"] == "t"
    now = conditioned(now, "default", "db-0", "terminating")
    assert endpoints(now, "db") == {"db-0": "st"}
    now = deleted(now, [("Pod", "default", "db-0"), ("Pod", "default", "web-2")])
    assert endpoints(now, "db") == {"db-0": "rs"}
    assert set(endpoints(now, "web")) == {"web-1", "web-3", "web-4"}
    assert conditioned(now, "default", "web-3", "ready") is now


def test_what_cannot_be_set() -> None:
    now = begun(WEB + deployment("picky", 1, pod="nodeSelector: {disk: ssd}"))
    with pytest.raises(UsageError, match="no condition 'gone': one of ready, not-ready, term"):
        conditioned(now, "default", "web-1", "gone")
    with pytest.raises(UsageError, match="Pod default/picky-1 is Pending"):
        conditioned(now, "default", "picky-1", "ready")
    with pytest.raises(UsageError, match="no Pod default/web-9; did you mean"):
        conditioned(now, "default", "web-9", "ready")


def test_keys_of_nothing() -> None:
    now = begun(WEB)
    with pytest.raises(UsageError, match="no kind 'Pods'; did you mean Pod"):
        deleted(now, [("Pods", "default", "web-1")])
    with pytest.raises(UsageError, match="no Service default/wep; did you mean default/web"):
        deleted(now, [("Pod", "default", "web-1"), ("Service", "default", "wep")])


def test_jobs_make_as_many_as_are_still_to_succeed() -> None:
    job = """
---
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec: {parallelism: 2, completions: 3, template: {spec: {containers: [{name: main}]}}}
"""
    now = put(begun(""), job)
    assert sorted(places(now.cluster)) == ["work-1", "work-2"]
    now = deleted(now, [("Pod", "default", "work-1")])
    assert sorted(places(now.cluster)) == ["work-2", "work-3"]
    assert not deleted(now, [("Job", "default", "work")]).cluster.pods


def test_assumptions_are_those_of_the_start_and_of_the_last_change() -> None:
    before = begun(WEB)
    after = put(before, deployment("picky", 1, pod="nodeSelector: {disk: ssd}"))
    assert after.cluster.assumptions == (
        *before.cluster.assumptions,
        "1 pod of Deployment default/picky assumed Pending: no node matches nodeSelector disk=ssd",
    )
    gone = deleted(after, [("Deployment", "default", "picky")])
    assert gone.cluster.assumptions == before.cluster.assumptions
    assert gone.cluster == before.cluster


def test_an_assumed_cluster_cidr_grows_to_hold_new_pods() -> None:
    text = node("n0") + a_pod("seen", "nodeName: n0", "phase: Running, podIP: 10.7.0.2")
    before = begun(text, Options(nodes=1))
    assert before.cluster.proxy.cluster_cidrs == ("10.7.0.2/32",)
    after = put(before, deployment("web", 3))
    assert sorted(ip for found in after.cluster.pods for ip in found.addresses) == [
        "10.7.0.2",
        "10.7.0.3",
        "10.7.0.4",
        "10.7.0.5",
    ]
    assert after.cluster.proxy.cluster_cidrs == ("10.7.0.0/29",)
