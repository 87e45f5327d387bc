"""Labs as sources of sandboxes, as root and as nobody."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubehop.cli.pod.labs import lab_sources, sandboxes_of, state_place
from kubehop.lab.supervisor.place import root
from kubehop.sandbox.values import Sandbox, SourceError
from tests.lab.inside import as_everyone
from tests.lab.supervisor import scene
from tests.lab.supervisor.scene import at_home, fine, processes, status, up

HOST = """
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: default}
spec: {hostNetwork: true, containers: [{name: agent}]}
"""


def found(name: str = "a") -> dict[str, Sandbox]:
    """By name, of one lab."""
    (source,) = (each for each in lab_sources() if each.name == f"lab {name}")
    pods = source.sandboxes()
    assert source.detailed(pods) == pods
    source.close()
    return {pod.name: pod for pod in pods}


@as_everyone
@at_home
def test_the_pods_of_a_lab(uid: int | None, tmp_path: Path) -> None:
    assert lab_sources() == []
    up(manifest=scene.SMALL + HOST)
    pods, told = found(), status()
    assert set(pods) == {pod["name"] for pod in told["pods"]}
    web = pods["web-1"]
    assert web.addresses == tuple(
        next(pod["addresses"] for pod in told["pods"] if pod["name"] == "web-1")
    )
    assert web.addresses
    assert (web.namespace, web.ready, web.host_network) == ("default", True, False)
    assert (web.runtime, web.handler, web.source) == ("kubehop lab a", "kubehop", "lab a")
    assert [each.name for each in web.containers] == ["web", "side"]
    assert (web.id, web.uid) == ("", "")
    for pod in pods.values():
        assert Path(f"/proc/{pod.pid}/comm").read_text() == "pause\n"
    trie = Path(f"/proc/{web.pid}/net/fib_trie").read_text()
    assert all(address in trie for address in web.addresses if ":" not in address)
    agent = pods["agent"]
    assert (agent.host_network, agent.addresses) == (True, ())
    assert agent.pid == told["nodes"][0]["pid"]
    fine("lab", "down", "--name", "a")
    assert lab_sources() == []


@at_home
def test_two_labs_are_two_sources(tmp_path: Path) -> None:
    up("a")
    up("b")
    assert [source.name for source in lab_sources()] == ["lab a", "lab b"]
    assert found("a")["web-1"].pid != found("b")["web-1"].pid
    assert found("b")["web-1"].runtime == "kubehop lab b"
    fine("lab", "down", "--all")


@at_home
def test_a_lab_that_has_gone_and_one_that_hangs(tmp_path: Path) -> None:
    up()
    (source,) = lab_sources()
    _, supervisor = processes()
    os.kill(supervisor, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(SourceError, match="the lab a does not answer"):
        source.sandboxes()
    assert time.monotonic() - begun < 15
    os.kill(supervisor, signal.SIGCONT)
    assert source.sandboxes()
    fine("lab", "down", "--name", "a")
    with pytest.raises(SourceError, match="no lab a"):
        source.sandboxes()


@at_home
def test_without_a_lab_nothing_of_labs_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from kubehop.cli.pod.labs import lab_sources; print(lab_sources());"
        "print([name for name in sys.modules if name.startswith('kubehop.lab')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n[]\n"
    assert not scene.runtime().exists()


@as_everyone
@at_home
def test_labs_are_looked_for_where_they_are(uid: int | None, tmp_path: Path) -> None:
    folders = [None, "/", "relative", "/nowhere", str(scene.runtime().parent)]
    for folder in folders:
        if folder is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = folder
        place = Path(state_place())
        was_there = place.exists()
        assert root() == place
        if not was_there:
            place.rmdir()


@at_home
def test_a_place_that_is_not_ours(tmp_path: Path) -> None:
    scene.runtime().mkdir(mode=0o777)
    scene.runtime().chmod(0o777)
    (source,) = lab_sources()
    with pytest.raises(SourceError, match="not a directory of ours alone"):
        source.sandboxes()
    scene.runtime().rmdir()


@pytest.mark.parametrize("told", [{}, {"name": "a"}, {"name": "a", "pods": [{}]}, {"pods": None}])
def test_a_lab_of_another_version(told: dict[str, object]) -> None:
    with pytest.raises(SourceError, match="another version of kubehop"):
        sandboxes_of(told)
