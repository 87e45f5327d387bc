"""Whatever is said to a lab's socket, the lab stands and serves others."""

import json
import os
import socket
import struct
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from kubehop.lab.supervisor import messages
from kubehop.lab.supervisor.messages import LIMIT, MalformedError
from kubehop.lab.supervisor.service import USERS
from kubehop.model.errors import UsageError
from tests.lab.supervisor.scene import at_home, connected, fine, status, until, up


def framed(octets: bytes, length: int | None = None) -> bytes:
    return struct.pack("!I", len(octets) if length is None else length) + octets


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "half a length": b"\0\0",
    "less than its length": framed(b"{}", 5000),
    "more than its length": framed(b'{"do": "statu"}', 2),
    "too much": framed(b"", LIMIT + 1),
    "as much as a length can say": framed(b"", 0xFFFFFFFF),
    "HTTP": b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n",
    "no text": framed(b"\xff\xfe\0"),
    "no JSON": framed(b"{do: status}"),
    "no object": framed(b'["status"]'),
    "deep": framed(b"[" * 200_000 + b"]" * 200_000),
    "a number of a million digits": framed(b'{"do": ' + b"9" * 1_000_000 + b"}"),
    "no order": framed(b"{}"),
    "an order that is no word": framed(b'{"do": {"do": "status"}}'),
    "an order that there is not": framed(b'{"do": "__class__"}'),
}


ORDERS: list[dict[str, Any]] = [
    {"do": "enter"},
    {"do": "enter", "where": 1},
    {"do": "enter", "where": "node/"},
    {"do": "enter", "where": "pod/../../etc"},
    {"do": "enter", "where": "client", "namespace": ["default"]},
    {"do": "apply"},
    {"do": "apply", "files": "text"},
    {"do": "apply", "files": [1]},
    {"do": "apply", "files": [["name"]]},
    {"do": "apply", "files": [["name", "not base64!"]]},
    {"do": "apply", "files": [["name", ""]]},
    {"do": "delete", "kind": "Pod"},
    {"do": "delete", "kind": "__init__", "name": "a"},
    {"do": "scale", "kind": "Deployment", "namespace": "default", "name": "web"},
    {"do": "scale", "kind": "Deployment", "namespace": "default", "name": "web", "replicas": "2"},
    {"do": "scale", "kind": "Deployment", "namespace": "default", "name": "web", "replicas": -1},
    {"do": "scale", "kind": "Deployment", "namespace": "default", "name": "web", "replicas": True},
    {"do": "scale", "kind": "Deployment", "namespace": "default", "name": "web", "replicas": 10**9},
    {"do": "set", "pod": "client", "word": "gone"},
    {"do": "trace", "from": "pod/client", "to": "svc/web:80", "count": 10**9},
    {"do": "trace", "from": "pod/client", "to": "svc/web:80", "count": 1, "via": "nonsense"},
    {"do": "trace", "from": "pod/client", "to": "svc/web:80", "count": 1, "protocol": "sctp"},
    {"do": "trace", "from": "\n", "to": "\0", "count": 1},
    {"do": "fault-add", "fault": "nonsense"},
    {"do": "fault-heal", "fault": "rules-gone"},
]


def answered(sock: socket.socket) -> list[dict[str, Any]]:
    """All that the lab says before it hangs up, or before it hangs up on what it has not read."""
    found: list[dict[str, Any]] = []
    with suppress(ConnectionResetError):
        while (reply := messages.receive(sock)) is not None:
            found.append(reply)
    return found


@at_home
def test_hostile_messages(tmp_path: Path) -> None:
    up()
    before = status()
    for what, octets in HOSTILE.items():
        with connected() as sock:
            with suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(octets)
                sock.shutdown(socket.SHUT_WR)
            assert all("error" in reply for reply in answered(sock)), what
    for order in ORDERS:
        with connected() as sock:
            messages.send(sock, order)
            (reply,) = (r for r in answered(sock) if "progress" not in r)
            assert "error" in reply, (order, reply)
            assert "unexpected" not in reply["error"], (order, reply)
            assert reply["error"].isprintable()
    after = status()
    assert {**after, "log": []} == {**before, "log": []}
    assert len(after["log"]) >= len(ORDERS)
    fine("lab", "down", "--name", "a")


@at_home
def test_who_is_silent_or_slow_blocks_nobody(tmp_path: Path) -> None:
    up()
    with ExitStack() as stack:
        for octets in (b"", b"\0", framed(b"{", 100)) * 10:
            stack.enter_context(connected()).sendall(octets)
        asked = stack.enter_context(connected())  # who asks and never reads
        messages.send(asked, {"do": "plan"})
        begun = time.monotonic()
        status()
        assert time.monotonic() - begun < 5
    fine("lab", "down", "--name", "a")


@at_home
def test_more_users_than_it_can_have(tmp_path: Path) -> None:
    up()
    with ExitStack() as stack:
        users = [stack.enter_context(connected()) for _ in range(USERS)]
        time.sleep(0.2)
        with connected() as one_more:
            (reply,) = answered(one_more)
            assert "users already" in reply["error"]
        messages.send(users[0], {"do": "status"})
        assert "result" in answered(users[0])[0]
    fine("lab", "status", "--name", "a")
    fine("lab", "down", "--name", "a")


@at_home
def test_who_goes_before_the_answer(tmp_path: Path) -> None:
    up()
    for _ in range(30):
        with connected() as sock:
            messages.send(sock, {"do": "status"})
    order = {"do": "scale", "kind": "Deployment", "namespace": "default", "name": "web"}
    with connected() as sock:
        messages.send(sock, order | {"replicas": 3})
    with connected() as sock:
        messages.send(sock, {"do": "apply", "files": [["a", "e30="]]})
    # The order holds although nobody waited for its answer.
    assert until(lambda: sum(pod["name"].startswith("web") for pod in status()["pods"]) == 3)
    fine("lab", "down", "--name", "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@at_home
def test_other_users_are_turned_away(tmp_path: Path) -> None:
    """Even those who may reach the socket."""
    up()
    sock = connected()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            fd = os.open(f"{os.environ['XDG_RUNTIME_DIR']}/kubehop/a", os.O_RDONLY)
            other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            os.chmod("control", 0o777, dir_fd=fd)
            os.fchmod(fd, 0o755)
            os.fchdir(fd)
            os.setresuid(65534, 65534, 65534)
            other.connect("control")
            other.settimeout(10)
            code = 0 if not other.recv(100) else 2
        finally:
            os._exit(code)
    _, ended = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(ended) == 0
    messages.send(sock, {"do": "status"})
    assert "result" in answered(sock)[0]
    fine("lab", "down", "--name", "a")


def test_messages_come_as_they_were_sent() -> None:
    for message in ({}, {"do": "x", "a": [1, None, "\n\N{SNOWMAN}"]}, {"a": "b" * 1_000_000}):
        here, there = socket.socketpair()
        with here, there:
            here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            messages.send(here, message)
            assert messages.receive(there, 5) == message
            here.close()
            assert messages.receive(there) is None


def test_what_is_too_much_is_not_sent() -> None:
    here, there = socket.socketpair()
    with here, there, pytest.raises(UsageError, match="MB"):
        messages.send(here, {"a": "b" * (LIMIT + 1)})


@pytest.mark.parametrize("octets", [b"\0", framed(b"", 9), framed(b"[]"), framed(b"\xff")])
def test_what_is_no_message_is_said(octets: bytes) -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(octets)
        here.shutdown(socket.SHUT_WR)
        with pytest.raises(MalformedError):
            messages.receive(there)


def test_who_drips_is_cut_off() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(framed(json.dumps({"do": "status"}).encode())[:-1])
        with pytest.raises(TimeoutError):
            messages.receive(there, 0.2)
