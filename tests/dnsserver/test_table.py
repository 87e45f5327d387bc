"""What is kept, for how long, and that it never grows past its bounds."""

import pytest

from kubehop.dns.wire.names import pack
from kubehop.dnsserver.table import MOST_FLEETING, MOST_REPLIES, Entry, Table

A, AAAA, RARE = b"\0\1\0\1", b"\0\x1c\0\1", b"\xff\0\0\1"


def kept(table: Table, name: str, fixed: bytes = A, present: bool = True) -> Entry:
    entry = Entry(name.encode(), name)
    table.keep(pack(name) + fixed, entry, present)
    return entry


def test_replies_go_with_their_answer() -> None:
    table = Table()
    entry = kept(table, "web.")
    table.remember(entry, b"query", b"reply", 3)
    assert table.replies == {b"query": (b"reply", 3)}
    table.forget(["web."])
    assert (table.entries, table.replies) == ({}, {})
    table.remember(entry, b"query", b"reply", 3)
    assert table.replies == {}, "an answer that is gone has no replies"


def test_forgetting_a_name_takes_all_its_types_and_no_other_name() -> None:
    table = Table()
    for name in ("web.", "web.web."):
        kept(table, name)
        kept(table, name, AAAA, present=False)
    table.forget(["web.", "other."])
    assert set(table.entries) == {pack("web.web.") + A, pack("web.web.") + AAAA}


def test_a_new_answer_takes_the_replies_of_the_old_one() -> None:
    table = Table()
    table.remember(kept(table, "web."), b"query", b"old", 0)
    kept(table, "web.")
    assert table.replies == {}


def test_names_are_forgotten_by_their_owner_and_all_by_the_root() -> None:
    table = Table()
    for name in ("a.", "b.", "c."):
        table.keep(pack(name) + A, Entry(b"", "owner." if name < "c." else "c."), True)
    table.forget(["owner."])
    assert set(table.entries) == {pack("c.") + A}
    table.forget(["x.", "."])
    assert len(table) == 0


def test_rare_types_and_turning_answers_are_not_kept() -> None:
    table = Table()
    kept(table, "web.", RARE)
    assert len(table) == 0
    turning = Entry(b"", turning=(10, 16, 2))
    table.keep(pack("web.") + A, turning, True)
    table.remember(turning, b"query", b"reply", 0)
    assert (len(table), table.replies) == (1, {})


@pytest.mark.parametrize("present", [True, False])
def test_a_flood_of_names_is_bounded_and_takes_nothing_from_the_others(present: bool) -> None:
    table = Table(100, 100)
    first = kept(table, "first.", present=not present)
    for n in range(1000):
        entry = kept(table, f"n{n}.", present=present)
        for variant in range(10):
            table.remember(entry, b"%d %d" % (n, variant), b"", 0)
    assert len(table) == 101
    assert len(table.replies) == 100 * MOST_REPLIES
    assert table.entries[pack("first.") + A] is first
    assert pack("n999.") + A in table.entries


def test_keeping_and_forgetting_in_turns_leaves_nothing_behind() -> None:
    table = Table(10, 10)
    for _ in range(1000):
        kept(table, "web.")
        table.forget(["web."])
    assert len(table) == 0
    assert len(table._present) <= 10
    assert table._owned == {}


def test_fleeting_replies_go_in_time() -> None:
    table = Table()
    for when, query in ((2.0, b"two"), (1.0, b"one"), (3.0, b"three")):
        table.remember_until(when, query, b"reply", 0)
    table.expire(2.0)
    assert set(table.replies) == {b"three"}
    table.clear()
    table.expire(9.0)
    assert table.replies == {}


def test_a_fleeting_reply_and_a_kept_one_for_the_same_query_harm_nobody() -> None:
    table = Table()
    table.remember_until(1.0, b"query", b"old", 0)
    table.remember(kept(table, "web."), b"query", b"new", 0)
    table.expire(1.0)
    table.forget(["web."])
    assert table.replies == {}


def test_fleeting_replies_are_bounded() -> None:
    table = Table()
    for n in range(2 * MOST_FLEETING):
        table.remember_until(1.0, b"%d" % n, b"", 0)
    assert len(table.replies) == MOST_FLEETING


def test_clear() -> None:
    table = Table()
    table.remember(kept(table, "web."), b"query", b"reply", 0)
    table.clear()
    assert (table.entries, table.replies) == ({}, {})
