"""Resolvers beyond the cluster, which no object describes: what they are taken to answer.

A prediction needs an answer for every query that leaves the cluster. The name that was asked
for is taken to exist if it looks like a public one; everything else that reaches the outside
got there through a search list, and is taken not to exist. The caller can say otherwise.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded, labels, within
from kubehop.model.addresses import canonical, family

TTL = 30
STAND_IN = "192.0.2.0"
"""Stands for the address of a name that is only assumed to exist (RFC 5737: no host has it)."""
UNKNOWN_ADDRESS = "(unknown)"
"""How that address is shown."""

NOT_PUBLIC = frozenset(
    ("cluster", "corp", "home", "internal", "invalid", "lan", "local", "localhost", "pod", "svc")
) | frozenset(("test", "example", "arpa", "onion", "alt"))
"""Last labels that no public name has: special-use (RFC 6761, 6762, 8244) or customary inside."""


class Mood(enum.StrEnum):
    """How resolvers outside treat a question about a name that was not given."""

    ANSWERS = "answers"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENT = "silent"


_ERRORS = {
    Mood.NXDOMAIN: Rcode.NXDOMAIN,
    Mood.SERVFAIL: Rcode.SERVFAIL,
    Mood.REFUSED: Rcode.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Outside:
    """`known`: addresses by folded name; `exists`: folded names assumed to have one."""

    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exists: frozenset[str] = frozenset()
    mood: Mood = Mood.ANSWERS

    def answer(self, question: Question) -> Reply | None:
        """What comes back for `question`; None is silence."""
        name = folded(question.name)
        if name in self.known:
            return _reply(Rcode.NOERROR, *_records(question, self.known[name]))
        if self.mood is Mood.SILENT:
            return None
        if self.mood in _ERRORS:
            return _reply(_ERRORS[self.mood])
        if name not in self.exists:
            return _reply(Rcode.NXDOMAIN)
        has_address = question.type == "A"
        found = (Record(question.name, TTL, "A", STAND_IN),) if has_address else ()
        return _reply(Rcode.NOERROR, *found)


def outside_for(
    asked: tuple[str, ...],
    *,
    hosts: Mapping[str, tuple[str, ...]],
    mood: Mood,
    inside: tuple[str, ...],
) -> Outside:
    """The outside for lookups of `asked`: the names as typed, and the targets of aliases.

    `hosts` are addresses by name that the caller knows. `inside` are zones and last labels
    that only the cluster has: its domain, its namespaces (`kubernetes.default` is no host of
    the Internet's).
    """
    known = {
        folded(name): tuple(canonical(address) for address in addresses)
        for name, addresses in hosts.items()
    }
    zones = tuple(folded(zone) for zone in inside)
    exists = {name for name in map(folded, asked) if looks_public(name, zones)}
    return Outside(known, frozenset(exists), mood)


def looks_public(name: str, inside: tuple[str, ...]) -> bool:
    """True if the folded name may be on the Internet: several labels, no private ending."""
    parts = labels(name)
    if len(parts) < 2 or parts[-1] in NOT_PUBLIC or not parts[-1].isascii():
        return False
    return not parts[-1].isdecimal() and not any(within(name, zone) for zone in inside)


def _reply(rcode: Rcode, *answer: Record) -> Reply:
    return Reply(rcode, tuple(answer), recursive=True)


def _records(question: Question, addresses: tuple[str, ...]) -> tuple[Record, ...]:
    wanted = {"A": "IPv4", "AAAA": "IPv6"}.get(question.type)
    return tuple(
        Record(question.name, TTL, question.type, address)
        for address in addresses
        if family(address).value == wanted
    )
