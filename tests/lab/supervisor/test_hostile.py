"""What a lab is told that makes no sense, or is meant to hurt: one line, and it stands."""

import base64
import json
import os
import signal
import socket
import struct
import time
from typing import Any

import pytest

from kubehop.lab.supervisor import client, messages, service
from tests.lab.inside import NOBODY, as_everyone
from tests.lab.supervisor.scene import (
    Command,
    at_home,
    connected,
    fine,
    kubehop,
    processes,
    refused,
    runtime,
    status,
    up,
)

LENGTH = struct.Struct("!I")


def reply(sock: socket.socket) -> dict[str, Any] | None:
    """The last word of the lab, which must be a message."""
    last = None
    try:
        while (found := messages.receive(sock)) is not None:
            last = found
    except ConnectionError:
        pass
    return last


def told(octets: bytes, hang_up: bool = True) -> dict[str, Any] | None:
    with connected() as sock:
        try:
            sock.sendall(octets)
            if hang_up:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has heard enough
        return reply(sock)


def ordered(**order: Any) -> dict[str, Any] | None:
    body = json.dumps(order).encode()
    return told(LENGTH.pack(len(body)) + body)


def error(answer: dict[str, Any] | None) -> str:
    assert answer is not None
    assert list(answer) == ["error"], answer
    said: str = answer["error"]
    assert "unexpected" not in said
    assert said.isprintable()
    return said


@as_everyone
@at_home
def test_what_is_no_message(uid: int | None, tmp_path: Any) -> None:
    up()
    before = processes()
    for octets in (
        b"\0",
        LENGTH.pack(5) + b"{}",
        LENGTH.pack(2) + b"[]",
        LENGTH.pack(0),
        LENGTH.pack(1) + b"{",
        LENGTH.pack(messages.LIMIT + 1),
        b"GET / HTTP/1.1\r\n\r\n",
        LENGTH.pack(100_000) + b"[" * 100_000,
        LENGTH.pack(4) + b"\xff\xfe\0\0",
        LENGTH.pack(messages.LIMIT + 1) + os.urandom(1 << 20) * 8,
    ):
        assert error(told(octets)).startswith("not understood: ")
    assert told(b"") is None
    assert processes() == before
    fine("lab", "down", "--name", "a")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "does not know how to do None"),
    ({"do": 5}, "does not know how to do 5"),
    ({"do": ["down"]}, "does not know"),
    ({"do": "\x1b[31m"}, r"\x1b"),
    ({"do": "enter"}, "lacks where"),
    ({"do": "enter", "where": None}, "lacks where"),
    ({"do": "enter", "where": 5}, "where: expected text, not int"),
    ({"do": "enter", "where": "client", "namespace": 5}, "namespace: expected text"),
    ({"do": "enter", "where": "client", "container": []}, "container: expected text"),
    ({"do": "enter", "where": "../../etc"}, ""),
    ({"do": "enter", "where": ""}, ""),
    ({"do": "enter", "where": "node/"}, ""),
    ({"do": "enter", "where": "\x1b]0;x\x07"}, ""),
    ({"do": "enter", "where": "x" * 1_000_000}, ""),
    ({"do": "apply"}, "no files"),
    ({"do": "apply", "files": []}, "no files"),
    ({"do": "apply", "files": {"a": "b"}}, "no files"),
    ({"do": "apply", "files": ["a"]}, "a name and its content"),
    ({"do": "apply", "files": [["a"]]}, "a name and its content"),
    ({"do": "apply", "files": [["a", 5]]}, "a name and its content"),
    ({"do": "apply", "files": [["a", "???"]]}, "a: not in base64"),
    ({"do": "apply", "files": [["a", "\ud800"]]}, "a: not in base64"),
    ({"do": "apply", "files": [["a", ""]]}, "no object of a network"),
    ({"do": "apply", "files": [["a", "AAAA"]]}, "a"),
    ({"do": "delete"}, "lacks kind"),
    ({"do": "delete", "files": "x"}, "no files"),
    ({"do": "delete", "kind": "Pod", "namespace": "default", "name": "x"}, "x"),
    ({"do": "delete", "kind": "Nonsense", "namespace": "default", "name": "x"}, ""),
    ({"do": "scale", "kind": "Deployment", "namespace": "default", "name": "web"}, "replicas: "),
    *(
        (
            {
                "do": "scale",
                "kind": "Deployment",
                "namespace": "default",
                "name": "web",
                "replicas": wrong,
            },
            said,
        )
        for wrong, said in (
            (True, "expected a number"),
            ("3", "expected a number"),
            (1.5, "expected a number"),
            (-1, "negative"),
            (10**9, "has room for"),
            (10**30, "has room for"),
        )
    ),
    ({"do": "set", "pod": "web-1"}, "lacks word"),
    ({"do": "set", "pod": "web-1", "word": "dead"}, "ready"),
    ({"do": "set", "pod": 1, "word": "ready"}, "pod: expected text"),
    ({"do": "trace"}, "count: "),
    *(
        ({"do": "trace", "from": "pod/client", "to": "svc/web:80", "count": 1} | more, said)
        for more, said in (
            ({"count": True}, "count: expected a number"),
            ({"count": 0}, "1 to 2000"),
            ({"count": 10**9}, "1 to 2000"),
            ({"from": 5}, "from: expected text"),
            ({"via": 5}, "via: expected text"),
            ({"via": "x"}, "one of clusterip"),
            ({"protocol": 5}, "protocol: expected text"),
            ({"protocol": "x"}, ""),
            ({"node": "x"}, "x"),
            ({"to": ":::"}, ""),
            ({"to": "10.0.0.1:99999"}, ""),
            ({"from": "\0"}, ""),
        )
    ),
    ({"do": "fault-add"}, "lacks fault"),
    ({"do": "fault-add", "fault": "x"}, "no fault x"),
    ({"do": "fault-add", "fault": "mtu-hole", "node": 7}, "node: expected text"),
    ({"do": "fault-heal", "fault": 7}, "fault: expected text"),
]


@at_home
def test_orders_that_make_no_sense(tmp_path: Any) -> None:
    up()
    before, stood = processes(), status()
    for order, why in WRONG:
        started = time.monotonic()
        answer = ordered(**order)
        assert why in error(answer), (order, answer)
        assert time.monotonic() - started < 3, order
    assert processes() == before
    after = status()
    log = after.pop("log")
    assert len(log) <= 100
    assert all(line.isprintable() and len(line) < 1000 for line in log)
    assert after == {key: value for key, value in stood.items() if key != "log"}
    fine("lab", "down", "--name", "a")


@at_home
def test_a_hundred_users_at_once(tmp_path: Any) -> None:
    up()
    asking = [Command("lab", "status", "--name", "a", "-o", "name") for _ in range(20)]
    idle = [connected() for _ in range(100)]
    for sock in idle:
        messages.send(sock, {"do": "enter", "where": "client"})
    assert {json.dumps(reply(sock)) for sock in idle} == {
        json.dumps({"result": ordered(do="enter", where="client")["result"]})  # type: ignore[index]
    }
    for command in asking:
        said = command.said()
        assert (said.code, said.err) == (0, ""), said
    for sock in idle:
        sock.close()
    fine("lab", "down", "--name", "a")


@at_home
def test_users_who_say_nothing_do_not_keep_it_from_going(tmp_path: Any) -> None:
    up()
    idle = [connected() for _ in range(service.USERS + 20)]
    assert "try again" in refused("lab", "status", "--name", "a")
    fine("lab", "down", "--name", "a")
    for sock in idle:
        sock.close()


@at_home
def test_who_is_too_slow_is_told(tmp_path: Any) -> None:
    """An octet now and then for ever is too slow too."""
    service.PATIENCE = 2.0
    up()
    with connected() as sock:
        sock.sendall(LENGTH.pack(1000))
        begun = time.monotonic()
        try:
            while time.monotonic() - begun < service.PATIENCE + 5:
                sock.sendall(b" ")
                time.sleep(0.2)
        except OSError:
            pass
        assert service.PATIENCE - 1 < time.monotonic() - begun < service.PATIENCE + 4
        assert "not understood" in error(reply(sock))
    fine("lab", "down", "--name", "a")


@at_home
def test_users_who_leave_before_the_answer(tmp_path: Any) -> None:
    up()
    body = json.dumps({"do": "status"}).encode()
    for _ in range(50):
        with connected() as sock:
            sock.sendall(LENGTH.pack(len(body)) + body)
    assert status()["name"] == "a"
    with connected() as sock:
        messages.send(sock, {"do": "down"})
    while kubehop("lab", "status", "--name", "a").code == 0:
        time.sleep(0.01)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
@at_home
def test_somebody_else_is_not_heard(tmp_path: Any) -> None:
    """Neither by the directory's mode nor by who they are."""
    up()
    for mode in (0o700, 0o777):
        for path in (runtime().parent, runtime(), runtime() / "a", runtime() / "a" / "control"):
            path.chmod(mode)
        child = os.fork()
        if not child:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            try:
                answer = ordered(do="enter", where="client")
            except PermissionError:
                os._exit(1)
            os._exit(2 if answer is None else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (1 if mode == 0o700 else 2)
    for path in (runtime().parent, runtime()):
        path.chmod(0o700)
    fine("lab", "down", "--name", "a")


def applied(text: str) -> tuple[int, str]:
    said = kubehop("lab", "apply", "--name", "a", "-f", "-", stdin=text.encode())
    assert "Traceback" not in said.err
    return said.code, said.out + said.err


@at_home
def test_manifests_that_are_too_large(tmp_path: Any) -> None:
    up()
    deployment = (
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: huge}, spec: {replicas: %d,"
        " selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},"
        " spec: {containers: [{name: c}]}}}}"
    )
    for number in (100_000, 1_000_000_000, 2_147_483_647):
        started = time.monotonic()
        code, said = applied(deployment % number)
        assert (code, said.count("\n")) == (2, 1), said
        assert "has room for" in said
        assert "Deployment default/huge" in said
        assert time.monotonic() - started < 3
    said = refused("lab", "up", "--name", "b", "-f", "-", stdin=(deployment % 10**6).encode())
    assert "has room for" in said
    service = "{apiVersion: v1, kind: Service, metadata: {name: s%d, annotations: {x: %s}}"
    service += ", spec: {ports: [{port: 80}]}}"
    services = "\n---\n".join(service % (n, "y" * 7000) for n in range(3000))
    assert len(services) > 20 << 20
    code, said = applied(services)
    assert code == 0
    assert len(status()["services"]) >= 3000
    code, said = applied("#" * (messages.LIMIT * 3 // 4 + 100))
    assert (code, said.count("\n")) == (2, 1), said[:200]
    assert "more than" in said
    fine("lab", "down", "--name", "a")


@at_home
def test_names_do_not_drive_the_terminal(tmp_path: Any) -> None:
    up()
    evil = "\x1b]0;owned\x07\x1b[31m"
    manifest = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "evil", "labels": {"a": evil}},
            "spec": {"containers": [{"name": evil, "ports": [{"containerPort": 80}]}]},
        }
    )
    pods = [applied(manifest), applied(manifest.replace('"evil"', json.dumps(evil)))]
    for command in (("status",), ("status", "-o", "wide"), ("exec", "evil", "-c", "x", "--", "ls")):
        said = kubehop("lab", command[0], "--name", "a", *command[1:])
        pods.append((said.code, said.out + said.err))
    assert not [said for _, said in pods if "\x1b" in said or "\x07" in said]
    fine("lab", "down", "--name", "a")


@at_home
def test_content_that_is_a_bomb(tmp_path: Any) -> None:
    up()
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
    )
    answer = ordered(do="apply", files=[["bomb", base64.b64encode(bomb.encode()).decode()]])
    assert "bomb" in error(answer)
    answer = ordered(do="apply", files=[["deep", base64.b64encode(b"[" * 100_000).decode()]])
    assert "deep" in error(answer)
    fine("lab", "down", "--name", "a")


@at_home
def test_a_lab_that_hangs_is_said_to(tmp_path: Any) -> None:
    client.QUICK_SECONDS = client.LISTEN_SECONDS = client.ENOUGH_SECONDS = 0.5
    up()
    os.kill(processes()[1], signal.SIGSTOP)
    said = refused("lab", "status", "--name", "a")
    assert said == "the lab a does not answer: `kubehop lab down --name a` ends it"
    fine("lab", "down", "--name", "a")
