"""Which pods workloads would make, and which they would not."""

import pytest

from kubehop.model.errors import InputError
from kubehop.workload.options import Options
from tests.workload.making import cluster, deployment, node, pod

RUNNING = "phase: Running, podIP: 10.9.0.4"
TEMPLATE = "template: {metadata: {labels: {app: w}}, spec: {containers: [{name: c}]}}"
OBSERVED = "status: {observedGeneration: 1, replicas: 0}"


def workload(kind: str, spec: str = "", metadata: str = "", status: str = "") -> str:
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return f"""
---
apiVersion: {version}
kind: {kind}
metadata: {{name: w, {metadata}}}
spec: {{{spec}{", " if spec else ""}{TEMPLATE}}}
{status}
"""


def cron_job(spec: str = "", job: str = "") -> str:
    return f"""
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: w}}
spec: {{{spec}jobTemplate: {{spec: {{{job}{TEMPLATE}}}}}}}
"""


def owner(kind: str, name: str) -> str:
    return f"ownerReferences: [{{kind: {kind}, name: {name}, controller: true}}]"


def hashed(owner_name: str, name: str = "w-7d4b9-x2x8p") -> str:
    return f"""
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{pod-template-hash: 7d4b9}}, {owner_name}}}
spec: {{nodeName: n1, containers: []}}
status: {{{RUNNING}}}
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (workload("Deployment"), "w-1"),
        (workload("Deployment", "replicas: 3"), "w-1 w-2 w-3"),
        (workload("Deployment", "replicas: 0"), ""),
        (workload("ReplicaSet", "replicas: 2"), "w-1 w-2"),
        (workload("StatefulSet", "replicas: 2"), "w-0 w-1"),
        (workload("StatefulSet", "replicas: 2, ordinals: {start: 5}"), "w-5 w-6"),
        (workload("DaemonSet"), "w-node-0 w-node-1"),
        (workload("Job"), "w-1"),
        (workload("Job", "parallelism: 3"), "w-1 w-2 w-3"),
        (workload("Job", "parallelism: 3, completions: 2"), "w-1 w-2"),
        (workload("Job", "completions: 5"), "w-1"),
        (workload("Job", "suspend: true"), ""),
        (cron_job(), "w-1"),
        (cron_job(job="parallelism: 2, "), "w-1 w-2"),
        (cron_job("suspend: true, "), ""),
        (workload("Deployment", "replicas: 2") + pod("w-1"), "w-1 w-2 w-3"),
        (workload("Deployment", status="status: {}") + pod("a"), "a w-1"),
    ],
)
def test_pods_made(text: str, names: str) -> None:
    assert [found.name for found in cluster(text, Options(nodes=2)).pods] == names.split()


DEPLOYED = owner("Deployment", "w")
REPLICA_SET = f"""
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: odd, {DEPLOYED}}}
spec: {{replicas: 4, {TEMPLATE}}}
"""


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("the pod names it", workload("StatefulSet") + hashed(owner("StatefulSet", "w"))),
        (
            "its ReplicaSet owns the pod",
            workload("Deployment") + REPLICA_SET + hashed(owner("ReplicaSet", "odd")),
        ),
        (
            "the ReplicaSet is not in the input, but its name tells",
            workload("Deployment") + hashed(owner("ReplicaSet", "w-7d4b9")),
        ),
        ("owners were stripped, but the pod's name tells", workload("Deployment") + hashed("")),
        (
            "the Job is not in the input, but its name tells",
            cron_job() + hashed(owner("Job", "w-28123456")),
        ),
        (
            "it was observed together with pods: it has none there",
            workload("Deployment", "replicas: 1", status=OBSERVED) + hashed(owner("Job", "z")),
        ),
        (
            "any status of a Job was observed",
            workload("Job", status="status: {}") + hashed(owner("Job", "z")),
        ),
    ],
)
def test_no_pods_made(why: str, text: str) -> None:
    assert [found.name for found in cluster(text).pods] == ["w-7d4b9-x2x8p"], why


def test_no_pods_made_if_an_api_listed_all_pods() -> None:
    assert cluster(deployment("web"), listed=["Pod"]).pods == ()


def test_a_replica_set_is_left_to_its_deployment() -> None:
    made = cluster(workload("Deployment", "replicas: 2") + REPLICA_SET)
    assert [found.name for found in made.pods] == ["w-1", "w-2"]


def test_an_observed_workload_without_any_observed_pod_is_expanded() -> None:
    made = cluster(workload("Deployment", "replicas: 2", status=OBSERVED))
    assert len(made.pods) == 2


def test_a_stateful_sets_pods_have_names_in_dns_and_labels_to_select_by() -> None:
    (made,) = cluster(workload("StatefulSet", "serviceName: db")).pods
    assert (made.spec.hostname, made.spec.subdomain) == ("w-0", "db")
    assert made.labels["statefulset.kubernetes.io/pod-name"] == "w-0"
    assert made.labels["apps.kubernetes.io/pod-index"] == "0"
    assert made.labels["app"] == "w"


def test_daemon_sets_run_on_cordoned_nodes_and_say_where_they_cannot_run() -> None:
    nodes = node("n1", "unschedulable: true") + node("n2", address="192.0.2.2")
    made = cluster(workload("DaemonSet") + nodes)
    assert [(found.name, found.node_name) for found in made.pods] == [
        ("w-n1", "n1"),
        ("w-n2", "n2"),
    ]
    nowhere = workload("DaemonSet").replace(
        "{containers:", "{nodeSelector: {gpu: yes}, containers:"
    )
    made = cluster(nowhere.replace("yes", "'yes'") + nodes)
    assert made.pods == ()
    assert "no pod of DaemonSet default/w: no node matches nodeSelector gpu=yes" in made.assumptions


def test_what_was_made_is_said_briefly() -> None:
    few = cluster(deployment("a", 2) + deployment("b"))
    assert (
        "2 pods of Deployment default/a, 1 pod of Deployment default/b assumed" in few.assumptions
    )
    many = cluster("".join(deployment(f"d{n}", 2) for n in range(6)))
    assert "12 pods of 6 workloads assumed" in many.assumptions


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (workload("Deployment", "replicas: 1000000000"), "spec.replicas"),
        (workload("StatefulSet", "replicas: 150001"), "spec.replicas"),
        (workload("Job", "parallelism: 1000000000"), "spec.parallelism"),
        (cron_job(job="parallelism: 1000000000, "), "spec.parallelism"),
    ],
)
def test_more_pods_than_any_cluster_has_are_not_made(text: str, field: str) -> None:
    with pytest.raises(InputError, match="are more than a cluster may have") as caught:
        cluster(text)
    assert caught.value.field == field
    assert caught.value.object.endswith(" default/w")
