"""The upstream resolver of the recordings: what it knows, and how it fails.

Pieced together from what came back: the same server stood behind CoreDNS and before the
resolvers. It set AA and RA in all its replies.
"""

import re
from collections.abc import Callable

from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded, within

TTL = 5
SOA_TTL = 30
ZONES = ("cluster.local.", ".")
ADDRESSES = {
    "example.com.": ("93.184.216.34", "2606:2800:220:1::1"),
    "a.b.c.d.e.example.com.": ("93.184.216.35",),
    "api.us-east-1.amazonaws.com.": ("54.1.2.3",),
    "whoami.default.svc.cluster.local.": ("10.43.5.5",),
    "kubernetes.default.svc.cluster.local.": ("10.43.0.1",),
}
STATES = {
    "timeout": None,
    "dead": None,
    "down": None,
    "refused": Rcode.REFUSED,
    "servfail": Rcode.SERVFAIL,
    "nxdomain": Rcode.NXDOMAIN,
}

Upstream = Callable[[Question], Reply | None]
"""What comes back for a question; None is silence."""


def upstream_of(label: str) -> Upstream:
    """The upstream that the label of a configuration describes: `upstream timeout`."""
    match = re.search(r"upstream (?:is |answers )?(\w+)", label)
    state = match[1].lower() if match else ""
    if state not in STATES:
        return answer
    rcode = STATES[state]
    return lambda _: None if rcode is None else _reply(rcode)


def answer(question: Question) -> Reply:
    """The reply of the upstream in good health."""
    name = folded(question.name)
    records = tuple(
        Record(question.name, TTL, question.type, address)
        for address in ADDRESSES.get(name, ())
        if question.type == ("AAAA" if ":" in address else "A")
    )
    if records:
        return _reply(Rcode.NOERROR, records)
    exists = any(within(known, name) for known in ADDRESSES)
    zone = next(zone for zone in ZONES if within(name, zone))
    below = "" if zone == "." else zone
    data = f"ns.dns.{below} hostmaster.{below} 1 7200 1800 86400 5"
    soa = Record(zone, SOA_TTL, "SOA", data)
    return _reply(Rcode.NOERROR if exists else Rcode.NXDOMAIN, authority=(soa,))


def _reply(
    rcode: Rcode, records: tuple[Record, ...] = (), authority: tuple[Record, ...] = ()
) -> Reply:
    return Reply(rcode, records, authority, authoritative=True, recursive=True)
