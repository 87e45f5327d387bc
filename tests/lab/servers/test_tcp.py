"""Connections: kept and closed, slow and many, and programs that people have."""

import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.lab.plan.values import Listener, Role
from kubehop.lab.servers import Servers, connections
from kubehop.lab.servers.connections import MOST_UNSENT
from tests.lab.servers.talking import connect, echo, fields, free_port, get, served, to_the_end
from tests.real.needs import lacks

KEPT = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    found = free_port()
    with served(echo(found)):
        yield found


def settled(servers: Servers, count: int) -> bool:
    """Whether so many connections are left, soon."""
    deadline = time.monotonic() + 5
    while len(servers._connections.open) != count and time.monotonic() < deadline:
        time.sleep(0.01)
    return len(servers._connections.open) == count


def test_who_answers_and_whom_it_sees(port: int) -> None:
    with connect(port) as sock:
        sock.sendall(LAST)
        head, _, body = to_the_end(sock).decode().partition("\r\n\r\n")
        host, its = sock.getsockname()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert fields(body) == {
        "pod": "default/web",
        "node": "node-0",
        "local": f"127.0.0.1:{port}",
        "peer": f"{host}:{its}",
        "host": "a",
    }


def test_one_connection_for_many_requests(port: int) -> None:
    with connect(port) as sock:
        for _ in range(3):
            sock.sendall(KEPT)
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 OK")
        sock.sendall(KEPT * 20 + LAST + KEPT)
        assert to_the_end(sock).count(b"HTTP/1.1 200 OK") == 21


def test_a_request_in_pieces(port: int) -> None:
    with connect(port) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in LAST:
            sock.sendall(bytes((octet,)))
        assert to_the_end(sock).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_has_said_all_it_has_to_say(port: int) -> None:
    with connect(port) as sock:
        sock.sendall(KEPT)
        sock.shutdown(socket.SHUT_WR)
        assert to_the_end(sock).startswith(b"HTTP/1.1 200 OK")


def test_the_answer_arrives_though_a_body_comes_that_nobody_reads(port: int) -> None:
    with connect(port) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            sock.sendall(b"x" * 1000)
            time.sleep(0.001)
        sock.shutdown(socket.SHUT_WR)
        assert to_the_end(sock).startswith(b"HTTP/1.1 200 OK")


def test_who_talks_too_much_is_told_so(port: int) -> None:
    with connect(port) as sock:
        sock.sendall(b"GET /" + b"a" * 9000)
        assert to_the_end(sock).startswith(b"HTTP/1.1 431 ")


def test_who_says_nothing_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.2)
    port = free_port()
    with served(echo(port)) as servers, connect(port) as silent, connect(port) as busy:
        silent.sendall(b"GET / HT")
        for _ in range(6):
            time.sleep(0.08)
            busy.sendall(KEPT)
            assert busy.recv(4096)
        assert to_the_end(silent) == b""
        assert settled(servers, 1)


def test_who_never_hangs_up_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "DRAIN_SECONDS", 0.1)
    port = free_port()
    with served(echo(port)) as servers, connect(port) as sock:
        sock.sendall(LAST)
        assert to_the_end(sock)
        assert settled(servers, 0)


def test_who_does_not_read_is_not_read() -> None:
    port = free_port()
    with served(echo(port)) as servers, socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", port))
        sock.setblocking(False)
        many, sent, stuck = KEPT * 100, 0, 0
        while stuck < 3:  # until both sides' buffers are full
            try:
                sent += sock.send(many[sent % len(KEPT) :])
            except BlockingIOError:
                stuck += 1
                time.sleep(0.1)
        (connection,) = servers._connections.open
        assert len(connection._out) <= MOST_UNSENT + 4096
        sock.settimeout(5)
        sock.shutdown(socket.SHUT_WR)
        assert to_the_end(sock).count(b"HTTP/1.1 200 OK") == sent // len(KEPT)


def test_the_longest_idle_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    with served(echo(port)) as servers:
        servers._connections._most = 3
        clients = [connect(port) for _ in range(3)]
        for client in (clients[1], clients[2], clients[0]):
            client.sendall(KEPT)
            assert client.recv(4096)
        assert "default/web" in get(port)
        assert to_the_end(clients[1]) == b""
        clients[0].sendall(KEPT)
        assert clients[0].recv(4096)
        for client in clients:
            client.close()


def test_thousands_of_connections() -> None:
    wanted = min(3000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 3)
    port = free_port()
    with served(echo(port)) as servers:
        clients = [connect(port) for _ in range(wanted)]
        for client in clients:
            client.sendall(KEPT)
        for client in clients:
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert len(servers._connections.open) == wanted
        for client in clients:
            client.close()
        assert settled(servers, 0)


def test_without_files_left_it_goes_on_later() -> None:
    port = free_port()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with served(echo(port)), connect(port) as kept, socket.socket() as late:
        kept.sendall(KEPT)
        assert kept.recv(4096)
        late.settimeout(5)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            late.connect(("127.0.0.1", port))
            late.sendall(LAST)
            time.sleep(3 * connections.PAUSE)
            assert kept.recv(1) == b"", "the longest idle makes room"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert to_the_end(late).startswith(b"HTTP/1.1 200 OK")


HTTP = st.lists(
    st.one_of(
        st.sampled_from([KEPT, LAST, b"\r\n", b"Content-Length: 5\r\n", b"\n", b"GET / "]),
        st.binary(max_size=30),
    ),
    max_size=12,
).map(b"".join)


def test_whatever_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with served(echo(port)) as servers:

        @settings(max_examples=200, deadline=None)
        @given(HTTP)
        def says(octets: bytes) -> None:
            with connect(port) as sock:
                try:
                    sock.sendall(octets)
                    sock.shutdown(socket.SHUT_WR)
                    answer = to_the_end(sock)
                except OSError:  # it has hung up before all was said
                    return
            assert not answer or answer.startswith(b"HTTP/1.1 ")

        says()
        assert "default/web" in get(port)
        assert settled(servers, 0)
    assert "Traceback" not in capfd.readouterr().err


def test_health_checks_over_the_wire() -> None:
    port = free_port()
    listener = Listener(
        "here", "TCP", "127.0.0.1", port, Role.HEALTH, service="default/web", endpoints=2
    )
    with served(listener), connect(port) as sock:
        sock.sendall(LAST)
        answer = to_the_end(sock)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nX-Load-Balancing-Endpoint-Weight: 2\r\n" in answer


@pytest.mark.parametrize(
    "command",
    [
        ("curl", "-sS", "--max-time", "5"),
        ("curl", "-sS", "--max-time", "5", "--http1.0"),
        ("curl", "-sS", "--max-time", "5", "-d", "x=1"),
        ("curl", "-sS", "--max-time", "5", "-H", "Expect: 100-continue", "-d", "x=1"),
        ("curl", "-sS", "--max-time", "5", "-H", "Transfer-Encoding: chunked", "-d", "x=1"),
        ("wget", "-q", "-T", "5", "-t", "1", "-O", "-"),
        ("busybox", "wget", "-q", "-O", "-"),  # with -T Debian's 1.35 crashes, whoever answers
    ],
    ids=" ".join,
)
def test_programs_that_people_have(command: tuple[str, ...], port: int) -> None:
    if not shutil.which(command[0]):
        lacks(command[0])
    url = f"http://127.0.0.1:{port}/"
    done = subprocess.run([*command, url], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, done.stderr
    assert fields(done.stdout)["pod"] == "default/web"


def test_netcat(port: int) -> None:
    if not shutil.which("busybox"):
        lacks("busybox")
    done = subprocess.run(
        ["busybox", "nc", "127.0.0.1", str(port)],
        input="GET / HTTP/1.0\n\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert "pod: default/web\n" in done.stdout
