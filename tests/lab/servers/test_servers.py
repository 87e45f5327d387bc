"""Listeners that come, go and change."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kubehop.lab.plan.values import Listener, Role
from kubehop.lab.servers import Servers
from kubehop.model.errors import UsageError
from tests.lab.servers.talking import (
    ask,
    connect,
    echo,
    fields,
    free_port,
    get,
    nowhere,
    refuses,
    served,
    to_the_end,
    unreachable,
)

KEPT = b"GET / HTTP/1.1\r\n\r\n"


@pytest.fixture
def servers() -> Iterator[Servers]:
    with served() as found:
        yield found


def test_what_is_made_answers_and_what_is_gone_refuses(servers: Servers) -> None:
    port = free_port()
    both = (echo(port), echo(port, "UDP"))
    for _ in range(20):
        assert refuses(port)
        assert unreachable(port)
        assert servers.apply((), both) == ()
        assert fields(get(port))["pod"] == fields(ask(port)[0])["pod"] == "default/web"
        assert servers.apply(both, ()) == ()


def test_another_listener_at_the_place_has_the_socket(servers: Servers) -> None:
    port = free_port()
    old = Listener("here", "TCP", "", port, Role.HEALTH, service="default/web", endpoints=0)
    new = replace(old, endpoints=1)
    servers.apply((), [old])
    with connect(port) as sock:
        sock.sendall(KEPT)
        assert sock.recv(4096).startswith(b"HTTP/1.1 503 ")
        (endpoint, _) = servers._open["here", "TCP", "", port]
        servers.apply([old], [new])
        assert servers._open["here", "TCP", "", port][0] is endpoint
        sock.sendall(KEPT)
        assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_never_a_gap_where_only_the_pod_changes(servers: Servers) -> None:
    port = free_port()
    one, other = echo(port, "UDP", pod="default/a"), echo(port, "UDP", pod="default/b")
    servers.apply((), [one])
    ended = threading.Event()

    def change() -> None:
        while not ended.is_set():
            servers.apply([one], [other])
            servers.apply([other], [one])

    thread = threading.Thread(target=change)
    thread.start()
    try:
        found = {fields(ask(port)[0])["pod"] for _ in range(500)}
    finally:
        ended.set()
        thread.join()
    assert found <= {"default/a", "default/b"}


def test_connections_end_with_their_pod(servers: Servers) -> None:
    port = free_port()
    one, other = echo(port, pod="default/a"), echo(port, pod="default/b")
    for gone, made in (([one], [other]), ([one], [])):
        servers.apply((), [one])
        with connect(port) as sock:
            sock.sendall(KEPT)
            assert sock.recv(4096)
            servers.apply(gone, made)
            assert to_the_end(sock) == b""
        servers.apply(made, ())


def test_a_port_that_somebody_has_is_a_line(servers: Servers) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free = free_port()
        line = (
            f"Pod default/web cannot listen on TCP 127.0.0.1:{port} in here: Address already in use"
        )
        assert servers.apply((), [echo(port), echo(free)]) == (line,)
        assert fields(get(free))["pod"] == "default/web"
        assert servers.apply((), ()) == (), "it is said once"
        assert list(servers.problems) == [line]
    assert servers.apply((), ()) == ()
    assert list(servers.problems) == []
    assert fields(get(port))["pod"] == "default/web", "as soon as it is free"


def test_two_pods_that_want_one_port(servers: Servers) -> None:
    port = free_port()
    one, other = echo(port, pod="default/a"), echo(port, pod="default/b")
    line = (
        f"Pod default/b cannot listen on TCP 127.0.0.1:{port} in here: Pod default/a has the port"
    )
    assert servers.apply((), [one, other]) == (line,)
    assert servers.apply([other], ()) == ()
    assert fields(get(port))["pod"] == "default/a"
    assert servers.apply([one], [other]) == ()
    assert fields(get(port))["pod"] == "default/b"


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_all_addresses_and_one_of_them(servers: Servers, protocol: str) -> None:
    port = free_port()
    every, one = echo(port, protocol, address=""), echo(port, protocol)
    assert servers.apply((), [every]) == ()
    (line,) = servers.apply((), [one])
    assert "Address already in use" in line
    assert servers.apply([every], ()) == ()
    assert list(servers.problems) == []


def test_a_place_that_does_not_exist_is_a_line() -> None:
    def inside(namespace: str) -> object:
        raise UsageError(f"the lab has no namespace {namespace}")

    servers = Servers(inside)  # type: ignore[arg-type]
    servers.start()
    (line,) = servers.apply((), [echo(1)])
    assert line.endswith("the lab has no namespace here")
    servers.stop()


def test_before_it_starts_and_after_it_stops() -> None:
    port = free_port()
    servers = Servers(nowhere)
    servers.apply((), [echo(port)])
    servers.start()
    assert fields(get(port))["pod"] == "default/web"
    with connect(port) as sock:
        sock.sendall(KEPT)
        assert sock.recv(4096)
        servers.stop()
        assert to_the_end(sock) == b""
    assert refuses(port)


def test_changes_by_many_threads(servers: Servers) -> None:
    ports = [free_port() for _ in range(8)]

    def change(port: int) -> None:
        for _ in range(30):
            servers.apply((), [echo(port)])
            assert fields(get(port))["pod"] == "default/web"
            servers.apply([echo(port)], ())
            assert refuses(port)

    threads = [threading.Thread(target=change, args=(port,)) for port in ports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not servers._open
