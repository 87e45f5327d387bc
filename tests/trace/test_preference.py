"""Which address comes first: orders observed on glibc 2.36, musl 1.2, Go 1.27 and Java 17."""

import pytest

from kubehop.trace.preference import first

ULA, GLOBAL, IPV4 = ("10.42.0.8", "fd00:42::8"), ("10.42.0.8", "2001:db8:42::8"), ("10.42.0.8",)
SERVICE, PUBLIC = ("10.43.5.6", "fd00:43::6"), ("10.43.5.6", "2001:db8:1::6")
PODS = ("10.42.1.7", "10.42.0.9", "fd99::1")
NEAR_AND_FAR = ("fd00:42:0:1::7", "fd00:42::7")

# resolver, the client's addresses, the name's -> what may come first
OBSERVED = [
    ("glibc", ULA, SERVICE, ("fd00:43::6",)),
    ("musl", ULA, SERVICE, ("10.43.5.6",)),
    ("go", ULA, SERVICE, ("10.43.5.6",)),
    ("java", ULA, SERVICE, ("10.43.5.6",)),
    ("glibc", GLOBAL, SERVICE, ("10.43.5.6",)),
    ("musl", GLOBAL, SERVICE, ("10.43.5.6",)),
    ("glibc", ULA, PUBLIC, ("10.43.5.6",)),
    ("go", ULA, PUBLIC, ("10.43.5.6",)),
    ("glibc", GLOBAL, PUBLIC, ("2001:db8:1::6",)),
    ("musl", GLOBAL, PUBLIC, ("2001:db8:1::6",)),
    ("go", GLOBAL, PUBLIC, ("2001:db8:1::6",)),
    ("java", GLOBAL, PUBLIC, ("10.43.5.6",)),
    ("glibc", ULA, NEAR_AND_FAR, ("fd00:42::7",)),
    ("musl", ULA, NEAR_AND_FAR, ("fd00:42::7",)),
    ("go", ULA, NEAR_AND_FAR, ("fd00:42::7",)),
    ("glibc", ULA, PODS, ("fd99::1",)),
    ("musl", ULA, PODS, ("10.42.0.9",)),
    ("go", ULA, PODS, ("10.42.1.7", "10.42.0.9")),
    ("musl", ULA, PODS[:2], PODS[:2]),
    ("glibc", IPV4, SERVICE, ("10.43.5.6",)),
    ("glibc", IPV4, ("fd00:43::6",), ("fd00:43::6",)),
]


@pytest.mark.parametrize(("resolver", "own", "found", "expected"), OBSERVED)
def test_the_first_address(
    resolver: str, own: tuple[str, ...], found: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert first(resolver, own, found) == expected


@pytest.mark.parametrize("version", ["musl-1.2.1", "go-ipv4", "glibc-gethostbyname"])
def test_versions_sort_like_their_family(version: str) -> None:
    name = version.partition("-")[0]
    assert first(version, ULA, SERVICE) == first(name, ULA, SERVICE)


def test_go_compares_only_the_network_part() -> None:
    near = ("fd00:42::f", "fd00:42::9")
    assert first("go", ULA, near) == near
    assert first("glibc", ULA, near) == ("fd00:42::9",)
