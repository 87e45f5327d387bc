"""`kubehop lab fault` as a user types it, on a lab that stands."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubehop.lab.faults import FAULTS
from tests.real.needs import lacks

SECONDS = 60

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def kubehop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs commands; the notes' lab is up."""
    folder: Path = tmp_path_factory.mktemp("run")
    environment = os.environ | {"XDG_RUNTIME_DIR": str(folder), "NO_COLOR": "1"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "kubehop", "lab", *words)
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    up = run("up")
    if "needs" in up.stderr or "forbid" in up.stderr:
        lacks(up.stderr.strip())
    assert up.returncode == 0, up.stderr
    yield run
    assert run("down").returncode == 0


def said(run: Run, *words: str) -> list[str]:
    """The lines of a command that worked."""
    done = run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def faults(run: Run) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(run("status", "-o", "json").stdout)["faults"]
    return found


def test_from_one_to_many_and_back(kubehop: Run) -> None:
    assert faults(kubehop) == []
    lines = said(kubehop, "fault", "add", "overlay-dropped", "--node", "node-1", "--to", "node-0")
    assert lines == [
        "added: overlay-dropped --node node-0 --to node-1",
        "kernel: changed rules in 1 namespace",
        f"one sees: {FAULTS['overlay-dropped'].symptom}",
    ]
    said(kubehop, "fault", "add", "wrong-nameserver", "--pod", "busybox")
    said(kubehop, "fault", "add", "server-stopped", "--pod", "whoami-1")
    said(kubehop, "fault", "add", "server-stopped", "--pod", "pod/whoami-2.default")
    assert [(one["name"], one.get("pod")) for one in faults(kubehop)] == [
        ("overlay-dropped", None),
        ("wrong-nameserver", "default/busybox"),
        ("server-stopped", "default/whoami-1"),
        ("server-stopped", "default/whoami-2"),
    ]
    assert said(kubehop, "fault", "heal", "wrong-nameserver") == [
        "healed: wrong-nameserver --pod default/busybox",
        "kernel: changed files in 1 sandbox",
    ]
    assert said(kubehop, "fault", "heal", "server-stopped", "--pod", "whoami-2") == [
        "healed: server-stopped --pod default/whoami-2"
    ]
    assert len(said(kubehop, "fault", "heal", "--all")) == 3
    assert said(kubehop, "fault", "heal", "--all") == ["nothing to change"]
    assert faults(kubehop) == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["add", "mtu-hloe"], "no fault mtu-hloe: did you mean mtu-hole"),
        (["add", "mtu-hole"], "mtu-hole needs --node: kubehop lab fault add mtu-hole --node NODE"),
        (["add", "mtu-hole", "--node", "node-9"], "no Node node-9"),
        (["heal"], "name one fault to heal, or say --all"),
        (["heal", "mtu-hole", "--all"], "name one fault to heal, or say --all"),
        (["heal", "mtu-hole"], "no fault mtu-hole in this lab; there is: none"),
        (["heal", "mtu"], "no fault mtu: did you mean mtu-hole"),
        (["add", "mtu-hole", "--name", "nosuch"], "no lab nosuch; there is --name default"),
    ],
    ids=" ".join,
)
def test_what_does_not_fit_is_one_line(kubehop: Run, words: list[str], error: str) -> None:
    done = kubehop("fault", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {error}")
    assert done.stderr.count("\n") == 1


def test_a_fault_goes_with_its_pod(kubehop: Run) -> None:
    said(kubehop, "fault", "add", "server-stopped", "--pod", "whoami-3")
    lines = said(kubehop, "scale", "deployment/whoami", "--replicas", "2")
    assert "healed, for its object is gone: server-stopped --pod default/whoami-3" in lines
    said(kubehop, "scale", "deployment/whoami", "--replicas", "3")
    assert faults(kubehop) == []


def test_the_list_needs_no_lab(kubehop: Run) -> None:
    assert [line.split()[0] for line in said(kubehop, "fault", "list") if line[0] != " "][1:] == [
        *FAULTS
    ]
    assert json.loads(kubehop("fault", "list", "-o", "json").stdout)["kind"] == "Faults"
