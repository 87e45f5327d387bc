"""A real lookup beside its prediction: queries, outcome and time."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import dns.message

from kubehop.dns.lookup.drive import Lookup, drive
from kubehop.dns.lookup.protocol import Query, Silence, Transport
from kubehop.dns.message import Rcode, Reply
from kubehop.dns.resolv import hosts
from tests.real.asking import Ask, decoded, query_bytes
from tests.real.clients import Client, Got, expected
from tests.real.nameserver import Seen, encoded
from tests.real.namespace import Namespace
from tests.real.pods import DEAD_ADDRESS

Answer = Callable[[Query], Reply | Silence]
Step = tuple[str, tuple[str, ...]]
"""A name, and what was asked of it: A and AAAA go out together and may arrive in either order."""
EARLY, LATE = 0.3, 1.5
"""Seconds by which a lookup may be quicker and slower than predicted; starting it costs time."""
TRIES = 3
"""A machine with other things to do may be late, but not each time."""


@dataclass
class Pod:
    """A container's view: the namespace, and what its nameservers answer and have seen."""

    inside: Namespace
    programs: Path
    answer: Answer
    log: Callable[[], list[Seen]]

    def predicted(self, client: Client, name: str, etc: dict[str, str]) -> Lookup:
        machine = client.machine.machine(name, etc["resolv.conf"], hosts.parse(etc["hosts"]))
        return drive(machine, self.answer)

    def difference(self, client: Client, name: str, etc: dict[str, str]) -> str:
        """How a real lookup differs from its prediction, "" if it does not."""
        for file, text in etc.items():
            self.inside.write(file, text)
        predicted = self.predicted(client, name, etc)
        for _ in range(TRIES):
            found, seconds = self._once(client, name, predicted)
            if found or predicted.seconds - EARLY <= seconds <= predicted.seconds + LATE:
                return found
        return f"took {seconds:.1f} s, predicted {predicted.seconds}"

    def _once(self, client: Client, name: str, predicted: Lookup) -> tuple[str, float]:
        command = client.command(self.programs)
        self.log()
        began = time.monotonic()
        ran = self.inside.run(*command, name)
        seconds = time.monotonic() - began
        asked = _queries_differ(client, self.log(), predicted)
        return asked or _outcome_differs(client, client.read(ran), predicted), seconds


def fitted(query: Query, reply: Reply) -> Reply:
    """A reply as the wire brings it: cut to what the query allows."""
    limit = 65535 if query.transport is Transport.TCP else query.payload or 512
    ask = Ask(query.question.name, query.question.type, payload=query.payload)
    return decoded(encoded(dns.message.from_wire(query_bytes(ask)), reply, limit))


def _queries_differ(client: Client, log: list[Seen], predicted: Lookup) -> str:
    queries = [step.query for step in predicted.steps if step.query.server != DEAD_ADDRESS]
    seen = _grouped(
        ((s.question.name, f"{s.question.type}/{s.transport}/{s.server}") for s in log), client
    )
    wanted = _grouped(
        ((q.question.name, f"{q.question.type}/{q.transport}/{q.server}") for q in queries), client
    )
    if (client.machine.parallel or client.at_once) and _meets_servfail(predicted):
        # Retries are not counted by type: whichever reply comes first uses them up.
        seen, wanted = _totals(seen), _totals(wanted)
    return "" if seen == wanted else f"asked {seen}, predicted {wanted}"


def _grouped(asked: Iterable[tuple[str, str]], client: Client) -> list[Step]:
    """Runs of one name; of a client that asks all servers or names at once, names and counts."""
    folded = [(name.lower(), how) for name, how in asked]
    if client.at_once:
        # What a server forwards it logs later, when it is answered.
        folded.sort()
    if client.machine.parallel:
        # A server that nobody waits for may log a query when another has had the next.
        order = list(dict.fromkeys(name for name, _ in folded))
        folded.sort(key=lambda pair: order.index(pair[0]))
    groups = groupby(folded, key=lambda pair: pair[0])
    return [(name, tuple(sorted(how for _, how in group))) for name, group in groups]


def _meets_servfail(lookup: Lookup) -> bool:
    results = (step.result for step in lookup.steps)
    return any(isinstance(r, Reply) and r.rcode == Rcode.SERVFAIL for r in results)


def _totals(steps: list[Step]) -> list[Step]:
    return [(name, (str(len(asked)),)) for name, asked in steps]


def _outcome_differs(client: Client, got: Got, predicted: Lookup) -> str:
    wanted = expected(client, predicted.outcome)
    results = [step.result for step in predicted.steps if isinstance(step.result, Reply)]
    cut = any(reply.truncated for reply in results[-2:])
    if cut and len(got.addresses) == len(wanted.addresses):
        # Which records a truncated answer has is chance, how many is not.
        got = replace(got, addresses=wanted.addresses)
    return "" if got == wanted else f"got {got}, predicted {wanted}"
