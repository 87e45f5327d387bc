"""One look at /proc: of this machine, and of trees that hold what is rarely met."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubehop.sandbox.proc.scan import Process, Processes
from kubehop.sandbox.proc.source import Proc
from kubehop.sandbox.values import SourceError
from tests.lab.inside import run_apart
from tests.real.needs import lacks, program
from tests.sandbox.proc.tree import Tree

ID, GROUP = "a" * 64, f"/kubepods/pod8c2d1f0e-1b2a-4c3d-9e8f-001122334455/{'a' * 64}"
NOBODY = 65534


@pytest.fixture
def sleeper() -> Iterator[int]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process.pid
        process.kill()


def test_this_process() -> None:
    found = Processes.scan().process(os.getpid())
    assert found
    assert (found.pid, found.parent, found.host) == (os.getpid(), os.getppid(), True)
    assert found.inode == os.stat("/proc/self/ns/net").st_ino
    assert found.comm == Path("/proc/self/comm").read_text().rstrip("\n")
    ticks = time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")
    assert 0 < found.start_time < ticks


def test_a_process_that_ended_is_none(sleeper: int) -> None:
    processes = Processes.scan()
    found = processes.process(sleeper)
    assert found
    assert processes.is_alive(found)
    os.kill(sleeper, signal.SIGKILL)
    os.waitid(os.P_PID, sleeper, os.WEXITED | os.WNOWAIT)
    assert not processes.is_alive(found)  # not waited for: there still is a folder for it
    assert processes.process(sleeper) is None


@pytest.mark.parametrize("pid", [0, -1, 1 << 40])
def test_no_pid_is_no_process(pid: int) -> None:
    assert Processes.scan().process(pid) is None


def _with_its_pid_again() -> tuple[bool, bool, bool, bool]:
    """A child ends, and the next one gets its PID: in a PID namespace that is ours."""

    def child() -> int:
        pid = os.fork()
        if not pid:
            signal.pause()
            os._exit(0)
        return pid

    first = child()
    processes = Processes.scan()
    known = processes.process(first)
    folder = os.open(f"/proc/{first}", os.O_RDONLY | os.O_DIRECTORY)
    time.sleep(2 / os.sysconf("SC_CLK_TCK"))  # start times are in ticks
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    Path("/proc/sys/kernel/ns_last_pid").write_text(str(first - 1))
    again = child()
    try:
        os.open("stat", os.O_RDONLY, dir_fd=folder)
        is_another_s = True
    except ProcessLookupError:
        is_another_s = False
    now = Processes.scan().process(first)
    os.kill(again, signal.SIGKILL)
    assert known
    return again == first, is_another_s, processes.is_alive(known), now == known


def test_a_pid_that_is_used_again_is_noticed() -> None:
    if os.geteuid():
        lacks("root")
    command = [program("unshare", "util-linux"), "--pid", "--fork", "--mount-proc", sys.executable]
    code = f"from {__name__} import _with_its_pid_again as f; print(f())"
    done = subprocess.run([*command, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(True, False, False, False)\n"


def test_a_process_of_another_network_is_not_the_host_s() -> None:
    command = [program("unshare", "util-linux"), "--net"] + ["--user"] * bool(os.geteuid())
    with subprocess.Popen([*command, "sh", "-c", "echo; exec sleep 100"], stdout=-1) as started:
        assert started.stdout
        assert started.stdout.read(1)
        inode = os.stat(f"/proc/{started.pid}/ns/net").st_ino
        found = Processes.scan().process(started.pid)
        assert found
        assert (found.inode, found.host) == (inode, False)
        if not os.geteuid():
            theirs, own = run_apart(lambda: _as_nobody(started.pid), NOBODY)
            assert (theirs.inode, theirs.host, own.host) == (None, False, True)
            assert theirs.network not in (None, own.network)
        started.kill()


def _as_nobody(pid: int) -> tuple[Process, Process]:
    """Another user's process, and our parent, which is another user's in our network."""
    processes = Processes.scan()
    theirs, own = processes.process(pid), processes.process(os.getppid())
    assert theirs
    assert own
    return theirs, own


def test_what_is_in_no_container_is_left_out(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.process(2, "kthreadd", "/", 0, flags=0x208040)
    tree.process(3, "pause", "/", 2, flags=0x208040)
    tree.process(10, "sshd", "/system.slice/ssh.service")
    tree.process(11, "containerd-shim", "/system.slice/containerd.service")
    tree.process(12, "app", GROUP)
    tree.process(13, "app", GROUP, state="Z")
    processes = tree.processes()
    assert [each.pid for each in processes.all] == [11, 12]
    assert processes.process(3) is None
    ssh = processes.process(10)
    assert ssh
    assert (ssh.comm, ssh.container_id, ssh.host) == ("sshd", "", True)


@pytest.mark.parametrize("comm", ["a) S 1 1", "(((", ")", "", "a b\tc", "\\n", "S 1 (x) R 2"])
def test_a_name_may_be_anything(tmp_path: Path, comm: str) -> None:
    tree = Tree(tmp_path)
    tree.process(12, comm, GROUP, 7)
    (found,) = tree.processes().all
    assert (found.comm, found.parent, found.start_time) == (comm, 7, 12)


STAT = b"12 (app) S 7 12 12 0 -1 4194304 0 0 0 0 0 0 0 0 0 0 0 0 12 0 0\n"


@pytest.mark.parametrize(
    "content",
    [b"", b"12", b"12 (app", b"12 (app) S", b"12 (app) S x" + b" 1" * 30, STAT[:40], b"\0" * 4096,
     b")" * 100_000, b"12 (app) S " + b"9" * 10_000],
)  # fmt: skip
def test_a_stat_that_is_none_is_no_process(tmp_path: Path, content: bytes) -> None:
    tree = Tree(tmp_path)
    tree.process(12, "app", GROUP)
    (tmp_path / "proc/12/stat").write_bytes(content)
    assert tree.processes().all == ()
    (tmp_path / "proc/12/stat").write_bytes(STAT)
    assert [each.pid for each in tree.processes().all] == [12]


@pytest.mark.parametrize("link", ["net:[]", "mnt:[1]", "net:[x]", "/etc", "net:[" + "9" * 99 + "]"])
def test_a_link_that_is_no_namespace_s(tmp_path: Path, link: str) -> None:
    tree = Tree(tmp_path)
    tree.process(12, "app", GROUP)
    path = tmp_path / "proc/12/ns/net"
    path.unlink()
    path.symlink_to(link)
    (found,) = tree.processes().all
    assert (found.inode, found.host) == (None, True)


@pytest.mark.parametrize("name", ["12x", "-1", "²", "१", "self", "1" * 30])
def test_folders_that_are_no_process(tmp_path: Path, name: str) -> None:
    (tmp_path / "proc" / name).mkdir(parents=True)
    assert Processes.scan(str(tmp_path / "proc")).all == ()


def test_files_that_are_missing_or_folders(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    for pid, name in enumerate(("stat", "cgroup", "comm", "ns/net", "cmdline", "net"), 20):
        tree.process(pid, "pause", GROUP)
        path = tmp_path / f"proc/{pid}" / name
        path.unlink()
        path.mkdir()
    assert {each.pid for each in tree.processes().all} <= set(range(20, 26))
    assert isinstance(tree.sandboxes(), tuple)


def test_a_hidden_proc_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mounts").write_text("proc /proc proc rw,gid=4,hidepid=invisible 0 0\n")
    proc = Proc(str(tmp_path))
    assert "hidepid=invisible" in proc.incomplete
    with pytest.raises(SourceError, match="hidepid=invisible") as raised:
        proc.sandboxes()
    assert "root" in raised.value.needs


def _hidden() -> tuple[str, str]:
    proc = Proc()
    try:
        return proc.incomplete, repr(proc.sandboxes())
    except SourceError as error:
        return proc.incomplete, error.why


def test_a_proc_that_is_mounted_with_hidepid() -> None:
    if os.geteuid():
        lacks("root")

    def hide() -> None:
        unshare_mounts()
        subprocess.run(["mount", "-t", "proc", "-o", "hidepid=2", "p", "/proc"], check=True)

    incomplete, why = run_apart(_hidden, NOBODY, hide)
    assert "hidepid=" in incomplete
    assert why == incomplete


def unshare_mounts() -> None:
    from kubehop.linux import libc

    libc.unshare(libc.NEWNS)
    libc.mount("", "/", "", libc.MS_REC | libc.MS_PRIVATE)


def test_no_proc_is_a_source_that_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="/proc"):
        Proc(str(tmp_path)).sandboxes()


def test_a_pid_namespace_of_its_own_is_said_to_be(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    (tmp_path / "proc/self/ns/pid").symlink_to("pid:[4026532000]")
    with pytest.raises(SourceError, match="one PID namespace"):
        tree.sandboxes()
    tree.process(12, "app", GROUP)
    assert len(tree.sandboxes()) == 1
