"""Run a machine against the network: the same steps and outcome as a prediction has."""

import contextlib
import selectors
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kubehop.dns.lookup.drive import Lookup, Step
from kubehop.dns.lookup.protocol import Heard, Machine, Outcome, Query, Silence, Status
from kubehop.dns.message import Reply
from kubehop.dnsclient.sockets import Endpoint, Exchange
from kubehop.model.errors import ClusterError

PORT = 53
PATIENCE = 120.0
"""Seconds after which a lookup that its program would wait for for ever is given up."""

Find = Callable[[str], Endpoint]
"""A nameserver as it stands in resolv.conf -> where its queries are really sent."""


def port_53(server: str) -> Endpoint:
    """The nameserver itself."""
    return server, PORT


def ask(machine: Machine, find: Find = port_53, patience: float = PATIENCE) -> Lookup:
    """The lookup as it really went; `seconds` by the clock.

    Raises ClusterError where this host cannot send at all (no permission, no sockets left).
    """
    run = _Run(find)
    try:
        with contextlib.closing(run):
            return run.through(machine, patience)
    except OSError as error:
        raise ClusterError(f"cannot send a DNS query: {error.strerror or error}") from error


@dataclass(slots=True)
class _Run:
    """The queries under way, what came of each, and the clock."""

    find: Find
    start: float = field(default_factory=time.monotonic)
    steps: list[tuple[Query, float]] = field(default_factory=list)
    results: dict[Query, Reply | Silence] = field(default_factory=dict)
    open: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def close(self) -> None:
        for key in list(self.open.get_map().values()):
            key.data.close()
        self.open.close()

    @property
    def now(self) -> float:
        return time.monotonic() - self.start

    def through(self, machine: Machine, patience: float) -> Lookup:
        try:
            asked = next(machine)
            while True:
                for query in asked.queries:
                    self._send(query)
                heard = self._wait(min(asked.until, patience))
                if heard.query is None and asked.until > patience:
                    machine.close()
                    return self._lookup(Outcome(Status.HANGS))
                asked = machine.send(heard)
        except StopIteration as end:
            return self._lookup(end.value)

    def _send(self, query: Query) -> None:
        self.steps.append((query, self.now))
        exchange = Exchange(query, self.find(query.server))
        self.open.register(exchange.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, exchange)

    def _wait(self, until: float) -> Heard:
        """The next reply or error, or that the time is up."""
        while True:
            for exchange in self._ready(max(0.0, until - self.now)):
                result = exchange.poll()
                if result is not None:
                    self.results[exchange.query] = result
                    self.open.unregister(exchange.sock)
                    exchange.close()
                    return Heard(self.now, exchange.query, result)
                if not exchange.wants_to_write:
                    self.open.modify(exchange.sock, selectors.EVENT_READ, exchange)
            if self.now >= until:
                return Heard(max(self.now, until))

    def _ready(self, seconds: float) -> Iterator[Exchange]:
        """Those that can go on; one at a time, for the machine decides after each."""
        for key, _ in self.open.select(seconds):
            yield key.data

    def _lookup(self, outcome: Outcome) -> Lookup:
        steps = tuple(
            Step(query, at, self.results.get(query, Silence.SILENT)) for query, at in self.steps
        )
        return Lookup(steps, outcome, self.now)
