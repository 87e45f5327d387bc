"""`kubehop pod collect --here`, as a Job runs it, on a host with containerd."""

import json
import sys
from typing import Any

import pytest

from kubehop.remote.manifest import Settings, job
from tests.real.needs import program
from tests.real.runtimes.containerd import Containerd

Lines = list[dict[str, Any]]
_POD = job("node-1", Settings(run="r"))["spec"]["template"]["spec"]
_COMMAND = _POD["containers"][0]["command"]
_CAPABILITIES = _POD["containers"][0]["securityContext"]["capabilities"]["add"]


def collected(containerd: Containerd, *before: str) -> Lines:
    """What the command of the manifest prints, run by `before`."""
    assert _COMMAND[0] == "kubehop"
    done = containerd.host.run(*before, sys.executable, "-m", *_COMMAND)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _as_a_job(*capabilities: str) -> tuple[str, ...]:
    """Root with these capabilities alone, in every set and in the bound, and no CRI socket."""
    wanted = ",".join(("-all", *(f"+{name.lower()}" for name in capabilities)))
    hidden = 'mount -t tmpfs none /run/containerd && exec "$@"'
    return (
        *(program("unshare", "util-linux"), "--mount", "sh", "-c", hidden, "sh"),
        program("setpriv", "util-linux"),
        *(f"--{kind}={wanted}" for kind in ("inh-caps", "ambient-caps", "bounding-set")),
    )


def seen(lines: Lines) -> dict[str, dict[str, Any]]:
    return {each["sandbox"]["id"]: each for each in lines if each["kind"] == "PodNetwork"}


def interfaces(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Without what runs out meanwhile; addresses that are new are checked for a second or two."""
    found: list[dict[str, Any]] = answer["network"]["interfaces"]
    for address in (address for one in found for address in one["addresses"]):
        address["validSeconds"] = address["preferredSeconds"] = None
        address["flags"] = [flag for flag in address["flags"] if flag != "tentative"]
    return found


def test_a_line_for_every_pod(containerd: Containerd) -> None:
    *pods, end = collected(containerd)
    assert (end["kind"], end["node"], end["pods"]) == ("NodeCollected", "node-1", len(pods))
    by_sandbox = seen(pods)
    for pod in containerd.pods.values():
        one = by_sandbox[pod.sandbox]
        assert (one["node"], one["sandbox"]["name"]) == ("node-1", pod.name)
        words = ("pod", "ip", f"{pod.namespace}/{pod.name}", "-o", "json")
        alone = json.loads(containerd.host.kubehop(*words).stdout)
        assert interfaces(one) == interfaces(alone)
        assert one["files"] == alone["files"]


def test_the_jobs_capabilities_are_enough(containerd: Containerd) -> None:
    """All that root sees of namespaces, by what the manifest adds after dropping ALL."""
    whole = seen(collected(containerd))
    less = seen(collected(containerd, *_as_a_job(*_CAPABILITIES)))
    for pod in containerd.pods.values():
        one, other = whole[pod.sandbox], less[pod.sandbox]
        assert [each["name"] for each in other["network"]["interfaces"]]
        assert other["network"]["how"] == one["network"]["how"]
        assert interfaces(other) == interfaces(one)
        assert other["files"] == one["files"]


@pytest.mark.parametrize("lacking", _CAPABILITIES)
def test_and_none_is_too_many(containerd: Containerd, lacking: str) -> None:
    """Without either a network is no more seen from inside."""
    others = [name for name in _CAPABILITIES if name != lacking]
    whole = seen(collected(containerd))
    less = seen(collected(containerd, *_as_a_job(*others)))
    apart = [pod for pod in containerd.pods.values() if not pod.wanted.host_network]
    assert apart
    assert [
        pod.name
        for pod in apart
        if less[pod.sandbox]["network"]["how"] != whole[pod.sandbox]["network"]["how"]
    ]
