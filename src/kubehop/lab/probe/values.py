"""What is sent, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from kubehop.lab.plan.values import FABRIC, Plan, Route, RouteKind, Veth, node_namespace
from kubehop.trace.values import Verdict

_NODE = node_namespace("")


@dataclass(frozen=True, slots=True)
class Probe:
    """Connections to try from a namespace; each has a source port of its own.

    `source` is the address to bind, "" leaves it to routing. `protocol` is TCP or UDP.
    """

    namespace: str
    source: str
    destination: str
    port: int
    protocol: str = "TCP"
    count: int = 1


@dataclass(frozen=True, slots=True)
class Link:
    """A packet seen in the fabric: the namespaces it came from and left for, and its header.

    `left_for` is "" for one that the fabric itself took no further; the header is that of the
    inner packet, where it travelled in a tunnel (`tunnelled`), as it left the fabric.
    `balanced`: it was addressed to a load balancer.
    """

    came_from: str
    left_for: str
    source: str
    destination: str
    port: int
    tunnelled: bool = False
    balanced: bool = False

    @property
    def from_node(self) -> bool:
        """True if it left a node and went on from the fabric, not by a load balancer."""
        return self.came_from.startswith(_NODE) and bool(self.left_for) and not self.balanced

    @property
    def crossing(self) -> bool:
        """True if it went from one node to another, and not to a load balancer in between."""
        return self.from_node and self.left_for.startswith(_NODE)


@dataclass(frozen=True, slots=True)
class Fabric:
    """What has to be known of the fabric to make sense of its packets.

    `links` are its devices, each with the namespace at the other end; `balanced` the addresses
    that only its load balancer takes further.
    """

    links: Mapping[str, str]
    balanced: frozenset[str] = frozenset()


def fabric_links(plan: Plan) -> Fabric:
    """The fabric of a plan."""
    return Fabric(
        {
            thing.device: thing.peer_namespace
            for thing in plan.things
            if isinstance(thing, Veth) and thing.namespace == FABRIC
        },
        frozenset(
            thing.to.partition("/")[0]
            for thing in plan.things
            if isinstance(thing, Route)
            and thing.namespace == FABRIC
            and thing.kind is RouteKind.UNREACHABLE
        ),
    )


@dataclass(frozen=True, slots=True)
class Observed:
    """What became of one connection.

    delivered   answered: by which `pod` on which `node`, at which of its addresses, and which
                source it saw
    rejected    refused at once
    dropped     nothing came until the timeout; `path` tells how far it got
    unrouted    an error of routing came back
    `path` is the first packet's way through the fabric, None where that was not watched.
    """

    probe: Probe
    verdict: Verdict
    pod: str = ""
    node: str = ""
    address: str = ""
    port: int = 0
    source_seen: str = ""
    path: tuple[Link, ...] | None = None

    @property
    def crossings(self) -> int | None:
        """Links between nodes that the first packet took."""
        return None if self.path is None else sum(link.crossing for link in self.path)
