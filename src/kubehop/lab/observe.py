"""A question answered twice: predicted from the objects, observed with packets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kubehop.lab.plan.values import OUTSIDE, Plan, node_namespace, pod_namespace
from kubehop.lab.probe.compare import Disagreement, Tally, compare, tally
from kubehop.lab.probe.expect import Outcome, Seen, expected, listens_at
from kubehop.lab.probe.prober import Prober
from kubehop.lab.probe.values import Probe
from kubehop.model.addresses import family
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.service.frontends import FrontendKind, frontend_table
from kubehop.trace.aim import Shot, aim
from kubehop.trace.questions import (
    Origin,
    address_for,
    find_node,
    find_pod,
    host_name,
    parse_origin,
    parse_target,
)
from kubehop.trace.values import Trace
from kubehop.trace.walk import trace_shots

TIMEOUT = 1.0
"""Seconds of silence after which a connection counts as dropped: a lab answers in a thousandth."""
CHANCE = 1e-7
"""How often a right prediction is called wrong because of its shares."""
COUNTS = range(1, 2001)
"""How many connections may be asked for."""


@dataclass(frozen=True, slots=True)
class Question:
    """What `kubehop lab trace` asks; the words are those of `kubehop trace`."""

    origin: str
    target: str
    count: int = 20
    protocol: str | None = None
    via: FrontendKind | None = None
    node: str = ""
    namespace: str = "default"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The trace, its outcomes as a client sees them, and what was seen of `total` connections."""

    trace: Trace
    outcomes: tuple[Outcome, ...]
    counts: Tally
    total: int
    disagreements: tuple[Disagreement, ...]


def observe(cluster: Cluster, plan: Plan, prober: Prober, question: Question) -> Comparison:
    """Predict, then really connect `count` times.

    Raises UsageError for what the cluster does not have and for what a lab cannot send.
    """
    origin = parse_origin(cluster, question.origin, question.namespace)
    shots = _shots(cluster, origin, question)
    trace = trace_shots(cluster, origin, shots, question.target)
    namespace = _namespace(cluster, origin, question)
    counts = tally(prober.run(list(_probes(origin, namespace, shots, question.count)), TIMEOUT))
    outcomes = expected(trace, listens_at(plan))
    return Comparison(
        trace,
        outcomes,
        counts,
        sum(counts.values()),
        compare(outcomes, counts, CHANCE, shares=not _sticky(cluster, shots)),
    )


def _shots(cluster: Cluster, origin: Origin, question: Question) -> tuple[Shot, ...]:
    if host_name(question.target) is not None:
        raise UsageError(
            f"TO {question.target!r}: a lab sends to addresses; for a name use "
            "`kubehop lab exec POD -- nslookup NAME`"
        )
    if question.node:
        find_node(cluster, question.node)
        if question.via is not FrontendKind.NODE_PORT:
            raise UsageError("--node goes with --via nodeport: elsewhere the lab's fabric decides")
    target = parse_target(cluster, question.target, question.namespace)
    shots = aim(cluster, origin, target, question.protocol, question.via, question.node)
    if shots[0].protocol not in ("TCP", "UDP"):
        raise UsageError(f"a lab sends TCP and UDP, not {shots[0].protocol}")
    return shots


def _namespace(cluster: Cluster, origin: Origin, question: Question) -> str:
    if not origin.node:
        return OUTSIDE
    if not question.origin.startswith("pod/"):
        return node_namespace(origin.node)
    pod = find_pod(cluster, question.origin.removeprefix("pod/"), question.namespace)
    if pod.host_network:
        return node_namespace(pod.node_name)
    return pod_namespace(pod.namespace, pod.name)


def _probes(origin: Origin, namespace: str, shots: Sequence[Shot], count: int) -> Iterator[Probe]:
    """The connections, spread over the shots as they share them; outside binds its address."""
    for shot, number in zip(shots, spread([shot.share for shot in shots], count), strict=True):
        source = (address_for(origin.addresses, shot.address) or "") if namespace == OUTSIDE else ""
        if not any(family(address) is family(shot.address) for address in origin.addresses):
            raise UsageError(f"{origin.label} has no {family(shot.address)} address")
        yield Probe(namespace, source, shot.address, shot.port, shot.protocol, number)


def spread(shares: Sequence[Fraction], count: int) -> list[int]:
    """`count` in whole numbers as near to `shares` as can be, at least 1 each."""
    wanted = [share * count for share in shares]
    whole = [max(1, int(number)) for number in wanted]
    by_rest = sorted(range(len(shares)), key=lambda i: int(wanted[i]) - wanted[i])
    for index in by_rest[: max(0, count - sum(whole))]:
        whole[index] += 1
    return whole


def _sticky(cluster: Cluster, shots: Sequence[Shot]) -> bool:
    """True if a Service among the targets sends one client to one endpoint."""
    table = cluster.derived(frontend_table)
    found = (
        table.at(shot.address, shot.protocol, shot.port)
        or table.node_port(family(shot.address), shot.protocol, shot.port)
        for shot in shots
    )
    return any(one and one.service.affinity_seconds is not None for one in found)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The answer as `-o json` has it: kind Comparison."""
    trace = comparison.trace
    predicted = [
        {"probability": str(outcome.probability), "observed": _observed(comparison, outcome)}
        | _seen(outcome.seen)
        for outcome in comparison.outcomes
    ]
    return {
        "apiVersion": "kubehop/v1",
        "kind": "Comparison",
        "from": trace.origin,
        "to": trace.target,
        "protocol": trace.protocol,
        "connections": comparison.total,
        "agrees": not comparison.disagreements,
        "outcomes": predicted,
        "unpredicted": [
            {"observed": count} | _seen(seen)
            for seen, count in comparison.counts.items()
            if not any(outcome.seen.fits(seen) for outcome in comparison.outcomes)
        ],
        "disagreements": [str(one) for one in comparison.disagreements],
        "notes": list(trace.notes),
    }


def _observed(comparison: Comparison, outcome: Outcome) -> int:
    """How many connections went so; the first outcome that fits one has it."""
    return sum(
        count
        for seen, count in comparison.counts.items()
        if next((o for o in comparison.outcomes if o.seen.fits(seen)), None) is outcome
    )


def _seen(seen: Seen) -> dict[str, Any]:
    endpoint = seen.address and {
        "pod": seen.pod or "",
        "node": seen.node or "",
        "address": seen.address,
        "port": seen.port,
    }
    return {
        "verdict": seen.verdict.value,
        "endpoint": endpoint or None,
        "sourceSeen": seen.source_seen,
        "nodeCrossings": seen.crossings,
    }
