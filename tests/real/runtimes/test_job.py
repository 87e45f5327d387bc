"""A Job's pod as containerd and runc make it from the manifest: capabilities, seccomp, mounts."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import kubehop
from kubehop.remote.manifest import Settings, job
from tests.real.needs import lacks
from tests.real.runtimes.containerd import TOOLS, Containerd
from tests.real.runtimes.jobs import Ended, run_job
from tests.real.runtimes.programs import Programs
from tests.real.runtimes.test_collect import Lines, collected, interfaces, seen

_SOCKET = "/run/containerd/containerd.sock"
_SYSTEM = ("/usr", "/lib", "/lib64")
"""Programs and libraries of this machine, in place of the image's."""


def _run(containerd: Containerd, manifest: dict[str, Any]) -> Ended:
    """With this kubehop and its Python instead of an image that has them."""
    if not Programs.wanted().filters_system_calls():
        lacks("runc with libseccomp")
    source = str(Path(kubehop.__file__).parents[1])
    mounts = dict.fromkeys((*_SYSTEM, sys.prefix, sys.base_prefix, source))
    environ = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "PYTHONPATH": source, "LC_ALL": "C.UTF-8"}
    apart = [one for one in mounts if not _within(one, mounts)]
    return run_job(containerd, manifest, TOOLS, list(filter(os.path.isdir, apart)), environ)


def _within(path: str, others: dict[str, None]) -> bool:
    return any(path != one and path.startswith(f"{one}/") for one in others)


@pytest.fixture(scope="module", params=["", _SOCKET], ids=["/proc alone", "CRI"])
def ended(containerd: Containerd, request: pytest.FixtureRequest) -> Ended:
    return _run(containerd, job("node-1", Settings(run="r", cri_socket=request.param)))


def _lines(ended: Ended) -> Lines:
    assert (ended.code, ended.stderr) == (0, "")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_it_sees_what_the_host_sees(containerd: Containerd, ended: Ended) -> None:
    whole, less = seen(collected(containerd)), seen(_lines(ended))
    for pod in containerd.pods.values():
        one, other = whole[pod.sandbox], less[pod.sandbox]
        name = (other["sandbox"]["name"], other["sandbox"]["namespace"], other["node"])
        assert name == (pod.name, pod.namespace, "node-1")
        assert other["network"]["how"] == one["network"]["how"]
        assert interfaces(other) == interfaces(one)
        assert other["files"] == one["files"]


def test_it_says_whom_it_asked(ended: Ended, request: pytest.FixtureRequest) -> None:
    *pods, end = _lines(ended)
    assert (end["kind"], end["node"], end["pods"]) == ("NodeCollected", "node-1", len(pods))
    asked = {one["source"] for one in end["sources"] if one["found"]}
    runtime = {f"CRI at {_SOCKET}"} if "CRI" in request.node.name else set()
    assert asked == {"/proc"} | runtime


def test_its_root_cannot_be_written(containerd: Containerd) -> None:
    """That the manifest's limits are in force here, so that the tests above mean something."""
    manifest = job("node-1", Settings(run="r"))
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    said = "grep -E '^(CapEff|Seccomp):' /proc/self/status; touch /here"
    container["command"] = ["sh", "-c", said]
    ended = _run(containerd, manifest)
    admin, ptrace = 1 << 21, 1 << 19
    assert ended.stdout.split() == ["CapEff:", f"{admin | ptrace:016x}", "Seccomp:", "2"]
    assert "Read-only file system" in ended.stderr
