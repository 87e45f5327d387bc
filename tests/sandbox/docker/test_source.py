"""Asking a daemon: recorded answers over a real socket, and what a bad one may say."""

import json
import os
import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from kubehop.sandbox.docker import connection
from kubehop.sandbox.docker.source import Docker
from kubehop.sandbox.source import Source
from kubehop.sandbox.values import Sandbox, SourceError
from tests.lab.inside import NOBODY, run_apart
from tests.real.needs import lacks
from tests.sandbox.docker.containers import answers, cid, inspected, listed, network
from tests.sandbox.docker.server import Daemon, Say, answer, daemon, saying, saying_raw

ADDRESSES = {"bridge": network("172.17.0.2", "fd00:d0c::2")}
WEB = "k8s_{}_web_shop_0b1e0001-0000-4000-8000-000000000000_0"
POD = (
    listed(2, WEB.format("app"), mode=f"container:{cid(1)}"),
    listed(3, WEB.format("done"), mode=f"container:{cid(1)}", state="exited"),
    listed(1, WEB.format("POD"), networks=ADDRESSES),
)
DETAILS = {1: inspected(1, 4711, networks=ADDRESSES), 2: inspected(2, 4712), 3: inspected(3, 0)}
LIST = ["/version", "/containers/json?all=1"]


def asked(made: Daemon) -> Sandbox:
    with closing(Docker(made.path)) as docker:
        (pod,) = docker.detailed(docker.sandboxes())
        return pod


def listing(path: str) -> tuple[Sandbox, ...]:
    with closing(Docker(path)) as docker:
        return docker.sandboxes()


def refused(folder: Path, say: Say) -> SourceError:
    with daemon(folder, say) as made, pytest.raises(SourceError) as error:
        asked(made)
    assert str(error.value).startswith(made.path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 400
    return error.value


def test_all_over_one_connection(tmp_path: Path) -> None:
    with daemon(tmp_path, saying(answers(*POD, details=DETAILS))) as made:
        docker: Source = Docker(made.path)
        cheap = docker.sandboxes()
        assert made.asked == LIST
        (pod,) = docker.detailed(cheap)
        assert made.asked[2:] == [f"/containers/{cid(number)}/json" for number in (1, 2)]
        docker.sandboxes()
        assert made.asked[4:] == LIST[1:]
        docker.close()
        docker.close()
        assert made.connections == 1
    assert docker.name == pod.source == f"docker at {made.path}"
    assert (pod.pid, pod.handler, pod.runtime) == (4711, "runc", "docker 20.10.24+dfsg1")
    assert pod.netns_path == "/var/run/docker/netns/000000000001"
    assert cheap[0].addresses == pod.addresses == ("172.17.0.2", "fd00:d0c::2")
    assert [(each.name, each.pid, each.running) for each in pod.containers] == [
        ("app", 4712, True),
        ("done", None, False),
    ]


def test_one_that_has_gone_comes_back_as_it_was(tmp_path: Path) -> None:
    with daemon(tmp_path, saying(answers(*POD, details={2: DETAILS[2]}))) as made:
        pod = asked(made)
    assert (pod.name, pod.pid, pod.containers[0].pid) == ("web", None, 4712)
    assert [each.what for each in pod.unknown] == ["pid"]
    assert "removed" in pod.unknown[0].why


def test_one_that_ended_has_no_process_and_no_namespace(tmp_path: Path) -> None:
    with daemon(tmp_path, saying(answers(*POD, details={1: inspected(1, 0)}))) as made:
        pod = asked(made)
    assert (pod.ready, pod.pid, pod.netns_path, pod.addresses) == (False, None, "", ())


def test_host_network(tmp_path: Path) -> None:
    said = answers(listed(1, "db", mode="host"), details={1: inspected(1, 7, mode="host")})
    with daemon(tmp_path, saying(said)) as made:
        pod = asked(made)
    assert (pod.host_network, pod.netns_path, pod.pid) == (True, "", 7)


def test_other_runtimes_are_named(tmp_path: Path) -> None:
    said = answers(listed(1, "db"), details={1: inspected(1, 7, runtime="runsc")})
    with daemon(tmp_path, saying(said)) as made:
        assert asked(made).handler == "runsc"


def test_a_daemon_that_closes_each_connection(tmp_path: Path) -> None:
    whole = saying(answers(*POD, details=DETAILS))

    def say(sock: socket.socket, target: str) -> None:
        whole(sock, target)
        raise ConnectionError

    with daemon(tmp_path, say) as made:
        assert asked(made).pid == 4711
        assert made.connections == 4


def test_a_thousand_containers(tmp_path: Path) -> None:
    many = [listed(number, f"c{number}", networks=ADDRESSES) for number in range(1000)]
    with daemon(tmp_path, saying(answers(*many))) as made:
        assert len(listing(made.path)) == 1000


def test_a_path_longer_than_a_sockets_address(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with daemon(tmp_path, saying(answers(*POD, details=DETAILS))) as made:
        os.link(made.path, folder / "docker.sock")
        assert [pod.name for pod in listing(str(folder / "docker.sock"))] == ["web"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not the Engine API's"),
        (b"{", "not the Engine API's"),
        (b"<html>", "not the Engine API's"),
        (b"null", "not the Engine API's"),
        (b'{"Version": 7}', "not the Engine API's"),
        (b'{"Version": "1", "Components": {"a": 1}}', "not the Engine API's"),
        (b'{"Version": "\xff"}', "not the Engine API's"),
        (b'{"Version": "1", "Components": ' + b"[" * 100_000, "not the Engine API's"),
        (b'{"Version": "1", "x": ' + b"[" * 100_000, "not the Engine API's"),
        (b'{"Version": "1"} {}', "not the Engine API's"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_versions_that_are_none(body: bytes, why: str, tmp_path: Path) -> None:
    assert why in str(refused(tmp_path, saying({"/version": body})))


@pytest.mark.parametrize(
    "change",
    [
        {"Id": 7},
        {"Id": "../version"},
        {"Id": f"{cid(1)} HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"Names": "web"},
        {"Names": ["/a", None]},
        {"Labels": ["x"]},
        {"Labels": {"a": 1}},
        {"Created": "yesterday"},
        {"Created": 1e400},
        {"Created": 1 << 70},
        {"HostConfig": "host"},
        {"NetworkSettings": {"Networks": {"x": {"IPAddress": 1}}}},
        {"State": {"Status": "running"}},
    ],
    ids=repr,
)
def test_containers_that_are_none(change: dict[str, object], tmp_path: Path) -> None:
    assert "not the Engine API's" in str(
        refused(tmp_path, saying(answers(listed(1, "web") | change)))
    )


@pytest.mark.parametrize("state", [{"Pid": "7"}, {"Pid": 1 << 70}, {"Running": "yes"}, []])
def test_details_that_are_none(state: object, tmp_path: Path) -> None:
    said = answers(*POD, details={1: inspected(1, 1) | {"State": state}})
    assert "not the Engine API's" in str(refused(tmp_path, saying(said)))


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "hangs up"),
        (b"HTTP/1.1 200 OK\r\n", "in the middle"),
        (b"SSH-2.0-x\x1b[31m\r\n", "no answer of HTTP"),
        (answer(b"{}", "404 Not Found"), "404"),
        (answer(b'{"message": "no\x1b[31m\nway"}', "500 Error"), "500"),
        (answer(b'{"message": "no\\u001b[31m\\nway"}', "500 Error"), r"500: no\x1b[31m\nway"),
        (answer(b'{"message": "%s"}' % (b"x" * 10_000), "500 Error"), "500: xxxx"),
        (answer(b"page not found", "301 Moved"), "301"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "more than"),
        (answer(b'{"Version": "1"}') + answer(b"[]"), "more than it was asked"),
    ],
    ids=lambda value: repr(value[:50]),
)
def test_answers_that_are_refused(octets: bytes, why: str, tmp_path: Path) -> None:
    assert why in str(refused(tmp_path, saying_raw(octets)))


def test_an_authorization_plugin_refuses(tmp_path: Path) -> None:
    no = answer(b'{"message": "authorization denied by plugin x"}', "403 Forbidden")
    error = refused(tmp_path, saying_raw(no))
    assert "authorization denied" in error.why
    assert error.needs == connection.NEEDS


def test_a_body_without_end(tmp_path: Path) -> None:
    def say(sock: socket.socket, target: str) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            sock.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

    assert "more than" in str(refused(tmp_path, say))


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_an_answer_that_never_comes(
    head: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SECONDS", 0.2)

    def say(sock: socket.socket, target: str) -> None:
        sock.sendall(head)
        for _ in range(200 if head else 0):
            sock.sendall(b"1\r\n \r\n")
            time.sleep(0.02)
        sock.recv(1)

    assert "no answer in 0.2 s" in str(refused(tmp_path, say))


def test_nobody_listens(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    for why in ("No such file", "Connection refused"):
        with pytest.raises(SourceError, match=why) as error:
            listing(str(path))
        assert error.value.needs == ""
        with socket.socket(socket.AF_UNIX) as left:
            if not path.exists():
                left.bind(str(path))


def test_without_the_privilege(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        lacks("root, to be another user")
    with daemon(tmp_path, saying(answers(*POD))) as made:
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_mode & 0o001 == 0:
                folder.chmod(folder.stat().st_mode | 0o001)
        os.chmod(made.path, 0o660)
        why, needs = run_apart(lambda: _refusal(made.path), NOBODY)
    assert why == f"{made.path}: Permission denied"
    assert needs == "root, or membership of the group docker"


def _refusal(path: str) -> tuple[str, str]:
    try:
        listing(path)
    except SourceError as error:
        return error.why, error.needs
    return "", ""


def test_odd_names_are_kept_as_they_are(tmp_path: Path) -> None:
    labels = {"io.kubernetes.docker.type": "podsandbox", "io.kubernetes.pod.name": "a\x1b[31m\n"}
    body = json.dumps([listed(1, "x", labels=labels)]).encode()
    with daemon(tmp_path, saying(answers() | {LIST[1]: body})) as made:
        assert listing(made.path)[0].name == "a\x1b[31m\n"
