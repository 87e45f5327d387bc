"""Zones, addresses, numbers and durations as a Corefile writes them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.dns.corefile.numbers import duration, integer
from kubehop.dns.corefile.zones import (
    fall_zones,
    host_port,
    is_domain_name,
    matched,
    reverse_zones,
    split_zone,
    transport,
)
from kubehop.dns.names import reverse, within
from kubehop.model.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5s", 5.0),
        ("500ms", 0.5),
        ("1h30m", 5400.0),
        ("1.5s", 1.5),
        ("0", 0.0),
        ("-2s", -2.0),
        (".5s", 0.5),
        ("1h2m3s", 3723.0),
    ],
)
def test_duration(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "1d", "x", "1s2", "5s!", ".s", "1e3s"])
def test_no_duration(text: str) -> None:
    with pytest.raises(InputError, match="time: "):
        duration(text)


@pytest.mark.parametrize("text", ["", "x", "1.5", "1_0", "٣", "9" * 5000, "99999999999999999999"])
def test_no_integer(text: str) -> None:
    with pytest.raises(InputError, match="strconv"):
        integer(text)


def test_integer() -> None:
    assert [integer(text) for text in ("7", "-7", "+7", "007")] == [7, -7, 7, 7]
    with pytest.raises(InputError):
        integer("+7", minimum=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", "10.0.0.1:53"),
        ("10.0.0.1:5353", "10.0.0.1:5353"),
        ("10.0.0.1:", "10.0.0.1:53"),
        ("fd00::1", "[fd00::1]:53"),
        ("[fd00::1]:5353", "[fd00::1]:5353"),
        ("dns.google", None),
        ("dns.google:53", None),
        ("10.0.0", None),
        ("[fd00::1]", None),
        ("", None),
    ],
)
def test_host_port(text: str, expected: str | None) -> None:
    assert host_port(text, 53) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("tls://a", ("tls", "a")), ("a", ("dns", "a")), ("ftp://a", ("dns", "ftp://a"))],
)
def test_transport(text: str, expected: tuple[str, str]) -> None:
    assert transport(text) == expected


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        (".", True),
        ("a", True),
        ("a.", True),
        ("_a.*.b", True),
        ("", False),
        ("a..b", False),
        (".a", False),
        ("a" * 63, True),
        ("a" * 64, False),
        ("ä" * 32, False),
        ("a." * 126 + "a", True),
        ("a." * 127 + "a", False),
    ],
)
def test_domain_name(name: str, valid: bool) -> None:
    assert is_domain_name(name) is valid


def test_the_longest_zone_matches() -> None:
    zones = (".", "local.", "cluster.local.", "x.cluster.local.")
    assert matched(zones, "a.cluster.local.") == "cluster.local."
    assert matched(zones, "cluster.local.") == "cluster.local."
    assert matched(zones, "notcluster.local.") == "local."
    assert matched(("cluster.local.",), "org.") == ""


def test_fallthrough_without_zones_is_for_all() -> None:
    assert fall_zones([]) == (".",)
    assert fall_zones(["in-addr.arpa", "10.0.0.0/8"]) == ("in-addr.arpa.", "10.in-addr.arpa.")


@given(st.ip_addresses(), st.integers(0, 32))
def test_every_address_of_a_network_is_in_exactly_one_of_its_zones(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int
) -> None:
    prefix = bits if address.version == 4 else bits * 4
    network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    zones = reverse_zones(network)
    assert sum(within(reverse(str(address)), zone) for zone in zones) == 1
    assert split_zone(f"{address}/{prefix}") == (zones, None)
