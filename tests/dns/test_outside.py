"""What is taken to exist beyond the cluster, and what the caller may say of it."""

import pytest

from kubehop.dns.message import Kind, Question
from kubehop.dns.outside import STAND_IN, Mood, Outside, outside_for

ZONES, WORDS = ("cluster.local",), frozenset({"default", "kube-system", "pg"})

# asked for -> what the outside is taken to say to that very name
PUBLIC = [
    ("example.com", Kind.ANSWER),
    ("Example.COM.", Kind.ANSWER),
    ("api.us-east-1.amazonaws.com", Kind.ANSWER),
    ("kubernetes.io", Kind.ANSWER),
    ("whoami", Kind.NXDOMAIN),
    ("whoami.defualt", Kind.NXDOMAIN),
    ("db-2.db", Kind.NXDOMAIN),
    ("db-2.pg", Kind.NXDOMAIN),
    ("whoami.default.svc.cluster.locl", Kind.NXDOMAIN),
    ("a.1c", Kind.NXDOMAIN),
    ("kubernetes.default", Kind.NXDOMAIN),
    ("whoami.default.svc", Kind.NXDOMAIN),
    ("whoami.default.svc.cluster.local", Kind.NXDOMAIN),
    ("ip-10-0-0-1.ca-central-1.compute.internal", Kind.NXDOMAIN),
    ("5.1.42.10.in-addr.arpa", Kind.NXDOMAIN),
    ("10.0.0.1", Kind.NXDOMAIN),
]


def outside(*asked: str, mood: Mood = Mood.ANSWERS, **hosts: tuple[str, ...]) -> Outside:
    known = {name.replace("_", "."): addresses for name, addresses in hosts.items()}
    return outside_for(asked, hosts=known, mood=mood, zones=ZONES, words=WORDS)


@pytest.mark.parametrize(("name", "kind"), PUBLIC)
def test_public_names_exist(name: str, kind: Kind) -> None:
    reply = outside(name).answer(Question(name, "A"))
    assert reply is not None
    assert (reply.kind, reply.authoritative, reply.recursive) == (kind, False, True)


def test_only_the_name_that_was_asked_for_exists_at_an_unknown_address() -> None:
    found = outside("example.com")
    (record,) = _answer(found, "example.com.", "A")
    assert record == f"example.com. 30 IN A {STAND_IN}"
    assert _answer(found, "example.com.", "AAAA") == ()
    other = found.answer(Question("example.com.compute.internal.", "A"))
    assert other is not None
    assert other.kind is Kind.NXDOMAIN


@pytest.mark.parametrize(
    ("mood", "kind"),
    [
        (Mood.NXDOMAIN, Kind.NXDOMAIN),
        (Mood.SERVFAIL, Kind.SERVFAIL),
        (Mood.REFUSED, Kind.REFUSED),
        (Mood.SILENT, None),
    ],
)
def test_moods_spare_what_is_known(mood: Mood, kind: Kind | None) -> None:
    found = outside("example.com", mood=mood, db_corp=("10.9.9.9", "FD00:0::9"))
    reply = found.answer(Question("example.com.", "A"))
    assert (reply and reply.kind) == kind
    assert _answer(found, "DB.corp.", "A") == ("DB.corp. 30 IN A 10.9.9.9",)
    assert _answer(found, "db.corp.", "AAAA") == ("db.corp. 30 IN AAAA fd00::9",)


def _answer(found: Outside, name: str, type_: str) -> tuple[str, ...]:
    reply = found.answer(Question(name, type_))
    assert reply is not None
    return tuple(map(str, reply.answer))
