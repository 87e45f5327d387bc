"""From what a trace predicts to what a client should observe in a lab. Pure.

A trace ends where a packet arrives; whether something listens there, the lab's listeners tell.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from kubehop.lab.plan.values import OUTSIDE, Address, Listener, Plan, Role
from kubehop.lab.probe.values import Observed
from kubehop.trace.values import Fate, Reached, Trace, Verdict


@dataclass(frozen=True, slots=True)
class Seen:
    """What is compared of a connection.

    An answer's pod, node, address, port and source; of one that got none, where its packet
    went all the same (`address`, `port`, `source_seen`), if it ever left a node.
    None: not told.
    """

    verdict: Verdict
    pod: str | None = None
    node: str | None = None
    address: str | None = None
    port: int | None = None
    source_seen: str | None = None
    crossings: int | None = None

    def fits(self, other: "Seen") -> bool:
        """True if `other`, which was observed, agrees in all that both tell.

        Of an unreachable host the kernel tells each sender five times, and then once a second
        (`ip_error` in net/ipv4/route.c): silence is what the others get.
        """
        silent = self.verdict is Verdict.UNROUTED and other.verdict is Verdict.DROPPED
        if self.verdict is not other.verdict and not silent:
            return False
        pairs = zip(_values(self), _values(other), strict=True)
        return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)

    @property
    def untold(self) -> int:
        """In how many respects it fits everything."""
        return _values(self).count(None)

    def __str__(self) -> str:
        told = {
            "pod": self.pod,
            "node": self.node,
            "address": self.address,
            "port": self.port,
            "source seen": self.source_seen,
            "crossings": self.crossings,
        }
        parts = (f"{word} {value}" for word, value in told.items() if value not in (None, ""))
        return " ".join((self.verdict.value, *parts))


def _values(seen: Seen) -> tuple[object, ...]:
    return (
        seen.pod,
        seen.node,
        seen.address,
        seen.port,
        seen.source_seen,
        seen.crossings,
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something that a client may observe, and the share of connections that do."""

    probability: Fraction
    seen: Seen


ListensAt = Callable[[Reached, str], Listener | None]
"""Who listens where a packet of a protocol ended."""


def listens_at(plan: Plan) -> ListensAt:
    """A look-up of a plan's listeners; an address that nobody has is outside."""
    table = {(one.namespace, one.protocol, one.address, one.port): one for one in plan.listeners}
    homes = {
        thing.address.partition("/")[0]: thing.namespace
        for thing in plan.things
        if isinstance(thing, Address)
    }

    def find(reached: Reached, protocol: str) -> Listener | None:
        namespace = homes.get(reached.address, OUTSIDE)
        exact = table.get((namespace, protocol, reached.address, reached.port))
        return exact or table.get((namespace, protocol, "", reached.port))

    return find


def expected(trace: Trace, find: ListensAt) -> tuple[Outcome, ...]:
    """What clients observe of a trace's fates, each outcome once; the shares sum to 1."""
    shares: dict[Seen, Fraction] = {}
    for fate in trace.fates:
        seen = _seen(fate, trace.protocol, find)
        shares[seen] = shares.get(seen, Fraction(0)) + fate.probability
    return tuple(Outcome(share, seen) for seen, share in shares.items())


def _seen(fate: Fate, protocol: str, find: ListensAt) -> Seen:
    """One fate as a client sees it.

    Case 1: it ends on the way. Case 2: it arrives, and the answer cannot come back. Case 3:
    nobody listens there. Case 4: a server of another kind answers: a probe cannot tell more.
    Case 5: an ECHO server answers.
    """
    end = fate.endpoint
    if end is None:
        return Seen(fate.verdict, crossings=fate.node_crossings)
    here = Seen(
        Verdict.DELIVERED,
        address=end.address,
        port=end.port,
        source_seen=fate.source_seen,
        crossings=fate.node_crossings,
    )
    if not fate.reply_returns:
        return replace(here, verdict=Verdict.DROPPED)
    listener = find(end, protocol)
    if listener is None:
        return Seen(Verdict.REJECTED, crossings=fate.node_crossings)
    if listener.role is not Role.ECHO:
        return replace(here, node=end.node)
    return replace(here, pod=end.pod or listener.pod, node=end.node)


def seen_of(observed: Observed) -> Seen:
    """What of an observation is compared with predictions."""
    if observed.verdict is Verdict.DELIVERED:
        return Seen(
            observed.verdict,
            observed.pod,
            observed.node,
            observed.address,
            observed.port,
            observed.source_seen,
            observed.crossings,
        )
    last = next((link for link in reversed(observed.path or ()) if link.from_node), None)
    if observed.verdict is not Verdict.DROPPED or last is None:
        return Seen(observed.verdict, crossings=observed.crossings)
    return Seen(
        observed.verdict,
        address=last.destination,
        port=last.port,
        source_seen=last.source,
        crossings=observed.crossings,
    )
