"""Connections that arrive and that do not, by real packets: what is said is what happened."""

import errno
import socket
import threading
from pathlib import Path

import pytest

from kubehop.lab.kernel import Base
from kubehop.sandbox.answers import Answer, Icmp, Result, error_of, said
from kubehop.sandbox.connect import connect, send_datagram, target
from kubehop.sandbox.namespace import inside
from tests.lab.inside import as_everyone, in_lab
from tests.sandbox.enter.routed import CLIENT, PORT, ROUTER, SERVER, Routed, reject, routed
from tests.sandbox.network.making import Pod, ip

LONG, SHORT = 10.0, 0.3


def tried(one: Pod, address: str, seconds: float = LONG, *, udp: bool = False) -> Answer:
    with inside(one.namespace):
        aim = target(address, PORT)
        assert aim
        return send_datagram(aim, seconds) if udp else connect(aim, seconds)


@as_everyone
@in_lab
def test_connected(base: Base, uid: int | None) -> None:
    with routed() as there, there.listen():
        for mine, address in zip(CLIENT, SERVER, strict=True):
            answer = tried(there.client, address)
            assert answer.result is Result.CONNECTED
            assert answer.source.strip("[").startswith(mine)
            assert 0 < answer.seconds < LONG
            headers = 60 if ":" in address else 40
            assert answer.mss == 1500 - headers - 12  # less the timestamps of each segment
            assert answer.path_mtu == 1500
            assert answer.rtt
            assert 0 < answer.rtt < LONG


@as_everyone
@in_lab
def test_an_answer_by_udp(base: Base, uid: int | None) -> None:
    with routed() as there, there.listen(socket.SOCK_DGRAM) as listener:

        def echo() -> None:
            for _ in SERVER:
                octets, sender = listener.recvfrom(100)
                listener.sendto(octets * 2, sender)

        thread = threading.Thread(target=echo)
        thread.start()
        for address in SERVER:
            answer = tried(there.client, address, udp=True)
            assert (answer.result, answer.received) == (Result.ANSWERED, 16)
        thread.join()
        answer = tried(there.client, SERVER[0], SHORT, udp=True)
        assert answer.result is Result.SILENT
        assert answer.seconds >= SHORT


@as_everyone
@in_lab
def test_nothing_listens(base: Base, uid: int | None) -> None:
    with routed() as there:
        for address in SERVER:
            by_tcp, by_udp = (tried(there.client, address, udp=udp) for udp in (False, True))
            assert by_tcp.result is by_udp.result is Result.REFUSED
            assert f"RST from {address}" in by_tcp.why
            assert by_tcp.icmp is None
            assert by_udp.icmp
            assert by_udp.icmp.sender == address
            assert "nothing listens" in by_udp.why


_PORT_UNREACHABLE = {4: (3, 3), 6: (1, 4)}
_REJECTED = [
    ("reject with tcp reset", False, Result.REFUSED, None),
    ("reject", False, Result.REFUSED, _PORT_UNREACHABLE),
    ("reject", True, Result.REFUSED, _PORT_UNREACHABLE),
    ("reject with icmpx type admin-prohibited", False, Result.UNREACHABLE, {4: (3, 13), 6: (1, 1)}),
    ("reject with icmpx type admin-prohibited", True, Result.UNREACHABLE, {4: (3, 13), 6: (1, 1)}),
    ("reject with icmpx type host-unreachable", False, Result.UNREACHABLE, {4: (3, 1), 6: (1, 3)}),
    ("reject with icmpx type no-route", True, Result.UNREACHABLE, {4: (3, 0), 6: (1, 0)}),
]


@as_everyone
@in_lab
def test_a_firewall_on_the_way_rejects(base: Base, uid: int | None) -> None:
    with routed() as there, there.listen(), there.listen(socket.SOCK_DGRAM):
        for how, udp, result, codes in _REJECTED:
            reject(how if udp or "tcp" not in how else f"meta l4proto tcp {how}")
            for address in SERVER:
                answer = tried(there.client, address, udp=udp)
                assert answer.result is result, (how, answer)
                if codes is None:
                    assert "RST from" in answer.why
                    assert answer.icmp is None
                    continue
                assert answer.icmp, (how, answer)
                version = 6 if ":" in address else 4
                assert (answer.icmp.type, answer.icmp.code) == codes[version]
                assert answer.icmp.sender == ROUTER[address]
                assert f"from {ROUTER[address]}" in answer.why
                assert "a firewall" in answer.why or "nothing" not in answer.why


@as_everyone
@in_lab
def test_dropped_on_the_way(base: Base, uid: int | None) -> None:
    with routed() as there, there.listen():
        reject("drop")
        for address in SERVER:
            answer = tried(there.client, address, 1.5)
            assert (answer.result, answer.sent) == (Result.TIMEOUT, 2)
            assert answer.why == "no answer to 2 SYN"
            assert answer.seconds >= 1.5
            assert tried(there.client, address, SHORT, udp=True).result is Result.SILENT


@as_everyone
@in_lab
def test_the_pods_own_network_says_no(base: Base, uid: int | None) -> None:
    with routed() as there:
        for kind, network in (("blackhole", 3), ("unreachable", 4), ("prohibit", 5)):
            there.client.ip("route", "add", kind, f"10.{network}.0.0/16")
            for udp in (False, True):
                answer = tried(there.client, f"10.{network}.0.1", udp=udp)
                assert answer.result is Result.NO_ROUTE
                assert kind in answer.why
                assert not answer.icmp
        there.client.ip("route", "del", "default")
        there.client.ip("-6", "route", "del", "default")
        for address in SERVER:
            answer = tried(there.client, address)
            assert answer.result is Result.NO_ROUTE
            assert "no route to it in the pod's routing tables" in answer.why
            assert answer.source == ""


@as_everyone
@in_lab
def test_nobody_has_the_address(base: Base, uid: int | None) -> None:
    """On the pod's own link the kernel notices; on the server's the router does, and says so."""
    with routed() as there:
        for address in ("10.1.0.99", "fd01::99"):
            answer = tried(there.client, address)
            assert answer.result is Result.UNREACHABLE
            assert "nobody answers ARP" in answer.why
        for address, router in (("10.2.0.99", "10.1.0.1"), ("fd02::99", "fd01::1")):
            answer = tried(there.client, address)
            assert answer.result is Result.UNREACHABLE
            assert answer.icmp
            assert answer.icmp.sender == router
            assert "unreachable" in answer.why


@as_everyone
@in_lab
def test_a_rule_of_the_pods_own_drops_a_datagram(base: Base, uid: int | None) -> None:
    with routed() as there:
        with inside(there.client.namespace):
            reject("drop", "output")
        answer = tried(there.client, SERVER[0], SHORT, udp=True)
        assert answer.result is Result.FAILED
        assert "firewall rule of the pod's own" in answer.why
        assert tried(there.client, SERVER[0], SHORT).result is Result.TIMEOUT


@as_everyone
@in_lab
def test_a_routing_loop(base: Base, uid: int | None) -> None:
    with routed() as there:
        _loop(there)
        answer = tried(there.client, "10.9.0.1")
        assert answer.result is Result.UNREACHABLE
        assert answer.icmp
        assert (answer.icmp.type, answer.icmp.code) == (11, 0)
        assert "routing loop" in answer.why


def _loop(there: Routed) -> None:
    """The router sends to the server, and that back."""
    ip("route", "add", "10.9.0.0/16", "via", SERVER[0])
    with inside(there.server.namespace):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


@pytest.mark.parametrize("data", [b"", b"\0" * 15, b"\xff" * 16, b"\1\0\0\0\2\3\3" + b"\0" * 9])
def test_an_error_of_any_length_is_read(data: bytes) -> None:
    assert error_of(data) in (None, Icmp(4, 3, 3, "", 1))


def test_every_errno_has_words() -> None:
    for number in errno.errorcode:
        for at_once in (False, True):
            answer = said(Answer("10.0.0.1", 80, "tcp"), number, None, at_once)
            assert answer.why
            assert not answer.reached


@pytest.mark.parametrize("text", ["web", "", "a" * 70, "\0", "1.2.3.4.5", "fd00::1%nowhere", "é"])
def test_what_is_no_address(text: str) -> None:
    assert target(text, 80) is None
