"""`pod ip --context` and `pod collect` as a user runs them, against a server that obeys."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kubehop.cli.main import run
from kubehop.cli.pod.afar import pod_ip_afar
from kubehop.model.errors import ClusterError, UsageError
from tests.cli.test_cli import documented
from tests.live.api_server import Json
from tests.live.conftest import Write
from tests.remote import api
from tests.remote.conftest import Image, cluster, home, image, pod, write

__all__ = ["cluster", "home", "image", "write"]
EXEC = {("get", "pods/exec", "shop"), ("create", "pods/exec", "shop")}
DEBUG = {("patch", "pods/ephemeralcontainers", "shop"), ("get", "pods/log", "shop")}
GET = {("get", "pods", "shop")}


@pytest.fixture
def web(cluster: api.Remote, write: Write, image: Image) -> api.Remote:
    write(cluster, {"token": "abc"}, namespace="shop")
    cluster.pods["shop/web"] = pod()
    cluster.images["app"] = image("app", "sh", "cat")
    cluster.images["box"] = image("box", "sh", "cat")
    return cluster


def asked(name: str = "web", **options: Any) -> int:
    given = {
        "namespace": None, "context": "dev", "kubeconfig": None, "container": "",
        "debug": False, "yes": False, "image": "", "output": None, **options,
    }  # fmt: skip
    return pod_ip_afar(name, **given)


def printed(capsys: pytest.CaptureFixture[str]) -> Json:
    value: Json = json.loads(capsys.readouterr().out)
    return value


@pytest.mark.parametrize("name", ["web", "pod/web", "shop/web"])
def test_status_network_and_files(
    web: api.Remote, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    web.rights = GET | EXEC
    assert asked(name) == 0
    out = capsys.readouterr().out
    assert out.startswith("pod shop/web\n")
    assert "10.42.0.8, fd00:10:42::8" in out
    assert "node-1 192.0.2.11" in out
    assert "by /proc and /sys in container app, through the API" in out
    assert "resolv.conf:" in out
    assert {each.method for each in web.requests} == {"GET", "POST"}, "nothing was changed"


def test_as_json(web: api.Remote, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(output="json") == 0
    value = printed(capsys)
    assert (value["kind"], value["node"]) == ("PodNetwork", "node-1")
    assert value["sandbox"]["addresses"] == ["10.42.0.8", "fd00:10:42::8"]
    assert value["sandbox"]["containers"][0]["id"] == "ab" * 32
    assert [each["name"] for each in value["network"]["interfaces"]]
    assert value["files"]["hosts"] == Path("/etc/hosts").read_text()
    assert value["notLooked"] == []


def test_without_the_right_to_exec_the_status_is_told(
    web: api.Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    web.rights = GET
    assert asked() == 1
    out = capsys.readouterr().out
    assert "10.42.0.8" in out
    assert 'resources: ["pods/exec"], verbs: ["create", "get"]' in out
    assert "--debug" in out


def test_without_the_right_to_read_pods(web: api.Remote) -> None:
    web.rights = EXEC
    with pytest.raises(ClusterError, match=r'resources: \["pods"\], verbs: \["get"\]'):
        asked()


def test_a_distroless_image_leads_to_debug(
    web: api.Remote, image: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    web.images["app"] = image("distroless")
    assert asked() == 1
    out = capsys.readouterr().out
    assert "executable file not found" in out
    assert "--debug adds an ephemeral container" in out
    assert asked(output="json") == 1
    value = printed(capsys)
    assert value["network"] is None
    assert value["notLooked"]


def test_debug_asks_first(web: api.Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a terminal, and no yes: refused, and nothing was changed."""
    with open(os.devnull) as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(UsageError, match="can never be removed from the pod; --yes agrees"):
            asked(debug=True)
    assert "PATCH" not in {each.method for each in web.requests}


def test_debug_with_a_yes(web: api.Remote, capsys: pytest.CaptureFixture[str]) -> None:
    web.rights = GET | DEBUG
    assert asked(debug=True, yes=True, image="box") == 0
    told = capsys.readouterr()
    assert "can never be removed" in told.err
    assert "in ephemeral container kubehop-" in told.out
    assert not web.executed


@pytest.mark.parametrize(("answer", "code", "patches"), [(b"n\n", 130, 0), (b"y\n", 0, 1)])
def test_debug_on_a_terminal(
    web: api.Remote, home: Path, answer: bytes, code: int, patches: int
) -> None:
    mine, its = os.openpty()
    try:
        words = ("pod", "ip", "web", "--context", "dev", "--debug", "--image", "box")
        process = subprocess.Popen(
            [sys.executable, "-m", "kubehop", *words],
            env={**os.environ, "HOME": str(home)},
            stdin=its,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        os.write(mine, answer)
        _, err = process.communicate(timeout=30)
    finally:
        os.close(mine)
        os.close(its)
    assert b"can never be removed from the pod. Go on? [y/N]" in err
    assert process.returncode == code
    assert [each.method for each in web.requests].count("PATCH") == patches


@pytest.mark.parametrize("lacking", sorted(DEBUG))
def test_debug_names_the_right_that_is_missing(
    web: api.Remote, lacking: tuple[str, str, str]
) -> None:
    web.rights = GET | DEBUG - {lacking}
    with pytest.raises(ClusterError) as caught:
        asked(debug=True, yes=True, image="box")
    assert f'resources: ["{lacking[1]}"], verbs: ["{lacking[0]}"]' in str(caught.value)
    assert str(caught.value).count("apiGroups") == 1
    assert "PATCH" not in {each.method for each in web.requests}


def test_what_a_container_says_cannot_drive_the_terminal(
    web: api.Remote, image: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = image("evil", "cat")
    (folder / "sh").write_text(
        "#!/bin/sh\nprintf '\\n%s /etc/hosts\\n\\033[31m10.0.0.1 evil\\a\\n\\n%s end\\n' $3 $3\n"
    )
    (folder / "sh").chmod(0o755)
    web.images["app"] = folder
    asked()
    out = capsys.readouterr().out
    assert "10.0.0.1 evil" in out
    assert "\x1b" not in out
    assert "\a" not in out


def test_a_container_that_is_not_there(web: api.Remote) -> None:
    with pytest.raises(UsageError, match="no container nope that runs; those: app"):
        asked(container="nope")


@pytest.mark.parametrize("name", ["other/web", "pod/other/web"])
def test_namespaces_that_contradict_each_other(web: api.Remote, name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is in namespace other, and -n says 'shop'"):
        asked(name, namespace="shop")


@pytest.mark.parametrize("name", ["web", "pod/web", "pods/web", "shop/web", "pod/shop/web"])
def test_every_form_of_a_name(
    web: api.Remote, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last one is what `-o name` prints."""
    asked(name)
    asked(name, namespace="shop")
    assert capsys.readouterr().out.count("shop/web") == 2


@pytest.mark.parametrize("name", ["containerd://3f2a9c", "/proc/12", "a/b/c", "10.42.0.8"])
def test_what_names_no_pod_of_a_cluster(web: api.Remote, name: str) -> None:
    with pytest.raises((UsageError, ClusterError)):
        asked(name)


# pod collect


def log(node: str) -> str:
    lines = [
        {"kind": "PodNetwork", "node": node},
        {"kind": "NodeCollected", "node": node, "pods": 1},
    ]
    return "".join(json.dumps(each) + "\n" for each in lines)


@pytest.fixture
def nodes(cluster: api.Remote, write: Write) -> api.Remote:
    write(cluster)
    cluster.nodes = {"a": lambda: ("Succeeded", log("a")), "b": lambda: ("Succeeded", log("b"))}
    return cluster


def test_collect(nodes: api.Remote, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pod", "collect"]) == 0
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["PodNetwork", "NodeCollected"] * 2
    assert nodes.jobs == {}


def test_a_failure_is_a_line_and_exit_1(
    nodes: api.Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes.nodes["a"] = lambda: ("Pending", "ImagePullBackOff")
    assert run(["pod", "collect", "--nodes", "a,b"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (failure,) = [each for each in lines if each["kind"] == "CollectFailure"]
    assert set(failure) == documented("CollectFailure")
    assert (failure["node"], failure["apiVersion"]) == ("a", "kubehop/v1")
    assert "ImagePullBackOff" in failure["why"]
    assert nodes.jobs == {}


def test_rights_are_checked_before_anything_is_made(
    nodes: api.Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes.rights = {("get", "nodes", ""), ("list", "nodes", "")}
    assert run(["pod", "collect"]) == 2
    err = capsys.readouterr().err
    assert 'resources: ["jobs"], verbs: ["create", "delete", "get", "list"]' in err
    assert "nodes" not in err
    assert {each.path.rpartition("/")[2] for each in nodes.requests} == {"selfsubjectaccessreviews"}


def test_dry_run_of_all_nodes_only_lists_them(
    nodes: api.Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["pod", "collect", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("kind: Job\n") == 2
    assert [(each.method, each.path) for each in nodes.requests] == [("GET", "/api/v1/nodes")]


def test_a_reader_that_has_had_enough(nodes: api.Remote, home: Path) -> None:
    """`| head -0`: the Jobs go all the same."""
    with started(home) as process:
        assert process.stdout
        process.stdout.close()
        process.wait(20)
    assert (nodes.jobs, len(nodes.deleted)) == ({}, 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 3])
def test_signals_remove_the_jobs(
    nodes: api.Remote, home: Path, number: signal.Signals, times: int
) -> None:
    """Those that come during the removal, which takes its time here, change nothing."""

    def slow(handler: api.ApiHandler) -> None:
        if handler.command == "DELETE":
            nodes.close.wait(0.1)
        handler.serve()

    nodes.faults["*"] = slow  # type: ignore[assignment]
    nodes.nodes = {"a": lambda: ("Running", ""), "b": lambda: ("Running", "")}
    with started(home) as process:
        until(lambda: len(nodes.jobs) == 2)
        for _ in range(times):
            process.send_signal(number)
            time.sleep(0.02)
        assert process.wait(20) == 130
    assert (nodes.jobs, len(nodes.deleted)) == ({}, 2)


def test_a_signal_while_a_job_is_being_made(nodes: api.Remote, home: Path) -> None:
    """Its answer is waited for, then the Job is removed."""
    arrived: list[int] = []

    def slow(handler: api.ApiHandler) -> None:
        if handler.command == "POST":
            arrived.append(1)
            nodes.close.wait(0.3)
        handler.serve()

    nodes.faults["/apis/batch/v1/namespaces/kubehop-collect/jobs"] = slow  # type: ignore[assignment]
    nodes.nodes = {"a": lambda: ("Running", "")}
    with started(home) as process:
        until(lambda: bool(arrived))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130
    assert (nodes.jobs, len(nodes.deleted)) == ({}, 1)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def started(home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kubehop", "pod", "collect"],
        env={**os.environ, "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


# pod collect --here


def test_here_is_json_lines_and_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pod", "collect", "--here", "--node-name", "n1", "-o", "json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    *pods, end = lines
    assert {each["kind"] for each in pods} <= {"PodNetwork"}
    assert (end["kind"], end["node"], end["pods"]) == ("NodeCollected", "n1", len(pods))
    assert {each["node"] for each in lines} == {"n1"}
    assert set(end) - {"sources"} | {
        f"sources[].{key}" for each in end["sources"] for key in each
    } == documented("NodeCollected")


def test_the_manifests_command_is_the_collector(
    nodes: api.Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is made up: the Job's own command runs, and what it prints comes through."""

    def collector() -> api.Log:
        (job,) = nodes.jobs.values()
        words = job["spec"]["template"]["spec"]["containers"][0]["command"]
        done = subprocess.run(
            [sys.executable, "-m", *words], capture_output=True, text=True, check=True
        )
        return "Succeeded", done.stdout

    nodes.nodes = {"n.example": collector}
    assert run(["pod", "collect"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["kind"], last["node"]) == ("NodeCollected", "n.example")
