"""The values of an answer: hops, fates, traces (design, section 4: the words)."""

import enum
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubehop.trace.lookups import Prediction


class Verdict(enum.StrEnum):
    """How a packet ends.

    delivered   it reached an address where something may listen
    dropped     silence: the client times out
    rejected    an error comes back at once ("connection refused")
    unrouted    nobody on the way has a route for it
    unresolved  its name was not found: nothing is sent
    """

    DELIVERED = "delivered"
    DROPPED = "dropped"
    REJECTED = "rejected"
    UNROUTED = "unrouted"
    UNRESOLVED = "unresolved"


class SourceKind(enum.StrEnum):
    """What the source address is that the other side sees."""

    CLIENT = "client"
    NODE = "node"
    TUNNEL = "tunnel"
    GATEWAY = "gateway"
    LOAD_BALANCER = "loadbalancer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step: on which node ("" outside of the cluster), at which stage, what and why."""

    node: str
    stage: str
    what: str
    why: str = ""
    object: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a packet ended: pod as "namespace/name", "" if it is not a pod's address."""

    address: str
    port: int
    pod: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """One possible outcome.

    `source_seen` is None when the objects do not tell the address; `source_is` says what it
    is all the same. `node_crossings` counts links between nodes inside of the cluster.
    `reply_returns` is False when answers cannot come back the way the packet went, so that
    the connection hangs although the packet arrives. `entry_nodes` are the nodes by which
    it may have entered with this very outcome; empty when it started inside.
    """

    probability: Fraction
    verdict: Verdict
    endpoint: Reached | None
    source_seen: str | None
    source_is: SourceKind
    client_address_kept: bool
    node_crossings: int
    reply_returns: bool
    entry_nodes: tuple[str, ...]
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """Every fate of a packet; the probabilities sum to 1.

    `lookup` came first where the target was named by a host name.
    """

    origin: str
    target: str
    protocol: str
    fates: tuple[Fate, ...]
    notes: tuple[str, ...] = ()
    lookup: "Prediction | None" = None

    def probability(self, verdict: Verdict) -> Fraction:
        """The share of connections that end so."""
        return sum((f.probability for f in self.fates if f.verdict is verdict), Fraction(0))
