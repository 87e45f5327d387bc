"""Which nodes admit a pod, one line per rule."""

import msgspec
import pytest

from kubehop.model.node import Node
from kubehop.model.pod import PodSpec
from kubehop.workload.fit import admitted
from tests.workload.making import inventory, node

TAINT = "taints: [{key: dedicated, value: db, effect: NoSchedule}]"
NUMBER = "taints: [{key: tier, value: '5', effect: NoExecute}]"
SOFT = "taints: [{key: dedicated, value: db, effect: PreferNoSchedule}]"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def affinity(*terms: object) -> object:
    return {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}}


def expression(key: str, operator: str, *values: str) -> object:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}


def field(operator: str, *names: str) -> object:
    return {"matchFields": [{"key": "metadata.name", "operator": operator, "values": names}]}


def tolerate(**toleration: str) -> object:
    return {"tolerations": [toleration]}


@pytest.mark.parametrize(
    ("node_spec", "pod_spec", "fits"),
    [
        ("", {}, True),
        ("", {"nodeSelector": {"disk": "ssd"}}, True),
        ("", {"nodeSelector": {"disk": "hdd"}}, False),
        ("", affinity(expression("disk", "In", "ssd", "nvme")), True),
        ("", affinity(expression("disk", "NotIn", "ssd")), False),
        ("", affinity(expression("disk", "NotIn", "hdd"), expression("x", "Exists")), True),
        ("", affinity(expression("x", "Exists"), expression("cores", "Gt", "4")), True),
        ("", affinity(expression("cores", "Lt", "8")), False),
        ("", affinity(field("In", "n1")), True),
        ("", affinity(field("NotIn", "n1")), False),
        ("", affinity({}), False),
        ("", affinity(), False),
        (TAINT, {}, False),
        (SOFT, {}, True),
        (TAINT, tolerate(operator="Exists"), True),
        (TAINT, tolerate(key="dedicated", operator="Exists"), True),
        (TAINT, tolerate(key="dedicated", value="db"), True),
        (TAINT, tolerate(key="dedicated", operator="Equal", value="web"), False),
        (TAINT, tolerate(key="dedicated", value="db", effect="NoSchedule"), True),
        (TAINT, tolerate(key="dedicated", value="db", effect="NoExecute"), False),
        (TAINT, tolerate(value="db"), False),
        (NUMBER, tolerate(key="tier", operator="Gt", value="4"), True),
        (NUMBER, tolerate(key="tier", operator="Lt", value="4"), False),
        ("unschedulable: true", {}, False),
        (
            "unschedulable: true",
            tolerate(key="node.kubernetes.io/unschedulable", operator="Exists"),
            True,
        ),
    ],
)
def test_fit(node_spec: str, pod_spec: object, fits: bool) -> None:
    nodes = inventory(node("n1", node_spec, "disk: ssd, cores: '8'")).of(Node)
    found, why = admitted(msgspec.convert(pod_spec, PodSpec), nodes)
    assert bool(found) == fits
    assert bool(why) != fits


def test_the_reason_is_the_filter_that_refused_the_last_nodes() -> None:
    nodes = inventory(node("n1", TAINT, "disk: ssd") + node("n2", "", "disk: hdd")).of(Node)
    why = {
        selector: admitted(PodSpec(node_selector={"disk": selector}), nodes)[1]
        for selector in ("ssd", "hdd", "tape")
    }
    assert why == {
        "ssd": "it tolerates the taints of no node it could use",
        "hdd": "",
        "tape": "no node matches nodeSelector disk=tape",
    }
