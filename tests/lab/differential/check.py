"""One cluster: what is predicted for its packets against what they do in its lab."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from kubehop.lab.plan.values import Plan, Role
from kubehop.lab.probe.aims import Aim, aims
from kubehop.lab.probe.compare import (
    DOUBTFUL,
    WRONG,
    Disagreement,
    Kind,
    Tally,
    compare,
    enough,
    tally,
)
from kubehop.lab.probe.expect import ListensAt, Outcome, expected, listens_at
from kubehop.lab.probe.prober import Prober
from kubehop.lab.probe.values import Observed
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.trace.values import Trace, Verdict
from tests.lab.differential.pool import Pool

QUICK, PATIENT = 0.12, 0.9
"""Seconds until silence counts: at first, and before it counts as wrong. Below one second, no
SYN is sent twice."""
MOST = 200
"""Aims of a cluster that are tried, by chance; most clusters have about as many."""
FEW = 1e-3
"""So many connections that an outcome is missed with this chance, but no more than TRIES."""
TRIES, CERTAIN, AGAIN = 24, 20, 400


@dataclass(frozen=True)
class Question:
    """An aim, what is predicted for it, and what clients should observe then."""

    aim: Aim
    trace: Trace
    outcomes: tuple[Outcome, ...]
    sticky: bool

    @property
    def tries(self) -> int:
        return min(TRIES, enough(self.outcomes, FEW)) if not self.sticky else 3

    @property
    def more(self) -> int:
        if self.sticky or len(self.outcomes) == 1:
            return CERTAIN
        return max(AGAIN, enough(self.outcomes, WRONG / 10))


@dataclass(frozen=True)
class Failure:
    """A question whose answer was another."""

    question: Question
    disagreements: tuple[Disagreement, ...]
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        question = self.question
        lines = [str(question.aim), *(f"  {one}" for one in self.disagreements)]
        lines += [f"  predicted {one.probability}: {one.seen}" for one in question.outcomes]
        for fate in question.trace.fates:
            lines.append(f"  fate {fate.probability} {fate.verdict}")
            lines += [f"    {hop.node or '-'}: {hop.what} ({hop.why})" for hop in fate.hops]
        return "\n".join((*lines, *(f"  seen {path}" for path in self.paths)))


@dataclass
class Count:
    """What was compared in all."""

    clusters: int = 0
    questions: int = 0
    connections: int = 0
    fates: dict[Verdict, int] = field(default_factory=dict)
    hanging: int = 0
    doubted: int = 0
    by_endpoint: Pool = field(default_factory=Pool)
    by_entry: Pool = field(default_factory=Pool)

    @property
    def odd(self) -> bool:
        """True if shares are not as predicted, taken together."""
        return self.by_endpoint.odd or self.by_entry.odd

    def add(self, question: Question, counts: Tally) -> None:
        """Take in the shares of a question, apart from others where nodes are chosen too."""
        entries = {name for fate in question.trace.fates for name in fate.entry_nodes}
        if not question.sticky:
            pool = self.by_entry if len(entries) > 1 else self.by_endpoint
            pool.add(question.outcomes, counts)

    def __str__(self) -> str:
        fates = ", ".join(f"{count} {verdict}" for verdict, count in sorted(self.fates.items()))
        return (
            f"{self.clusters} clusters, {self.questions} questions, {self.connections} "
            f"connections, {self.doubted} asked twice; fates: {fates}, {self.hanging} hanging; "
            f"shares together {self.by_endpoint.deviation:+.1f} and, with entry nodes, "
            f"{self.by_entry.deviation:+.1f} standard deviations off"
        )


def questions(cluster: Cluster, plan: Plan, seed: int, most: int = MOST) -> list[Question]:
    """What is tried of a cluster: all aims, or as many as `most` by chance."""
    every = aims(cluster)
    if len(every) > most:
        every = tuple(Random(seed).sample(every, most))
    find = listens_at(plan)
    taken = {
        (one.namespace, one.protocol, one.port)
        for one in plan.listeners
        if one.role is not Role.ECHO
    }
    found = (question(cluster, aim, find) for aim in every)
    return [one for one in found if one is not None and not _other(one, taken)]


def question(cluster: Cluster, aim: Aim, find: ListensAt) -> Question | None:
    """None for what cannot be sent at all."""
    try:
        trace = aim.trace(cluster)
    except UsageError:
        return None
    return Question(aim, trace, expected(trace, find), _sticky(cluster, trace))


def _other(question: Question, taken: set[tuple[str, str, int]]) -> bool:
    """True if a server that is no ECHO server may answer."""
    return any(
        (f"node/{fate.endpoint.node}", question.trace.protocol, fate.endpoint.port) in taken
        for fate in question.trace.fates
        if fate.endpoint is not None
    )


def _sticky(cluster: Cluster, trace: Trace) -> bool:
    """True if a Service with affinity is on the way: connections are not independent then."""
    sticky = {one.reference for one in cluster.services if one.affinity_seconds}
    return any(hop.object in sticky for fate in trace.fates for hop in fate.hops)


def check(
    prober: Prober, cluster: Cluster, plan: Plan, seed: int, count: Count, most: int = MOST
) -> list[Failure]:
    """All failures: what was observed although it was not predicted, and shares that are wrong.

    Silence and shares are tried again, longer and more often, before they count.
    """
    asked = questions(cluster, plan, seed, most)
    odd = _ask(prober, asked, QUICK, DOUBTFUL, [one.tries for one in asked], count, pooled=True)
    at_once = [one for one in odd if not _may_be_chance(one)]
    doubtful = [one.question for one in odd if _may_be_chance(one)]
    again = _ask(prober, doubtful, PATIENT, WRONG, [one.more for one in doubtful], count)
    count.clusters += 1
    count.questions += len(asked)
    count.doubted += len(doubtful)
    for one in asked:
        for fate in one.trace.fates:
            count.fates[fate.verdict] = count.fates.get(fate.verdict, 0) + 1
            count.hanging += not fate.reply_returns
    return [*at_once, *again]


def _may_be_chance(failure: Failure) -> bool:
    return all(
        one.kind is not Kind.UNPREDICTED or one.seen.verdict is Verdict.DROPPED
        for one in failure.disagreements
    )


def _ask(
    prober: Prober,
    asked: Sequence[Question],
    timeout: float,
    alpha: float,
    tries: Sequence[int],
    count: Count,
    pooled: bool = False,
) -> list[Failure]:
    if not asked:
        return []
    probes = [one.aim.probe(number) for one, number in zip(asked, tries, strict=True)]
    observed = iter(prober.run(probes, timeout))
    failures = []
    for one, number in zip(asked, tries, strict=True):
        count.connections += number
        got = [next(observed) for _ in range(number)]
        counts = tally(got)
        odd = compare(one.outcomes, counts, alpha, shares=not one.sticky)
        if pooled:
            count.add(one, counts)
        if odd:
            failures.append(Failure(one, odd, tuple(_paths(got))))
    return failures


def _paths(observed: Iterable[Observed]) -> Iterable[str]:
    """The different ways that packets took, as text."""
    for path in dict.fromkeys(one.path for one in observed):
        links = (
            f"{link.came_from}->{link.left_for or 'nowhere'}"
            f" {link.source}>{link.destination}:{link.port}{' tunnel' if link.tunnelled else ''}"
            for link in path or ()
        )
        yield ", ".join(links) or "nothing in the fabric"
