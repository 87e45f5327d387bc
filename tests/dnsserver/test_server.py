"""The server as a whole: changes, the HTTP side, the log, and its end."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection

import dns.rcode
import pytest

from kubehop.dnsserver import Listen, Logged, Server
from kubehop.dnsserver.http import MOST_REQUEST
from kubehop.model.changes import Change
from kubehop.model.errors import UsageError
from tests.dnsserver.chains import LOOPBACK, Names, addresses, connected, question, tcp, udp

WEB = "web.cluster.local."


def get(server: Server, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.http_ports[path], timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    found = response.status, response.read().decode()
    connection.close()
    return found


def observed(chain: Names) -> Server:
    return Server(chain, [LOOPBACK], health=LOOPBACK, ready=LOOPBACK, metrics=LOOPBACK)


def test_a_change_is_seen_at_once() -> None:
    chain = Names({WEB: ["10.43.0.1"], "other.cluster.local.": ["10.43.0.2"]})
    chain.touched = frozenset({WEB})
    with Server(chain, [LOOPBACK]) as server:
        for _ in range(2):
            assert addresses(udp(server, WEB)) == ["10.43.0.1"]
            udp(server, "other.cluster.local.")
        server.apply(Change(gone=(("Service", "default", WEB),)))
        assert udp(server, WEB).rcode() == dns.rcode.NXDOMAIN
        udp(server, "other.cluster.local.")
        assert chain.seen["other.cluster.local.", "A"] == 1, "what did not change is still kept"


def test_changes_never_leave_a_gap() -> None:
    chain = Names({WEB: ["10.43.0.1"]})
    chain.touched = frozenset({WEB})
    with Server(chain, [LOOPBACK]) as server:
        ended = threading.Event()

        def change() -> None:
            while not ended.is_set():
                server.apply(Change())

        thread = threading.Thread(target=change)
        thread.start()
        found = {tuple(addresses(udp(server, WEB))) for _ in range(300)}
        ended.set()
        thread.join()
    assert found == {("10.43.0.1",)}


def test_another_chain_takes_over() -> None:
    with Server(Names({WEB: ["10.43.0.1"]}), [LOOPBACK]) as server:
        assert addresses(udp(server, WEB)) == ["10.43.0.1"]
        server.reload(Names({WEB: ["10.43.0.9"]}))
        assert addresses(udp(server, WEB)) == addresses(tcp(server, WEB)) == ["10.43.0.9"]


def test_a_failing_change_fails_where_it_was_asked_for() -> None:
    with Server(Names({WEB: ["10.43.0.1"]}), [LOOPBACK]) as server:
        with pytest.raises(KeyError):
            server.apply(Change(gone=(("Service", "default", "nosuch."),)))
        assert addresses(udp(server, WEB)) == ["10.43.0.1"]


def test_a_fault_of_the_server_is_counted_and_survived(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with observed(Names({WEB: ["10.43.0.1"]})) as server:
        (responder,) = server._responders.values()
        with monkeypatch.context() as patched:
            patched.setattr(responder, "respond", fails)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(question(WEB).to_wire(), ("127.0.0.1", server.ports[0]))
            while server._faults.count == 0:
                time.sleep(0.01)
        assert addresses(udp(server, WEB)) == ["10.43.0.1"]
        assert "\ncoredns_panics_total 1\n" in get(server, "/metrics")[1]
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_several_addresses_and_ports() -> None:
    with Server(Names({WEB: ["10.43.0.1"]}), [LOOPBACK, LOOPBACK, Listen("::1", 0)]) as server:
        assert len(set(server.ports)) == 3
        for index, host in ((1, "127.0.0.1"), (2, "::1")):
            with socket.socket(
                socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM
            ) as sock:
                sock.settimeout(5)
                sock.sendto(question(WEB).to_wire(), (host, server.ports[index]))
                assert sock.recv(512)[3] & 15 == 0


def test_health_and_readiness() -> None:
    chain = Names({})
    with observed(chain) as server:
        assert get(server, "/health") == (200, "OK")
        assert get(server, "/ready") == (200, "OK")
        chain.waiting_for = ("kubernetes",)
        assert get(server, "/ready") == (503, "kubernetes")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /nosuch HTTP/1.1\r\n\r\n", 404),
        (b"POST /health HTTP/1.1\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"\xff\xfe\r\n\r\n", 400),
        (b"GET /health?verbose HTTP/1.0\r\nHost: x\r\n\r\n", 200),
        (b"x" * MOST_REQUEST, None),
    ],
    ids=["path", "method", "words", "octets", "query", "endless"],
)
def test_http_requests(request_line: bytes, status: int | None) -> None:
    with observed(Names({})) as server:
        sock = socket.create_connection(("127.0.0.1", server.http_ports["/health"]), timeout=5)
        with sock:
            sock.sendall(request_line)
            try:
                said = sock.recv(65535)
            except ConnectionResetError:
                said = b""
        assert said.startswith(f"HTTP/1.1 {status} ".encode()) if status else not said


def test_metrics_count_what_was_asked_and_answered() -> None:
    with observed(Names({WEB: ["10.43.0.1"]})) as server:
        for _ in range(3):
            udp(server, WEB)
        udp(server, WEB, payload=1232)
        udp(server, "no.cluster.local.", "AAAA")
        udp(server, WEB, "TYPE65280")
        tcp(server, WEB)
        status, page = get(server, "/metrics")
    assert status == 200
    found = dict(re.findall(r"^(\w+\{.*\}|\w+) (\S+)$", page, re.MULTILINE))
    labels = f'server="dns://:{server.ports[0]}",zone=".",view=""'
    expected = {
        f'coredns_dns_requests_total{{{labels},proto="udp",family="1",type="A"}}': "4",
        f'coredns_dns_requests_total{{{labels},proto="udp",family="1",type="AAAA"}}': "1",
        f'coredns_dns_requests_total{{{labels},proto="udp",family="1",type="other"}}': "1",
        f'coredns_dns_requests_total{{{labels},proto="tcp",family="1",type="A"}}': "1",
        f'coredns_dns_responses_total{{{labels},rcode="NOERROR",plugin=""}}': "6",
        f'coredns_dns_responses_total{{{labels},rcode="NXDOMAIN",plugin=""}}': "1",
        f'coredns_dns_response_size_bytes_count{{{labels},proto="udp"}}': "6",
        f"coredns_dns_request_duration_seconds_count{{{labels}}}": "6",
        "coredns_panics_total": "0",
    }
    assert {key: found.get(key) for key in expected} == expected
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    assert len(found) == len(lines), "every line is a sample"


def test_the_log_has_every_query() -> None:
    seen: list[Logged] = []
    with Server(Names({WEB: ["10.43.0.1"]}), [LOOPBACK], log=seen.append) as server:
        for _ in range(2):
            udp(server, "wEb.cluster.local.")
        tcp(server, "no.cluster.local.", "AAAA")
    found = [(e.question.name, e.question.type, e.client, e.transport, e.rcode) for e in seen]
    assert found == [
        ("wEb.cluster.local.", "A", "127.0.0.1", "udp", 0),
        ("wEb.cluster.local.", "A", "127.0.0.1", "udp", 0),
        ("no.cluster.local.", "AAAA", "127.0.0.1", "tcp", 3),
    ]
    assert re.fullmatch(r"127.0.0.1:\d+ udp A wEb.cluster.local. 0 51", str(seen[0]))


def test_an_address_that_is_taken() -> None:
    with Server(Names({}), [LOOPBACK]) as server:
        port = server.ports[0]
        with pytest.raises(UsageError, match=rf"cannot listen on 127.0.0.1:{port}: Address"):
            Server(Names({}), [Listen("127.0.0.1", port)])


def test_workers_share_a_port() -> None:
    first = Server(Names({WEB: ["10.43.0.1"]}), [LOOPBACK], reuse_port=True)
    same = Listen("127.0.0.1", first.ports[0])
    with first, Server(Names({WEB: ["10.43.0.1"]}), [same], reuse_port=True) as second:
        assert second.ports == first.ports
        for _ in range(20):
            assert addresses(udp(second, WEB)) == ["10.43.0.1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", Listen("10.0.0.1", 53)),
        ("10.0.0.1:1053", Listen("10.0.0.1", 1053)),
        (":1053", Listen("0.0.0.0", 1053)),
        ("::1", Listen("::1", 53)),
        ("[::1]:1053", Listen("::1", 1053)),
        ("[::]", Listen("::", 53)),
    ],
)
def test_addresses_are_read(text: str, expected: Listen) -> None:
    assert Listen.parse(text) == expected


@pytest.mark.parametrize("text", ["", "x", "10.0.0.1:x", "10.0.0.1:65536", "10.0.0:53", "[::1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="not an address to listen on"):
        Listen.parse(text)


def test_after_stop_nothing_is_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with observed(Names({WEB: ["10.43.0.1"]})) as server:
        connection = connected(server)
        assert addresses(tcp(server, WEB)) == ["10.43.0.1"]
    connection.close()
    server.stop()
    assert len(os.listdir("/proc/self/fd")) == before


PROGRAM = """
from kubehop.dnsserver import Listen, Server
from tests.dnsserver.chains import Names
server = Server(Names({}), [Listen("127.0.0.1", 0)])
print(server.ports[0], flush=True)
server.run()
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert int(process.stdout.readline())
        time.sleep(0.1)
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "ended\n", "")
