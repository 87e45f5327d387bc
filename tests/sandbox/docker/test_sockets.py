"""Where a daemon is looked for."""

import os
import socket
from pathlib import Path

import pytest

from kubehop.sandbox.docker.source import docker_sources


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def listening(path: Path) -> Path:
    """A socket's file; that nobody listens there is no matter here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    return path


def found(root: Path | str = "/") -> list[str]:
    return [source.socket for source in docker_sources(str(root))]


def test_below_a_root_each_once(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    here = listening(tmp_path / "run" / "docker.sock")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "run").symlink_to("../run")
    assert found(tmp_path) == [str(here)]


def test_both_places(tmp_path: Path) -> None:
    places = [listening(tmp_path / where / "docker.sock") for where in ("run", "var/run")]
    assert found(tmp_path) == [str(place) for place in places]


def test_what_is_no_socket_is_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "docker.sock").write_text("")
    assert found(tmp_path) == []


def test_a_link_does_not_lead_out_of_the_root(tmp_path: Path) -> None:
    listening(tmp_path / "ours" / "docker.sock")
    root = tmp_path / "host"
    (root / "var").mkdir(parents=True)
    (root / "var" / "run").symlink_to(tmp_path / "ours")
    assert found(root) == []


def test_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{listening(here / 'x.sock')}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(there))
    listening(there / "docker.sock")
    assert found()[0] == str(here / "x.sock")
    assert found()[-1] == str(there / "docker.sock")
    assert found(tmp_path) == []


def test_the_named_socket_comes_first_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = listening(tmp_path / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert found().count(str(path)) == 1


def test_a_named_socket_that_is_not_there_is_asked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert found()[0] == f"{tmp_path}/none.sock"


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2375", "ssh://host", "unix://", "unix://a", "a"])
def test_another_machines_daemon_is_not_asked(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    assert all(os.path.isabs(path) and path.endswith("run/docker.sock") for path in found())
