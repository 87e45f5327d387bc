"""Proc as a source: of this machine's own groups and runtimes, and of trees full of nonsense."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.proc.source import Proc
from kubehop.sandbox.source import Source
from kubehop.sandbox.values import Sandbox
from tests.lab.inside import run_apart
from tests.real.needs import lacks, program
from tests.real.runtimes.docker import Docker
from tests.real.runtimes.host import NOBODY
from tests.sandbox.proc.tree import Tree

UID = "8c2d1f0e-1b2a-4c3d-9e8f-{:012x}"
EVERYONE = pytest.mark.parametrize("uid", [None, NOBODY])


def look() -> tuple[Sandbox, ...]:
    source: Source = Proc()
    return source.detailed(source.sandboxes())


def looked(uid: int | None) -> tuple[Sandbox, ...]:
    return look() if uid is None else run_apart(look, uid)


@dataclass(frozen=True, slots=True)
class Made:
    """A pod of two processes in real groups and one real network namespace."""

    uid: str
    sandbox: str
    app: str
    pause: int
    program: int


def _groups() -> Path:
    """Where groups can be made: cgroup v2, or a hierarchy of v1."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        fits = kind == "cgroup2" or (kind == "cgroup" and "pids" in options.split(","))
        if fits and os.access(where, os.W_OK):
            return Path(where)
    return lacks("cgroups that root may make", in_ci=False)


@contextmanager
def _grouped(path: Path, pid: int) -> Iterator[None]:
    """`pid` in a group of its own, until it ends: killed by the end of the block."""
    path.mkdir(parents=True)
    try:
        (path / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        _removed(path)


def _removed(path: Path) -> None:
    """A group can be removed a moment after its last process ended."""
    for _ in range(100):
        try:
            path.rmdir()
            return
        except OSError:
            time.sleep(0.02)


@contextmanager
def pods(folder: Path, count: int) -> Iterator[list[Made]]:
    """With groups as the kubelet's driver cgroupfs makes them, below one of our own."""
    if os.geteuid():
        lacks("root")
    pause = folder / "pause"
    pause.symlink_to(program("sleep", "coreutils"))
    top = _groups() / f"kubehop-test-{os.getpid()}"
    made = []
    with ExitStack() as stack:
        stack.callback(_removed, top)
        for at in range(count):
            uid = UID.format(at)
            ids = f"{at:064x}", f"{at + 0xA0000:064x}"
            group = top / f"kubepods/pod{uid}"
            for parent in (group.parent, group):
                if not parent.exists():
                    parent.mkdir(parents=True)
                    stack.callback(_removed, parent)
            unshare = [program("unshare", "util-linux"), "--net", "sh", "-c"]
            up = f"ip link set lo up; ip addr add 10.77.{at}.1/32 dev lo; echo; exec {pause} 1000"
            first = subprocess.Popen([*unshare, up], stdout=subprocess.PIPE)
            assert first.stdout
            assert first.stdout.read(1)
            first.stdout.close()
            enter = ["nsenter", f"--net=/proc/{first.pid}/ns/net", "sleep", "1000"]
            second = subprocess.Popen(enter)
            for process, id in zip((first, second), ids, strict=True):
                stack.enter_context(_grouped(group / id, process.pid))
                process.returncode = 0  # waited for there
            made.append(Made(uid, *ids, first.pid, second.pid))
        yield made


@EVERYONE
def test_pods_in_groups_of_this_machine(uid: int | None, tmp_path: Path) -> None:
    with pods(tmp_path, 3) as made:
        found = {each.uid: each for each in looked(uid)}
        for pod in made:
            inode = os.stat(f"/proc/{pod.pause}/ns/net").st_ino
            one = found[pod.uid]
            assert (one.id, one.pid, one.host_network) == (pod.sandbox, pod.pause, False)
            assert [(each.id, each.pid) for each in one.containers] == [(pod.app, pod.program)]
            assert one.addresses == (f"10.77.{made.index(pod)}.1",)
            assert one.inode == (inode if uid is None else None)
            assert abs(one.created / 1e9 - time.time()) < 60


def test_a_pod_that_ends_meanwhile_is_as_it_was(tmp_path: Path) -> None:
    with pods(tmp_path, 1) as made:
        source = Proc()
        known = tuple(each for each in source.sandboxes() if each.uid == made[0].uid)
        (one,) = source.detailed(known)
        assert one.addresses
    (gone,) = source.detailed(known)
    assert (gone.uid, gone.addresses) == (made[0].uid, ())
    assert "addresses" in {each.what for each in gone.unknown}


@EVERYONE
def test_pods_of_docker(uid: int | None, docker: Docker) -> None:
    found = {each.id: each for each in docker.host.call(look, uid)}
    for pod in docker.pods.values():
        one = found[pod.sandbox]
        assert (one.uid, one.pid) == (pod.uid, pod.pid)
        assert one.host_network == pod.wanted.host_network
        pids = {each.id: each.pid for each in one.containers}
        assert pids == {each.id: each.pid for each in pod.containers if each.pid}
        assert set(pod.addresses) <= set(one.addresses) or pod.wanted.host_network
    plain = found[docker.plain.id]
    assert (plain.pid, plain.uid) == (docker.plain.pid, "")


NAMES = st.sampled_from(["stat", "cgroup", "comm", "cmdline", "net/dev", "net/fib_trie"])


@given(st.lists(st.tuples(st.integers(0, 3), NAMES, st.binary(max_size=200)), max_size=8))
def test_files_full_of_nonsense_never_raise(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str, bytes]]
) -> None:
    tree = Tree(tmp_path_factory.mktemp("tree"))
    for at, comm in enumerate(("containerd-shim", "pause", "app", "conmon")):
        net = tree.net(70 + at, "10.0.0.1")
        tree.process(50 + at, comm, f"/kubepods/pod{UID.format(7)}/{at:064x}", 50, 70 + at, ["x"])
        assert net
    for at, name, content in changes:
        (tree.root / f"proc/{50 + at}" / name).write_bytes(content)
    for one in tree.sandboxes():
        assert one.uid in ("", UID.format(7)) or len(one.uid) in (32, 36)
