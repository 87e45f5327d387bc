"""What containerds have really answered, told as what the kubelet had made there."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kubehop.sandbox.cri import messages as cri
from kubehop.sandbox.cri.protobuf import decode
from kubehop.sandbox.cri.source import CRI
from kubehop.sandbox.values import Sandbox
from tests.real.runtimes.wire import Map, encoded
from tests.sandbox.cri.recorded import RECORDINGS
from tests.sandbox.cri.server import Reply, serving

Recording = Mapping[str, Any]


class Recorded:
    """Answers of version v1 alone."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def __call__(self, path: str, message: bytes) -> Reply:
        service, _, method = path.removeprefix("/").partition("/")
        if service != "runtime.v1.RuntimeService":
            return Reply(None, 12, f"unknown service {service}")
        if method != "PodSandboxStatus":
            return Reply(b64decode(self.recording[method]))
        found = self.recording[method][decode(cri.STATUS_REQUEST, message).id]
        info = {key: json.dumps(value) for key, value in found["info"].items()}
        return Reply(encoded({1: b64decode(found["status"]), 2: Map(info)}))


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return RECORDINGS[request.param]


@pytest.fixture
def told(recording: Recording, tmp_path: Path) -> Iterator[dict[str, Sandbox]]:
    with (
        serving(tmp_path / "s", Recorded(recording)),
        closing(CRI(str(tmp_path / "s"))) as source,
    ):
        yield {each.id: each for each in source.detailed(source.sandboxes())}


def test_every_pod_is_told_as_it_was_made(recording: Recording, told: dict[str, Sandbox]) -> None:
    made = recording["made"]
    assert set(told) == {id for one in made.values() for id in (one["sandbox"], *one["older"])}
    for what, one in made.items():
        sandbox = told[one["sandbox"]]
        names = ("namespace", "name", "uid", "attempt", "ready", "pid", "static")
        assert {name: getattr(sandbox, name) for name in names} == {
            name: one[name] for name in names
        }, what
        assert sandbox.host_network is one["hostNetwork"]
        assert sandbox.addresses == tuple(one["addresses"])
        assert {each.id: [each.name, each.running] for each in sandbox.containers} == one[
            "containers"
        ]
        assert (sandbox.handler, sandbox.unknown) == ("runc", ())


def test_the_network_namespace(recording: Recording, told: dict[str, Sandbox]) -> None:
    """Where CNI was told to work; also of a pod whose pause process is gone."""
    for one in recording["made"].values():
        status = recording["PodSandboxStatus"][one["sandbox"]]
        network = status["info"]["info"]["cniResult"]
        path = network["Interfaces"]["eth0"]["Sandbox"] if network else ""
        assert told[one["sandbox"]].netns_path == path
        assert bool(path) != one["hostNetwork"]


def test_a_sandbox_that_was_stopped(recording: Recording, told: dict[str, Sandbox]) -> None:
    made = recording["made"]["restarted"]
    (older,) = (told[id] for id in made["older"])
    assert (older.uid, older.attempt, older.ready, older.pid) == (made["uid"], 0, False, None)
    assert (older.netns_path, older.addresses) == ("", ())
    assert [each.what for each in older.unknown] == ["netns_path"]
    assert [each.running for each in older.containers] == [False]


def test_the_version(told: dict[str, Sandbox], request: pytest.FixtureRequest) -> None:
    (runtime,) = {each.runtime for each in told.values()}
    name, _, version = request.node.callspec.params["recording"].partition("-")
    assert runtime.startswith((f"{name} {version}", f"{name} v{version}"))


def test_a_user_namespace_was_recorded() -> None:
    recording = RECORDINGS["containerd-2.4.2"]
    id = recording["made"]["user namespace"]["sandbox"]
    linux = recording["PodSandboxStatus"][id]["info"]["info"]["runtimeSpec"]["linux"]
    assert "user" in [each["type"] for each in linux["namespaces"]]
