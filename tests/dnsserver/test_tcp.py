"""Queries over TCP: in a row, in pieces, and from clients that mean no good."""

import socket
import time
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import pytest

from kubehop.dnsserver import Server, tcp
from tests.dnsserver.chains import (
    LOOPBACK,
    Names,
    addresses,
    connected,
    framed,
    question,
    received,
    udp,
)
from tests.dnsserver.chains import tcp as ask_tcp

WEB = "web.cluster.local."
BIG = "big.cluster.local."
HUGE = "huge.cluster.local."


@pytest.fixture
def names() -> Names:
    return Names(
        {
            WEB: ["10.43.0.1"],
            BIG: [f"10.42.9.{n}" for n in range(1, 101)],
            HUGE: [f"10.{n >> 8}.{n & 255}.1" for n in range(5000)],
        }
    )


@pytest.fixture
def server(names: Names) -> Iterator[Server]:
    with Server(names, [LOOPBACK]) as running:
        yield running


def test_the_whole_answer(server: Server) -> None:
    assert len(addresses(ask_tcp(server, BIG))) == 100


def test_no_more_than_64_kib(server: Server) -> None:
    reply = ask_tcp(server, HUGE)
    assert reply.flags & dns.flags.TC
    assert len(addresses(reply)) == (65535 - 12 - 18 - 4 - 1) // 16


def test_many_queries_at_once(server: Server) -> None:
    queries = [question(f"n{n}.cluster.local.") for n in range(200)]
    with connected(server) as sock:
        sock.sendall(b"".join(framed(query.to_wire()) for query in queries))
        replies = [dns.message.from_wire(received(sock)) for _ in queries]
    assert {reply.id for reply in replies} == {query.id for query in queries}


def test_a_query_octet_by_octet(server: Server) -> None:
    with connected(server) as sock:
        for octet in framed(question(WEB).to_wire()):
            sock.sendall(bytes((octet,)))
        assert addresses(dns.message.from_wire(received(sock))) == ["10.43.0.1"]


def test_the_longest_message(server: Server) -> None:
    query = question(WEB).to_wire()
    with connected(server) as sock:
        sock.sendall(framed(query + bytes(65535 - len(query))))
        assert addresses(dns.message.from_wire(received(sock))) == ["10.43.0.1"]
        sock.sendall(framed(b"\0" * 65535) + framed(b"") + framed(query))
        assert dns.message.from_wire(received(sock)).rcode() == dns.rcode.FORMERR
        assert addresses(dns.message.from_wire(received(sock))) == ["10.43.0.1"]


def test_slow_clients_keep_nobody_waiting(server: Server) -> None:
    slow = [connected(server) for _ in range(20)]
    for sock in slow:
        sock.sendall(b"\xff\xff\0")
    started = time.monotonic()
    assert addresses(ask_tcp(server, WEB)) == addresses(udp(server, WEB)) == ["10.43.0.1"]
    assert time.monotonic() - started < 2
    for sock in slow:
        sock.close()


def test_who_does_not_read_is_not_read_from(server: Server) -> None:
    query = framed(question(HUGE).to_wire())
    with connected(server) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        sent = 0
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            try:
                sent += sock.send(query * 1000)
            except BlockingIOError:
                time.sleep(0.01)
        (listener,) = (one for one in server._listeners if isinstance(one, tcp.TcpListener))
        (connection,) = listener.connections
        assert len(connection._out) < tcp.MOST_UNSENT + 65537 + 2
        assert len(connection._in) < tcp.CHUNK + 65537
        assert addresses(ask_tcp(server, WEB)) == ["10.43.0.1"]


def test_the_connection_that_was_idle_longest_makes_room(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp, "MOST_CONNECTIONS", 3)
    query = framed(question(WEB).to_wire())
    with connected(server) as one, connected(server) as two, connected(server) as three:
        for sock in (one, two, three, one):
            sock.sendall(query)
            assert received(sock)
        with connected(server) as four:
            four.sendall(query)
            assert received(four)
            assert received(two) == b"", "closed"
            for sock in (one, three):
                sock.sendall(query)
                assert received(sock)


def test_idle_connections_are_closed(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "IDLE_SECONDS", 0.4)
    query = framed(question(WEB).to_wire())
    with Server(names, [LOOPBACK]) as server, connected(server) as idle, connected(server) as busy:
        idle.sendall(query[:-1])
        started = time.monotonic()
        while time.monotonic() - started < 0.7:
            busy.sendall(query)
            assert received(busy)
            time.sleep(0.05)
        assert received(idle) == b"", "closed"
        busy.sendall(query)
        assert received(busy)
        started = time.monotonic()
        assert received(busy) == b"", "closed when it is idle in its turn"
        assert 0.2 < time.monotonic() - started < 2


def test_a_client_that_leaves_harms_nobody(server: Server) -> None:
    for _ in range(20):
        sock = connected(server)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sendall(framed(question(HUGE).to_wire()) * 3)
        sock.close()
    assert addresses(ask_tcp(server, WEB)) == ["10.43.0.1"]
