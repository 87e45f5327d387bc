"""sessionAffinity ClientIP, as kube-proxy's rules remember it (reference section 4).

The table belongs to one Service port on one node. It is keyed by the client's address before
masquerading, its timer restarts with every new connection, and only endpoints of the set that
applies now can be remembered ones.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AffinityTable:
    """Who was sent where, and when last: (client, endpoint) -> seconds."""

    timeout: int
    seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def candidates(self, client: str, endpoints: tuple[str, ...], now: float) -> tuple[str, ...]:
        """The endpoints that a new connection of `client` may get: one if it is remembered.

        The first match in list order wins; a remembered endpoint that is gone is ignored.
        """
        for endpoint in endpoints:
            last = self.seen.get((client, endpoint))
            if last is not None and now - last <= self.timeout:
                return (endpoint,)
        return endpoints

    def connected(self, client: str, endpoint: str, now: float) -> "AffinityTable":
        """The table after `client` was sent to `endpoint` at `now` seconds."""
        return AffinityTable(self.timeout, {**self.seen, (client, endpoint): now})
