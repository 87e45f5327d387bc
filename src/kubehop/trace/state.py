"""The state of a packet on its way, and what stages do with it."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec

from kubehop.model.cluster import Cluster
from kubehop.service.nodes import ProxyNode, proxy_nodes
from kubehop.trace.values import Hop, Reached, SourceKind, Verdict

OUTSIDE = ""
"""The place of clients, load balancers and the internet: no node."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A packet somewhere on its way; a struct because stages copy it often.

    `client` is the address it started with. `marked`: kube-proxy asked for a masquerade.
    `translated_at`: the node whose kube-proxy rewrote the destination.
    `from_node`: the node whose own process sent it, until it leaves.
    """

    source: str
    destination: str
    protocol: str
    port: int
    client: str
    node: str
    probability: Fraction = Fraction(1)
    hops: tuple[Hop, ...] = ()
    crossings: int = 0
    marked: bool = False
    source_is: SourceKind = SourceKind.CLIENT
    source_known: bool = True
    translated_at: str = ""
    masqueraded_at: str = ""
    endpoint_node: str = ""
    next_node: str | None = None
    entry: tuple[str, ...] = ()
    verdict: Verdict | None = None
    reached: Reached | None = None

    def with_(self, **changes: Any) -> "State":
        """A copy with `changes`."""
        return msgspec.structs.replace(self, **changes)

    def hop(self, stage: str, what: str, why: str = "", obj: str = "", **changes: Any) -> "State":
        """A copy with one more hop, at the present node, and `changes`."""
        hop = Hop(self.node, stage, what, why, obj)
        return msgspec.structs.replace(self, hops=(*self.hops, hop), **changes)

    def ends(self, verdict: Verdict, stage: str, what: str, why: str, obj: str = "") -> "State":
        """A copy that ends here without arriving."""
        return self.hop(stage, what, why, obj, verdict=verdict)


class Context(msgspec.Struct, frozen=True):
    """What stages may look at: the cluster, and what the question adds to it.

    `entry_node`: the node that outside packets are sent to, "" to leave it open.
    """

    cluster: Cluster
    entry_node: str = ""

    @property
    def nodes(self) -> dict[str, ProxyNode]:
        return self.cluster.derived(proxy_nodes)


Stage = Callable[[Context, State], tuple[State, ...]]
"""One step at a place: a state becomes one or, where chance decides, several."""
