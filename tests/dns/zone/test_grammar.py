"""Which part of a name is what (cluster-dns, 1.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.dns.zone import owner_of
from kubehop.dns.zone.grammar import APEX, Wanted, labels, parse

Z = "cluster.local."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", APEX),
        ("svc.", APEX),
        ("pod.", APEX),
        ("foo.", None),
        ("ns.svc.", Wanted("svc", "ns")),
        ("s.ns.svc.", Wanted("svc", "ns", "s")),
        ("e.s.ns.svc.", Wanted("svc", "ns", "s", "e")),
        ("_e.s.ns.svc.", Wanted("svc", "ns", "s", "_e")),
        ("_p._tcp.s.ns.svc.", Wanted("svc", "ns", "s", port="p", protocol="tcp")),
        ("p.tcp.s.ns.svc.", Wanted("svc", "ns", "s", port="p", protocol="tcp")),
        ("_._.s.ns.svc.", Wanted("svc", "ns", "s")),
        ("__p._tcp.s.ns.svc.", Wanted("svc", "ns", "s", port="_p", protocol="tcp")),
        ("x._p._tcp.s.ns.svc.", None),
        ("z.pin._zone.s.ns.svc.", None),
        ("1-2-3-4.ns.pod.", Wanted("pod", "ns", "1-2-3-4")),
        ("a\\.b.ns.svc.", Wanted("svc", "ns", "a\\.b")),
    ],
)
def test_parse(name: str, expected: Wanted | None) -> None:
    assert parse(name + Z, Z) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("z.pin._zone.s.ns.svc.", Wanted("svc", "ns", "s", topology="z")),
        ("a.b.prefer._zone.s.ns.svc.", Wanted("svc", "ns", "s", topology="a.b", prefer=True)),
        ("z.near._zone.s.ns.svc.", None),
        ("z.pin.zone.s.ns.svc.", None),
        ("z.pin._zone.s.ns.pod.", None),
    ],
)
def test_zonal(name: str, expected: Wanted | None) -> None:
    assert parse(name + Z, Z, zonal=True) == expected


def test_the_root_can_be_the_zone() -> None:
    assert parse("s.ns.svc.", ".") == Wanted("svc", "ns", "s")
    assert parse(".", ".") == APEX


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        (Z, Z),
        (f"svc.{Z}", f"svc.{Z}"),
        (f"ns.svc.{Z}", f"ns.svc.{Z}"),
        (f"s.ns.svc.{Z}", f"s.ns.svc.{Z}"),
        (f"_p._tcp.s.ns.svc.{Z}", f"s.ns.svc.{Z}"),
        (f"a.b.c.1-2-3-4.ns.pod.{Z}", f"1-2-3-4.ns.pod.{Z}"),
        (f"foo.bar.{Z}", f"foo.bar.{Z}"),
    ],
)
def test_owner(name: str, owner: str) -> None:
    assert owner_of(name, Z) == owner


@given(st.lists(st.text(st.characters(exclude_characters=".\\"), min_size=1), max_size=6))
def test_labels_are_those_that_were_joined(parts: list[str]) -> None:
    assert labels("".join(f"{part}." for part in parts) + Z, Z) == parts
