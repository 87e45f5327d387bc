"""`kubehop lab` as a user types it: the notes' cluster, its text and its JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubehop.cli.main import run as run_here
from tests.cli.test_cli import documented, paths
from tests.real.needs import lacks

SECONDS = 60
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs commands; the notes' lab is up, with a fault at each kind of place."""
    environment = os.environ | {
        "XDG_RUNTIME_DIR": str(tmp_path_factory.mktemp("run")),
        "NO_COLOR": "1",
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "kubehop", "lab", *words)
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    up = run("up")
    if "a lab needs namespaces" in up.stderr:
        lacks(up.stderr.strip())
    assert up.returncode == 0, up.stderr
    yield run
    assert run("down").returncode == 0


def test_the_commands_that_up_tells_work(lab: Run) -> None:
    """A second `up` is refused, so another lab of the same tells them."""
    up = lab("up", "--name", "other")
    assert up.returncode == 0, up.stderr
    lines = [line.split() for line in up.stdout.splitlines() if line.startswith("  kubehop lab ")]
    assert len(lines) == 4
    for words in lines:
        done = lab(*words[2:])
        assert done.returncode == 0, (words, done)
    assert lab("status", "--name", "other").returncode == 2


def test_status_tells_what_one_needs(lab: Run) -> None:
    shown = lab("status").stdout
    for text in ("10.42.0.8", "10.43.0.10", "192.168.0.11", "example-service", "coredns"):
        assert text in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
    assert "pod/default/busybox" in lab("status", "-o", "name").stdout.splitlines()
    assert lab("exec", "pod/busybox", "--", "true").returncode == 0


@pytest.mark.parametrize(
    ("kind", "words", "faults"),
    [
        (
            "LabStatus",
            ["status"],
            [
                ["overlay-dropped", "--node", "node-0", "--to", "node-1"],
                ["server-stopped", "--pod", "whoami-1"],
                ["health-lies", "--service", "example-service"],
            ],
        ),
        (
            "Comparison",
            ["trace", "pod/busybox", "svc/whoami:80"],
            [["server-stopped", "--pod", "whoami-1"]],
        ),
        ("LabPlan", ["plan"], []),
        ("Faults", ["fault", "list"], []),
    ],
)
def test_json_is_what_the_documentation_says(
    lab: Run, kind: str, words: list[str], faults: list[list[str]]
) -> None:
    for fault in faults:
        assert lab("fault", "add", *fault).returncode == 0
    value = json.loads(lab(*words, "-o", "json").stdout)
    for fault in faults:
        assert lab("fault", "heal", *fault).returncode == 0
    assert (value["apiVersion"], value["kind"]) == ("kubehop/v1", kind)
    printed = paths(value)
    leaves = {p for p in printed if not any(q.startswith((p + ".", p + "[")) for q in printed)}
    assert leaves <= documented(kind)
    lists = {p for p in documented(kind) if p.endswith("[]")}
    assert documented(kind) - printed <= lists


def test_the_plan_of_a_lab_that_is_up_is_that_of_its_input(lab: Run) -> None:
    assert lab("plan", "--name", "default").stdout.splitlines() == lab("plan").stdout.splitlines()
    assert lab("plan", "--name", "default", "-f", "a.yaml").returncode == 2


def test_list(lab: Run) -> None:
    value = json.loads(lab("list", "-o", "json").stdout)
    assert value["kind"] == "LabList"
    counts: dict[str, Any] = {"name": "default", "nodes": 3, "pods": 7, "services": 4, "faults": 0}
    assert [{key: one[key] for key in counts} for one in value["items"]] == [counts]
    assert lab("list").stdout.splitlines()[1].split()[0] == "default"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["up"], "is up already"),
        (["up", "--name", "Upper"], "lower case"),
        (["up", "--name", "a" * 64], "at most 63"),
        (["up", "--name", "../a"], "lower case"),
        (["up", "-f", "/nonexistent"], "/nonexistent"),
        (["status", "--name", "absent"], "no lab absent; there is --name default"),
        (["down", "--name", "absent"], "no lab absent"),
        (["exec", "busibox", "--", "true"], "busybox"),
        (["exec", "node/node-7", "--", "true"], "node-7"),
        (["trace", "pod/busybox", "svc/whoami:81"], "81"),
        (["trace", "pod/busybox", "svc/whoami:80", "-c", "0"], "connections"),
        (["trace", "pod/busybox", "example.com:80"], "nslookup"),
        (["snapshot", "/nonexistent/file"], "/nonexistent/file"),
        (["fault", "add", "rules-gne"], "rules-gone"),
    ],
)
def test_what_is_refused_is_said_in_one_line(lab: Run, words: list[str], why: str) -> None:
    done = lab(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert why in done.stderr


def test_plan_prints_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(["lab", "plan"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "# no ConfigMap kube-system/coredns: kubeadm's Corefile assumed",
        "ip netns add outside",
        "ip -n outside link set lo up",
        "mkdir -p /etc/netns/outside",
    ]
    assert "ip -n node-0 addr add 192.168.0.10/32 dev eth0" in lines
    assert "ip -n default_busybox addr add 10.42.0.8/32 dev eth0" in lines
    assert "# pod/kube-system/coredns: DNS on 10.42.0.2 port 53" in lines


@pytest.mark.parametrize("nodes", [1, 2, 5])
def test_the_notes_cluster_with_other_numbers_of_nodes(
    nodes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(["lab", "plan", "--nodes", str(nodes), "--zones", "2", "-o", "json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    boxes = [step["namespace"] for step in steps if step["thing"] == "Sandbox"]
    assert [box for box in boxes if box.startswith("node/")] == [
        f"node/node-{n}" for n in range(nodes)
    ]
    address = f"ip -n node-{nodes - 1} addr add 192.168.0.{9 + nodes}/32 dev eth0"
    assert address in [step["command"] for step in steps]


def test_a_live_cluster_is_never_read_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config"
    config.write_text("not a kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert run_here(["lab", "plan"]) == 0
    capsys.readouterr()
    assert run_here(["lab", "plan", "--kubeconfig", str(config)]) == 2


def test_what_the_input_lacks_is_added_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "pod.yaml"
    manifest.write_text("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: []}}")
    words = ["lab", "plan", "-f", str(manifest), "--nodes", "1"]
    assert run_here(words) == 0
    assert ": DNS on " in capsys.readouterr().out
