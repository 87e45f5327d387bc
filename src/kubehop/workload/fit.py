"""Which nodes a pod may be put on: the scheduler's filters that objects alone decide.

Source: kube-scheduler's plugins NodeUnschedulable, TaintToleration and NodeAffinity. Resources,
pod affinity and topology spread constraints are not weighed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubehop.model.meta import Requirement
from kubehop.model.node import Node, Taint
from kubehop.model.pod import NodeSelectorTerm, PodSpec, Toleration
from kubehop.model.selectors import matches_map, satisfies

UNSCHEDULABLE = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")
KEEPING_OUT = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Filter:
    """A reason to refuse a node; `why` says in words what no node fulfilled."""

    admits: Callable[[PodSpec, Node], bool]
    why: Callable[[PodSpec], str]


def admitted(spec: PodSpec, nodes: Sequence[Node]) -> tuple[tuple[Node, ...], str]:
    """The nodes that every filter admits and ""; or none, and the reason the last ones fell."""
    left = tuple(nodes)
    for check in FILTERS:
        left = tuple(node for node in left if check.admits(spec, node))
        if not left:
            return (), check.why(spec)
    return left, ""


def _selected(spec: PodSpec, node: Node) -> bool:
    return matches_map(spec.node_selector or {}, node.labels)


def _why_not_selected(spec: PodSpec) -> str:
    pairs = ", ".join(f"{k}={v}" for k, v in sorted((spec.node_selector or {}).items()))
    return f"no node matches nodeSelector {pairs}"


def _has_affinity(spec: PodSpec, node: Node) -> bool:
    node_affinity = spec.affinity and spec.affinity.node_affinity
    required = node_affinity and node_affinity.required
    if not required:
        return True
    return any(_holds(term, node) for term in required.node_selector_terms)


def _holds(term: NodeSelectorTerm, node: Node) -> bool:
    """A term without requirements matches no node."""
    expressions, fields = term.match_expressions or (), term.match_fields or ()
    if not expressions and not fields:
        return False
    return all(satisfies(r, node.labels) for r in expressions) and all(
        satisfies(r, {"metadata.name": node.name}) for r in fields
    )


def _tolerated(spec: PodSpec, node: Node) -> bool:
    taints = (node.spec and node.spec.taints) or ()
    cordon = (UNSCHEDULABLE,) if node.spec and node.spec.unschedulable else ()
    return all(
        any(_tolerates(toleration, taint) for toleration in spec.tolerations or ())
        for taint in (*taints, *cordon)
        if taint.effect in KEEPING_OUT
    )


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    """An empty effect tolerates every effect; an empty key with Exists tolerates everything."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    match toleration.operator:
        case "Exists":
            return True
        case "Gt" | "Lt":
            limit = Requirement(taint.key, toleration.operator, (toleration.value or "",))
            return satisfies(limit, {taint.key: taint.value or ""})
        case _:
            return bool(toleration.key) and (toleration.value or "") == (taint.value or "")


FILTERS = (
    Filter(_selected, _why_not_selected),
    Filter(_has_affinity, lambda _: "no node satisfies its required node affinity"),
    Filter(_tolerated, lambda _: "it tolerates the taints of no node it could use"),
)
