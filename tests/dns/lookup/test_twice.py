"""A search list that names a domain twice, as dnsConfig.searches `corp.example.` and a node's
`corp.example` make it; observed with busybox 1.35."""

import pytest

from kubehop.dns.lookup.protocol import Query, Silence, Status
from kubehop.dns.message import Reply
from kubehop.dns.resolv.hosts import NO_HOSTS
from kubehop.render.nslookup import FORMS, Asked
from tests.dns.lookup.servers import NXDOMAIN, SERVFAIL, asked, cluster, look_up

SERVERS = "nameserver 10.43.0.10\nnameserver 10.43.0.11\n"
CONF = f"search default.svc.cluster.local svc default.svc.cluster.local.\n{SERVERS}"
TWICE = "whoami.default.svc.cluster.local."


def only_first(query: Query) -> Reply | Silence:
    return cluster(query) if query.server == "10.43.0.10" else NXDOMAIN


@pytest.mark.parametrize("resolver", ["busybox", "busybox-1.30"])
def test_each_query_has_an_id_of_its_own(resolver: str) -> None:
    found = look_up(resolver, "whoami", only_first, CONF)
    names = (TWICE, "whoami.svc.", TWICE)
    assert asked(found) == [f"{name} {kind}" for kind in ("A", "AAAA") for name in names]
    assert found.outcome.status is Status.FOUND
    assert found.seconds == 0


def test_each_reply_is_printed() -> None:
    found = look_up("busybox", "whoami", only_first, CONF)
    printed = FORMS["busybox"](Asked("whoami", ("10.43.0.10",), NO_HOSTS), found).out
    assert printed.count("Address: 10.43.5.5\n") == 2
    assert printed.count("can't find whoami.svc: NXDOMAIN") == 2


def test_what_is_asked_again_is_printed_once() -> None:
    """SERVFAIL is asked again twice for each query, whichever it is that fails."""
    found = look_up(
        "busybox",
        "whoami",
        lambda q: SERVFAIL if q.question.name == "whoami.svc." else cluster(q),
        CONF,
    )
    printed = FORMS["busybox"](Asked("whoami", ("10.43.0.10",), NO_HOSTS), found).out
    assert len(found.steps) == 6 + 12
    assert printed.count("can't find whoami.svc: SERVFAIL") == 2
