"""`kubehop pod ip` on a host where no source knows any pod: where was looked, what to do."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kubehop.cli.pod.nowhere import nowhere
from kubehop.lab.kernel import Base
from kubehop.linux import libc
from kubehop.sandbox.values import NONE_THERE, Tried
from tests.lab.inside import NOBODY, as_everyone, become, in_lab

SECONDS = 60
_CRI = "/run/containerd/containerd.sock"


def _bare() -> dict[str, str]:
    """A host without sockets; of its processes only ours are seen. Returns the environment."""
    libc.mount("tmpfs", "/run", "tmpfs", options="mode=755")
    unset = ("DOCKER_HOST", "XDG_RUNTIME_DIR", "CONTAINER_RUNTIME_ENDPOINT", "CONTEXT")
    return {name: value for name, value in os.environ.items() if name not in unset} | {
        "XDG_RUNTIME_DIR": "/run"
    }


def _said(environ: dict[str, str], *words: str, before: Sequence[str] = ()) -> str:
    command = (*before, sys.executable, "-m", "kubehop", "pod", *words)
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_sources_that_answered_with_nothing() -> None:
    tried = (Tried("lab", None, NONE_THERE), Tried("CRI at /a.sock", 0), Tried("/proc", 0))
    said = nowhere(tried, None)
    assert "; looked in CRI at /a.sock, /proc: nothing there; not there: a lab" in said
    assert said.endswith("; run it on the pod's node, or from elsewhere kubehop pod ip NAME"
                         " --context CONTEXT")  # fmt: skip


@as_everyone
@in_lab
def test_where_was_looked_and_what_to_do(base: Base, uid: int | None) -> None:
    environ = _bare()
    for words in (("ip", "nosuch"), ("exec", "nosuch", "true"), ("connect", "nosuch", "[::1]:1")):
        said = _said(environ, *words)
        assert said.startswith("error: no pod of this host is or has 'nosuch'; ")
        assert "; no pod at all is known here; " in said
        assert "not asked: /proc: " in said  # it shows one PID namespace only
        for place in (_CRI, "/etc/crictl.yaml", "/run/docker.sock", "a lab of this user"):
            assert place in said
        assert "run it on the pod's node, or from elsewhere kubehop pod ip NAME --context" in said


@as_everyone
@in_lab
def test_of_one_source_alone(base: Base, uid: int | None) -> None:
    environ = _bare()
    for source, place in (
        ("cri", _CRI),
        ("docker", "/run/docker.sock"),
        ("lab", "a lab of this user (/run/kubehop)"),
        ("lab:mine", "lab mine of this user (/run/kubehop)"),
    ):
        said = _said(environ, "ip", "nosuch", "--source", source)
        assert place in said
        assert said.count("not there") == 1
        assert said.endswith("; without --source every source is asked\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become an ordinary user")
@in_lab
def test_a_socket_that_may_not_be_asked(base: Base) -> None:
    environ = _bare()
    Path(_CRI).parent.mkdir()
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(_CRI)
        os.chmod(_CRI, 0o600)
        become(NOBODY)
        for words in ((), ("--source", "cri")):
            said = _said(environ, "ip", "nosuch", *words)
            assert f"not asked: CRI at {_CRI}: permission denied (needs root)" in said
            assert said.endswith("; run it as root, on the pod's node\n")
