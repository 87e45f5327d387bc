"""In which order addresses are tried: as this machine's glibc sorts them in the same network."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

import pytest

from kubehop.cli.pod.connecting import Found, connected
from kubehop.lab.kernel import Base
from kubehop.linux.cover import own_mounts
from kubehop.sandbox.answers import Result
from kubehop.sandbox.connect import target
from kubehop.sandbox.enter import covers, go_inside
from kubehop.sandbox.namespace import inside
from kubehop.sandbox.order import in_order
from kubehop.sandbox.own import sources
from kubehop.sandbox.values import Files, InterfaceAddress
from tests.lab.inside import as_everyone, in_lab
from tests.sandbox.enter.routed import CLIENT, PORT, SERVER, Routed, routed
from tests.sandbox.network.making import Pod, ip, pod, wire

SECONDS = 10.0
_GLIBC = """
import socket, sys
found = socket.getaddrinfo(sys.argv[1], int(sys.argv[2]), type=socket.SOCK_STREAM)
print(*dict.fromkeys(one[4][0] for one in found))
"""

_OWN = {
    "10.1.0.8": InterfaceAddress("10.1.0.8", 24),
    "fd01::8": InterfaceAddress("fd01::8", 64),
    "2001:db8::8": InterfaceAddress("2001:db8::8", 64),
    "old": InterfaceAddress("2001:db8::9", 64, flags=("deprecated",)),
    "fe80::8": InterfaceAddress("fe80::8", 64, scope="link"),
}
_RULES = [
    # rule 1: what cannot be sent to comes last
    ({"fd02::1": None, "10.2.0.1": "10.1.0.8"}, ("10.2.0.1", "fd02::1")),
    # rule 2: the scope of the source
    ({"2001:db8:1::1": "fe80::8", "10.2.0.1": "10.1.0.8"}, ("10.2.0.1", "2001:db8:1::1")),
    # rule 3: a source that is deprecated
    ({"2001:db8:1::1": "old", "10.2.0.1": "10.1.0.8"}, ("10.2.0.1", "2001:db8:1::1")),
    # rule 5: a unique local address and a global one have different labels
    ({"2001:db8:1::1": "fd01::8", "10.2.0.1": "10.1.0.8"}, ("10.2.0.1", "2001:db8:1::1")),
    # rule 6: glibc prefers IPv6 of every kind
    ({"10.2.0.1": "10.1.0.8", "fd02::1": "fd01::8"}, ("fd02::1", "10.2.0.1")),
    # rule 8: the smaller scope
    ({"2001:db8:1::1": "2001:db8::8", "fe80::1": "fe80::8"}, ("fe80::1", "2001:db8:1::1")),
    # rule 9: more in common, of IPv4 in the own subnet alone
    ({"fd02::1": "fd01::8", "fd01:1::1": "fd01::8"}, ("fd01:1::1", "fd02::1")),
    ({"10.1.0.200": "10.1.0.8", "10.1.0.9": "10.1.0.8"}, ("10.1.0.9", "10.1.0.200")),
    ({"192.0.2.1": "10.1.0.8", "10.1.1.1": "10.1.0.8"}, ("192.0.2.1", "10.1.1.1")),
    # rule 10: as they came
    ({"10.2.0.9": "10.1.0.8", "10.2.0.1": "10.1.0.8"}, ("10.2.0.9", "10.2.0.1")),
]


@pytest.mark.parametrize(("sent_from", "expected"), _RULES)
def test_each_rule(sent_from: dict[str, str | None], expected: tuple[str, ...]) -> None:
    own = {to: _OWN[one] if one else None for to, one in sent_from.items()}
    assert in_order(sent_from, own) == expected


def _files(name: str, addresses: tuple[str, ...]) -> Files:
    hosts = "".join(f"{address} {name}\n" for address in addresses)
    return Files(resolv_conf="nameserver 127.0.0.1\n", hosts=hosts, hostname="cart")


def _glibc(one: Pod, addresses: tuple[str, ...]) -> list[str]:
    """What getaddrinfo says in a pod with these in its hosts file."""
    own_mounts(tuple(covers(_files("many", addresses))))
    with inside(one.namespace):
        command = [sys.executable, "-c", _GLIBC, "many", str(PORT)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.split()


def _ours(one: Pod, addresses: list[str]) -> list[str]:
    with inside(one.namespace):
        aims = [aim for each in addresses if (aim := target(each, PORT))]
        return list(in_order(addresses, sources(aims)))


_MANY = (
    *("10.1.0.9", "10.1.0.200", "10.2.0.9", "192.0.2.1", "169.254.3.4", "127.0.0.1", "10.9.0.1"),
    *("fd01::9", "fd01::ff", "fd02::9", "fd99::1", "2001:db8:1::1", "2001:db8:2::1", "::1"),
    *("2002:a00:1::1", "2001::1", "64:ff9b::1", "fec0::1", "fd88::1"),
)


def _both_agree(one: Pod, seed: int) -> None:
    """Any order goes in: what the rules leave equal stays in it."""
    mixed = list(_MANY)
    Random(seed).shuffle(mixed)
    real = _glibc(one, tuple(mixed))
    assert set(real) == set(mixed)
    assert _ours(one, mixed) == real


@as_everyone
@in_lab
def test_glibc_sorts_so_in_a_dual_stack_pod(base: Base, uid: int | None) -> None:
    with routed() as there:
        there.client.ip("route", "add", "prohibit", "10.9.0.0/16")
        there.client.ip("route", "add", "unreachable", "fd88::/16")
        for seed in range(4):
            _both_agree(there.client, seed)
        there.client.ip("addr", "add", "2001:db8::8/64", "dev", "eth0", "nodad")
        for seed in range(4):
            _both_agree(there.client, seed)
        there.client.ip("addr", "change", "2001:db8::8/64", "dev", "eth0", "preferred_lft", "0")
        _both_agree(there.client, 9)


@contextmanager
def _ipv4_only() -> Iterator[Pod]:
    with pod() as one:
        wire(one, "host3")
        ip("addr", "add", "10.3.0.1/24", "dev", "host3")
        one.ip("addr", "add", "10.3.0.8/24", "dev", "eth0")
        one.ip("route", "add", "default", "via", "10.3.0.1")
        yield one


@as_everyone
@in_lab
def test_glibc_sorts_so_in_a_pod_with_ipv4_alone(base: Base, uid: int | None) -> None:
    with _ipv4_only() as one:
        for seed in range(4):
            _both_agree(one, seed)


def _connect(one: Pod, addresses: tuple[str, ...], *, udp: bool = False) -> Found:
    """In a thread, as there is no way back from inside."""
    files = _files("web", addresses)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(
            connected, "web", PORT, udp, SECONDS, lambda: files, lambda: go_inside(one.namespace)
        ).result()


@as_everyone
@in_lab
def test_they_are_tried_in_that_order(base: Base, uid: int | None) -> None:
    with routed() as there, there.listen():
        _tried_in_order(there)


def _tried_in_order(there: Routed) -> None:
    four, six = SERVER
    for order in ((four, six), (six, four)):
        found = _connect(there.client, order)
        assert found.lookup
        assert sorted(found.lookup.outcome.addresses) == sorted(order)
        assert [one.address for one in found.answers] == [six, four]
        assert {one.result for one in found.answers} == {Result.CONNECTED}
        sent_from = [one.source for one in found.answers]
        assert sent_from[0].startswith(f"[{CLIENT[1]}]:")
        assert sent_from[1].startswith(f"{CLIENT[0]}:")
    there.client.ip("-6", "route", "del", "default")
    found = _connect(there.client, (six, four))
    assert [one.address for one in found.answers] == [four, six]
    assert [one.result for one in found.answers] == [Result.CONNECTED, Result.NO_ROUTE]
