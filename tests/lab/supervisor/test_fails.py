"""Where the machine forbids a lab, or the kernel refuses a step: one line, and nothing stays."""

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kubehop.lab.kernel.nft import library
from kubehop.linux import libc
from tests.lab.inside import NOBODY, as_everyone
from tests.lab.supervisor.scene import at_home, fine, kubehop, refused, status, up

as_user = pytest.mark.parametrize("uid", [NOBODY if os.geteuid() == 0 else None])
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to change the machine")


def forbidding(setting: str) -> None:
    """A user namespace of our own in which the machine's setting is 0."""
    user, group = os.geteuid(), os.getegid()
    libc.unshare(libc.NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):
        Path("/proc/self", name).write_text(text)
    Path("/proc/sys/user", setting).write_text("0")


def without_capabilities() -> None:
    """capset(2): none, as a user has."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    assert ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()) == 0


@pytest.mark.parametrize("kind", ["net", "mnt", "pid", "ipc", "uts"])
@as_user
@at_home
def test_the_machine_allows_none_of_a_kind(kind: str, uid: int | None, tmp_path: Path) -> None:
    forbidding(f"max_{kind}_namespaces")
    said = refused("lab", "up", "--name", "a")
    assert f"user.max_{kind}_namespaces is 0" in said
    assert f"sudo sysctl -w user.max_{kind}_namespaces=" in said


@as_user
@at_home
def test_the_machine_allows_no_user_namespaces(uid: int | None, tmp_path: Path) -> None:
    forbidding("max_user_namespaces")
    without_capabilities()
    said = refused("lab", "up", "--name", "a")
    assert "user.max_user_namespaces is 0" in said
    assert "sudo sysctl -w user.max_user_namespaces=" in said


@needs_root
@at_home
def test_there_is_no_nftables_library(tmp_path: Path) -> None:
    library()
    maps = Path("/proc/self/maps").read_text().splitlines()
    path = next(line.split()[-1] for line in maps if "libnftables.so" in line)
    libc.mount(os.devnull, path, flags=libc.MS_BIND)
    done = anew("lab", "up", "--name", "a")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    assert "libnftables.so.1" in done.stderr
    assert "sudo apt-get install libnftables1" in done.stderr
    done = anew("lab", "plan")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ip -n node/node-0 " in done.stdout or "ip -n node-0 " in done.stdout
    libc.unmount(path)


def anew(*words: str) -> "subprocess.CompletedProcess[str]":
    """A command in a Python of its own that has loaded nothing yet."""
    command = (sys.executable, "-m", "kubehop", *words)
    return subprocess.run(command, capture_output=True, text=True, check=False)


@as_user
@at_home
def test_a_plan_needs_no_rights(uid: int | None, tmp_path: Path) -> None:
    forbidding("max_net_namespaces")
    assert "ip " in fine("lab", "plan")


@as_everyone
@at_home
def test_too_few_open_files(uid: int | None, tmp_path: Path) -> None:
    for most in (300, 210, 100, 40, 20):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        said = kubehop("lab", "up", "--name", "a", "--nodes", "30")
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said
        assert "Traceback" not in said.err


@needs_root
@pytest.mark.parametrize("uid", [NOBODY - 1000])
@at_home
def test_too_few_processes(uid: int, tmp_path: Path) -> None:
    """From none more, so that not even the janitor can be, to some but not enough.

    As somebody who has no other processes: the kernel counts all of a user.
    """
    ours = sum(1 for path in Path("/proc").glob("[0-9]*") if owner(path) == uid)
    for more in (1, 2, 3, 5, 12):
        with_limit = resource.getrlimit(resource.RLIMIT_NPROC)
        resource.setrlimit(resource.RLIMIT_NPROC, (ours + more, with_limit[1]))
        said = kubehop("lab", "up", "--name", "a", "--nodes", "20")
        resource.setrlimit(resource.RLIMIT_NPROC, with_limit)
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), (more, said)
        assert "Traceback" not in said.err


def owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


@as_everyone
@at_home
def test_a_change_that_fails_half_way(uid: int | None, tmp_path: Path) -> None:
    """Somebody took away what the change is made upon: said, and no more is built on sand."""
    up()
    fine(*("lab", "exec", "--name", "a", "node/node-0", "--"), "nft", "delete table ip kubehop")
    changes: tuple[Callable[[], str], ...] = (
        lambda: refused("lab", "scale", "deploy/web", "--replicas", "1", "--name", "a"),
        lambda: refused("lab", "fault", "add", "rules-gone", "--node", "node-0", "--name", "a"),
        lambda: refused("lab", "trace", "pod/client", "svc/web:80", "--name", "a"),
    )
    first = changes[0]()
    assert first.startswith("node/node-0: ")
    for change in changes:
        said = change()
        assert said.startswith("the lab is broken, a change failed half-way (")
        assert "`kubehop lab down`, then up again" in said
    found = status()
    assert found["problems"][0] == said
    assert len([pod for pod in found["pods"] if pod["name"].startswith("web")]) == 2
    assert "the lab is broken" in " ".join(fine("lab", "status", "--name", "a").split())
    assert fine("lab", "exec", "--name", "a", "client", "--", "hostname") == "client\n"
    fine("lab", "down", "--name", "a")


@at_home
def test_what_is_refused_before_any_step_breaks_nothing(tmp_path: Path) -> None:
    up()
    said = refused("lab", "scale", "deploy/web", "--replicas", "1000000", "--name", "a")
    assert "has room for" in said
    fine("lab", "scale", "deploy/web", "--replicas", "3", "--name", "a")
    fine("lab", "down", "--name", "a")
