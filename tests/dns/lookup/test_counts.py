"""How many queries a name costs: sections 4a and 4b of the cluster DNS reference, observed."""

import pytest

from kubehop.dns.lookup.protocol import Status
from kubehop.dns.lookup.resolvers import RESOLVERS
from tests.dns.lookup.servers import NXDOMAIN, always, look_up

NAMES = (
    "whoami",
    "whoami.default",
    "whoami.default.svc",
    "whoami.default.svc.cluster.local",
    "whoami.default.svc.cluster.local.",
    "kubernetes.default",
    "example.com",
    "example.com.",
    "a.b.c.d.e.example.com",
    "api.us-east-1.amazonaws.com",
)
PAIRS = "2 4 6 10 2 4 10 2 2 10"
ONE = "1 2 3 5 1 2 5 1 1 5"
BUSYBOX = "8 2x 2x 2 2 2x 2 2 2 2"
HEALTHY = {
    "glibc": PAIRS,
    "glibc-ipv4": ONE,
    "glibc-gethostbyname": ONE,
    "musl-1.1.13": PAIRS,
    "musl-1.2.4": PAIRS,
    "musl-1.2.1": PAIRS,
    "musl": PAIRS,
    "busybox": BUSYBOX,
    "dig": "1x 1x 1x 1 1 1x 1 1 1 1",
    "dig+search": ONE,
    "host": "3 4 5 7 3 4 7 3 3 7",
    "nslookup": "2 3 4 6 2 3 6 2 2 6",
    "go": PAIRS,
    "go-ipv4": ONE,
    "c-ares-1.18": PAIRS,
    "c-ares": PAIRS,
    "java": PAIRS,
    "node": PAIRS,
    "node-resolve": "1x 1x 1x 1 1 1x 1 1 1 1",
    "python": PAIRS,
    "dnspython": ONE,
    "busybox-1.28-musl": "3 5 7 11 3 5 12 4 3 11",
    "busybox-1.28": "4 6 8 12 4 6 13 5 4 12",
    "busybox-1.29": "2x 2x 2x 2 2 2x 2 2 2 2",
    "busybox-1.30": BUSYBOX,
    "busybox-type-a": "4 1x 1x 1 1 1x 1 1 1 1",
}
"""By resolver, in the order of NAMES; x: not found although it is there."""
ALL_PAIRS = "10 10 10 10 2 10 10 2 10 10"
ALL_ONE = "5 5 5 5 1 5 5 1 5 5"
NO_SECOND_CHANCE = "10 10 10 10 2 10 10 2 2 10"
BIND = "5 5 5 5 1 5 5 1 1 5"
AS_IT_STANDS = "8 2 2 2 2 2 2 2 2 2"
MISSING = {
    "glibc": ALL_PAIRS,
    "glibc-ipv4": ALL_ONE,
    "glibc-gethostbyname": ALL_ONE,
    "musl-1.1.13": NO_SECOND_CHANCE,
    "musl-1.2.4": NO_SECOND_CHANCE,
    "musl-1.2.1": NO_SECOND_CHANCE,
    "musl": NO_SECOND_CHANCE,
    "busybox": AS_IT_STANDS,
    "dig": "1 1 1 1 1 1 1 1 1 1",
    "dig+search": BIND,
    "host": BIND,
    "nslookup": BIND,
    "go": ALL_PAIRS,
    "go-ipv4": ALL_ONE,
    "c-ares-1.18": ALL_PAIRS,
    "c-ares": ALL_PAIRS,
    "java": ALL_PAIRS,
    "node": ALL_PAIRS,
    "node-resolve": "1 1 1 1 1 1 1 1 1 1",
    "python": ALL_PAIRS,
    "dnspython": ALL_ONE,
    "busybox-1.28": "11 11 11 11 3 11 11 3 11 11",
    "busybox-1.28-musl": NO_SECOND_CHANCE,
    "busybox-1.29": "2 2 2 2 2 2 2 2 2 2",
    "busybox-1.30": AS_IT_STANDS,
    "busybox-type-a": "4 1 1 1 1 1 1 1 1 1",
}
"""The same where every query gets NXDOMAIN."""


def test_every_resolver_is_in_both_tables() -> None:
    assert set(HEALTHY) == set(MISSING) == set(RESOLVERS)


@pytest.mark.parametrize("resolver", HEALTHY)
def test_in_a_healthy_cluster(resolver: str) -> None:
    lookups = [look_up(resolver, name) for name in NAMES]
    cells = [f"{x.queries}{'' if x.outcome.status is Status.FOUND else 'x'}" for x in lookups]
    assert " ".join(cells) == HEALTHY[resolver]


@pytest.mark.parametrize("resolver", MISSING)
def test_where_nothing_exists(resolver: str) -> None:
    lookups = [look_up(resolver, name, always(NXDOMAIN)) for name in NAMES]
    assert " ".join(str(x.queries) for x in lookups) == MISSING[resolver]
    assert {x.outcome.status for x in lookups} == {Status.NOT_FOUND}
