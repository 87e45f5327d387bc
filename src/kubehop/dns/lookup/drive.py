"""Run a machine against answers that are known beforehand: a prediction, a recording, a test."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from kubehop.dns.lookup.protocol import Heard, Machine, Outcome, Query, Silence, Status
from kubehop.dns.message import Reply


@dataclass(frozen=True, slots=True)
class Late:
    """A reply, or ICMP error, that comes `after` seconds."""

    result: Reply | Silence
    after: float


@dataclass(frozen=True, slots=True)
class Step:
    """A query, when it was sent (seconds since the start), and what came of it.

    `after` is how many seconds later it came: maybe when nobody listened any more.
    """

    query: Query
    at: float
    result: Reply | Silence
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Lookup:
    """All queries of a lookup in the order of sending, its outcome, and its time in seconds.

    Replies that come at once cost no time: `seconds` is what silence and late replies cost,
    infinity for a lookup that never returns.
    """

    steps: tuple[Step, ...]
    outcome: Outcome
    seconds: float

    @property
    def queries(self) -> int:
        return len(self.steps)


Answer = Callable[[Query], Reply | Silence | Late]
"""What a query gets; called once for each query, in the order of sending."""
NEVER = float("inf")


def drive(machine: Machine, answer: Answer) -> Lookup:
    """Run `machine` to its end; what comes at the same moment comes in the order of sending."""
    steps: list[Step] = []
    coming: list[tuple[float, int, Query, Reply | Silence]] = []
    now = 0.0
    try:
        ask = next(machine)
        while True:
            for query in ask.queries:
                given = answer(query)
                result, after = (
                    (given.result, given.after) if isinstance(given, Late) else (given, 0.0)
                )
                steps.append(Step(query, now, result, after))
                if result is not Silence.SILENT:
                    heapq.heappush(coming, (now + after, len(steps), query, result))
            if coming and coming[0][0] <= ask.until:
                now, _, heard, what = heapq.heappop(coming)
                ask = machine.send(Heard(now, heard, what))
            elif ask.until == NEVER:
                machine.close()
                return Lookup(tuple(steps), Outcome(Status.HANGS), NEVER)
            else:
                now = max(now, ask.until)
                ask = machine.send(Heard(now))
    except StopIteration as end:
        outcome: Outcome = end.value
        return Lookup(tuple(steps), outcome, now)
