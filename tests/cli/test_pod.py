"""`kubehop pod list` and `pod ip` as a user types them, on the pods of a lab."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.real.needs import lacks, program

SECONDS = 60
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs kubehop, which sees labs of this test alone; the notes' lab is up."""
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path_factory.mktemp("run"))}

    def kubehop(*words: str) -> Done:
        command = (sys.executable, "-m", "kubehop", *words)
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    up = kubehop("lab", "up")
    if "a lab needs namespaces" in up.stderr:
        lacks(up.stderr.strip())
    assert up.returncode == 0, up.stderr
    yield kubehop
    assert kubehop("lab", "down").returncode == 0


@pytest.fixture
def pod(run: Run) -> Run:
    """Runs a command of `kubehop pod` on the labs of this test alone."""
    return lambda *words: run("pod", *words, "--source", "lab")


def _json(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_list(pod: Run) -> None:
    shown = pod("list")
    assert (shown.returncode, shown.stderr) == (0, "")
    head, *lines = shown.stdout.splitlines()
    assert head.split()[:4] == ["NAMESPACE", "NAME", "SANDBOX", "PID"]
    assert any(line.split()[:2] == ["default", "busybox"] and "10.42.0.8" in line for line in lines)
    assert lines[-1] == "from: lab default (7)"
    names = pod("list", "-o", "name", "-n", "kube-system").stdout.split()
    assert names == ["pod/kube-system/coredns"]
    empty = pod("list", "-n", "nobody")
    assert (empty.returncode, empty.stderr) == (0, "no pods on this host in namespace nobody\n")
    assert pod("list", "-n", "a", "-A").returncode == 2


def test_list_as_json(pod: Run) -> None:
    value = _json(pod("list", "-o", "json"))
    assert (value["apiVersion"], value["kind"]) == ("kubehop/v1", "PodList")
    assert {each["name"] for each in value["items"]} >= {"busybox", "coredns", "example-1"}
    assert value["sources"] == [{"source": "lab default", "found": 7, "why": "", "needs": ""}]


def _busybox(pod: Run) -> dict[str, Any]:
    items = _json(pod("list", "-o", "json"))["items"]
    found: dict[str, Any] = next(each for each in items if each["name"] == "busybox")
    return found


@pytest.mark.parametrize(
    "text", ["busybox", "default/busybox", "pod/default/busybox", "10.42.0.8", "::ffff:10.42.0.8"]
)
def test_ip_by_every_form(text: str, pod: Run) -> None:
    assert pod("ip", text, "-o", "name").stdout == "pod/default/busybox\n"


def test_ip_is_what_ip_prints(pod: Run) -> None:
    shown = pod("ip", "busybox")
    assert shown.returncode == 0, shown
    assert "from        lab default" in shown.stdout
    known = _busybox(pod)
    assert (
        pod("ip", str(known["pid"])).stdout.split("interfaces:")[1:]
        == (shown.stdout.split("interfaces:")[1:])
    )
    user = ("--user", "--preserve-credentials") if os.geteuid() else ()
    enter = (program("nsenter", "util-linux"), "--target", str(known["pid"]), "--net", *user)
    for command in (("ip", "addr"), ("ip", "route")):
        real = subprocess.run(
            (*enter, *command), capture_output=True, text=True, check=True, timeout=SECONDS
        )
        assert "".join(f"  {line}\n" for line in real.stdout.splitlines()) in shown.stdout


def test_ip_as_json(pod: Run) -> None:
    value = _json(pod("ip", "busybox", "-o", "json"))
    assert (value["kind"], value["sandbox"]["name"]) == ("PodNetwork", "busybox")
    addresses = [each["address"] for link in value["network"]["interfaces"]
                 for each in link["addresses"]]  # fmt: skip
    assert "10.42.0.8" in addresses
    assert value["network"]["inode"]
    assert value["files"]["resolvConf"].startswith("search default.svc.cluster.local")
    assert value["sources"][0]["source"] == "lab default"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ip", "buzybox"), "did you mean default/busybox?"),
        (("ip", "10.42.9.9"), "no pod of this host"),
        (("ip", "busybox", "-n", "kube-system"), "in namespace kube-system"),
        (("ip", "default/busybox", "-n", "bank"), "is in namespace default, and -n says 'bank'"),
        (("ip", "pod/default/busybox", "-n", "bank"), "is in namespace default, and -n says"),
        (("ip", "10.42.0.8", "-n", "bank"), "'10.42.0.8' is of default/busybox, and -n says"),
        (("exec", "default/busybox", "-n", "bank", "--", "true"), "is in namespace default"),
        (("nslookup", "default/busybox", "web", "-n", "bank"), "is in namespace default"),
        (("connect", "default/busybox", "[::1]:1", "-n", "bank"), "is in namespace default"),
        (("capture", "default/busybox", "-n", "bank"), "is in namespace default"),
        (("ip", "busybox", "-c", "nobody"), "has no container 'nobody'"),
        (("ip", "busybox", "--debug"), "--context"),
        (("ip", ""), "no pod of this host"),
        (("ip", "\x1b[31mred"), r"\x1b[31mred"),
        (("list", "--source", "nobody"), "--source"),
    ],
)
def test_problems_are_one_line_and_exit_2(words: tuple[str, ...], said: str, run: Run) -> None:
    done = run("pod", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_namespace_that_is_said_twice(pod: Run) -> None:
    for text in ("busybox", "default/busybox", "pod/default/busybox", "10.42.0.8"):
        assert pod("ip", text, "-n", "default", "-o", "name").stdout == "pod/default/busybox\n"


def test_a_host_without_pods_of_a_source(run: Run) -> None:
    done = run("pod", "list", "--source", "lab", "-n", "nobody", "-o", "json")
    assert _json(done)["items"] == []
