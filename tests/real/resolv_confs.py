"""Texts of resolv.conf to try: those of the shared recordings, and combinations of their parts."""

from random import Random
from typing import TypeVar

from tests.real.scenes import NOBODY, SERVERS

T = TypeVar("T")
SEARCH = (
    "search default.svc.cluster.local svc.cluster.local cluster.local ca-central-1.compute.internal"
)
_LONG = " ".join(f"a-rather-long-domain-number-{n}.corp.example" for n in range(7))
SEARCHES = (
    (SEARCH, 8),
    ("search default.svc.cluster.local. svc.cluster.local. cluster.local.", 2),
    ("search svc.cluster.local.\nsearch default.svc.cluster.local. .", 2),
    ("search .", 1),
    ("search . default.svc.cluster.local", 1),
    ("search default.svc.cluster.local svc.cluster.local", 2),
    (f"{SEARCH} {_LONG}", 2),
    (
        "search d1.example d2.example d3.example d4.example d5.example d6.example d7.example"
        " d8.example default.svc.cluster.local",
        1,
    ),
    ("domain default.svc.cluster.local", 1),
    ("", 1),
)
SERVER_LISTS = (
    (SERVERS[:1], 8),
    (SERVERS[:2], 4),
    (SERVERS[:3], 2),
    (SERVERS, 2),
    ((NOBODY,), 1),
    ((NOBODY, SERVERS[0]), 1),
    ((SERVERS[0], NOBODY), 1),
    ((NOBODY, *SERVERS[:2]), 1),
)
OPTIONS = (
    "rotate",
    "edns0",
    "single-request",
    "single-request-reopen",
    "use-vc",
    "no-tld-query",
    "trust-ad",
    "no-aaaa",
    "timeout:1",
    "timeout:2",
    "timeout:2 attempts:1",
    "attempts:1",
    "attempts:3",
)
NDOTS = ((" ndots:5", 10), (" ndots:2", 2), (" ndots:1", 2), (" ndots:0", 1), ("", 1))


def drawn(random: Random) -> str:
    """A resolv.conf: mostly as a pod has it, with one or two things changed."""
    search, servers, ndots = (_one(random, some) for some in (SEARCHES, SERVER_LISTS, NDOTS))
    options = "".join(
        f" {option}" for option in random.sample(OPTIONS, random.choice((0, 0, 1, 2)))
    )
    lines = [search, *(f"nameserver {server}" for server in servers)]
    if ndots or options:
        lines.append(f"options{ndots}{options}")
    return "".join(f"{line}\n" for line in lines if line)


def _one(random: Random, weighted: tuple[tuple[T, int], ...]) -> T:
    return random.choices([one for one, _ in weighted], [weight for _, weight in weighted])[0]
