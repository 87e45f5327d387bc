"""A container's files, of containers that mean no good too: read as they are, or not at all."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubehop.lab.kernel import Base
from kubehop.linux import below, libc
from kubehop.linux.below import open_below, read_regular, walked_below
from kubehop.sandbox import files as files_module
from kubehop.sandbox.files import LIMIT, read_files
from kubehop.sandbox.process import held, is_of
from kubehop.sandbox.values import Container, Files, Sandbox
from tests.lab.inside import as_everyone, in_lab, run_apart
from tests.real.needs import lacks
from tests.sandbox.enter.rooted import rooted

RESOLV_CONF = "search shop.svc.cluster.local\nnameserver 10.43.0.10\noptions ndots:5\n"
HOSTS = "127.0.0.1\tlocalhost\n10.42.0.8\tcart\n"


def container(folder: Path) -> Path:
    """A root directory with the three files."""
    root = folder / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/resolv.conf").write_text(RESOLV_CONF)
    (root / "etc/hosts").write_text(HOSTS)
    (root / "etc/hostname").write_text("by-file\n")
    return root


@as_everyone
@in_lab
def test_all_of_an_app_container(base: Base, uid: int | None) -> None:
    root = container(base.folder)
    with rooted(root, lambda: socket.sethostname("cart-0")) as pid, rooted(base.folder) as pause:
        pod = Sandbox(pid=pause, containers=(Container("a"), Container("b", pid=pid)))
        assert read_files(pod) == Files(RESOLV_CONF, HOSTS, "cart-0")


@as_everyone
@in_lab
def test_the_container_that_is_meant(base: Base, uid: int | None) -> None:
    one, other = container(base.folder / "1"), container(base.folder / "2")
    (other / "etc/hosts").write_text("10.42.0.8 other\n")
    with rooted(one) as first, rooted(other) as second:
        containers = Container("a", pid=first), Container("b", pid=second)
        pod = Sandbox(containers=containers)
        assert read_files(pod).hosts == HOSTS
        assert read_files(pod, None, containers[1]).hosts == "10.42.0.8 other\n"


@as_everyone
@in_lab
def test_files_that_are_not_there(base: Base, uid: int | None) -> None:
    root = container(base.folder)
    for name in ("hosts", "resolv.conf"):
        (root / "etc" / name).unlink()
    with rooted(root) as pid:
        found = read_files(Sandbox(pid=pid))
    assert (found.resolv_conf, found.hosts, found.unknown) == ("", "", ())


def _link(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def _device(path: Path) -> None:
    path.touch()
    libc.mount("/dev/null", str(path), flags=libc.MS_BIND)


HOSTILE: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "absolute": (_link("/etc/passwd"), ""),
    "upward": (_link("../../../../../../../../etc/passwd"), ""),
    "inside": (_link("/elsewhere"), "inside\n"),
    "upward, inside": (_link("../../../../elsewhere"), "inside\n"),
    "itself": (_link("resolv.conf"), ""),
    "of proc": (_link("/proc/self/root/etc/passwd"), ""),
    "a file that is open": (_link("/proc/self/fd/0"), ""),
    "FIFO": (os.mkfifo, None),
    "device": (_device, None),
    "folder": (Path.mkdir, None),
    "socket": (lambda path: socket.socket(socket.AF_UNIX).bind(str(path)), None),
    "no UTF-8": (lambda path: path.write_bytes(b"\xffa\0\n"), "\ufffda\0\n"),
    "huge": (lambda path: path.write_bytes(b"#" * (LIMIT + 9)), "#" * LIMIT),
    "endless": (lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 1 << 40), None),
}


@pytest.mark.parametrize("walked", [False, True], ids=["openat2", "walked"])
@as_everyone
@in_lab
def test_what_was_planted_is_never_followed_out(base: Base, uid: int | None, walked: bool) -> None:
    if walked:
        below._OPENAT2 = 10**6  # no such call
    for number, (what, (plant, expected)) in enumerate(HOSTILE.items()):
        root = container(base.folder / str(number))
        (root / "elsewhere").write_text("inside\n")
        (root / "etc/resolv.conf").unlink()
        plant(root / "etc/resolv.conf")
        with rooted(root) as pid:
            found = read_files(Sandbox(pid=pid))
        if what == "endless":
            assert found.resolv_conf == "\0" * LIMIT
            continue
        assert found.resolv_conf == expected, what
        assert found.hosts == HOSTS
        assert [one.what for one in found.unknown] == (
            ["the container's resolv.conf"] if expected is None else []
        ), what


PATHS = (
    "a/b/c",
    "a/../a/./b//c",
    "up/b/c",
    "abs/b/c",
    "../../a/b/c",
    "/a/b/c",
    "chain/c",
    "a/b/c/d",
    "a/b/c/",
    "a/b/",
    "a/none",
    "loop",
    "a/b/c/..",
    "dangling",
    "a/b/link",
    "",
)


@pytest.mark.parametrize("path", PATHS)
def test_both_ways_of_walking_lead_to_the_same(path: str, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("found")
    for name, target in {
        "up": "../../../../a",
        "abs": "/a",
        "chain": "up/../abs/b",
        "loop": "loop",
        "dangling": "/nowhere",
        "a/b/link": "/a/b/../b/c",
    }.items():
        (tmp_path / name).symlink_to(target)
    root = os.open(tmp_path, os.O_PATH)
    opened = os.listdir("/proc/self/fd")

    def outcome(way: Callable[[int, str], int]) -> object:
        try:
            fd = way(root, path)
        except OSError as error:
            return error.errno
        found = os.fstat(fd)
        os.close(fd)
        return found.st_dev, found.st_ino

    if path:
        assert outcome(open_below) == outcome(walked_below)
    else:  # openat2 refuses it; by hand it is the root itself
        assert outcome(walked_below) == (tmp_path.stat().st_dev, tmp_path.stat().st_ino)
    assert os.listdir("/proc/self/fd") == opened
    if path in PATHS[:7]:
        assert read_regular(root, path, 3) == b"fou"
    os.close(root)


def test_a_process_without_files_of_its_own_has_none() -> None:
    """One that sees what we see is no container: this host's files are not the pod's."""
    found = read_files(Sandbox(pid=os.getpid()))
    assert (found.resolv_conf, found.hosts, found.hostname) == (None, None, None)
    assert len(found.unknown) == 3


def test_a_pid_that_is_another_containers_is_noticed(tmp_path: Path) -> None:
    ours, its = "a" * 64, "b" * 64
    with rooted(container(tmp_path)) as pid, cgroup(its, pid):
        assert is_of(pid, its)
        assert not is_of(pid, ours)
        assert read_files(Sandbox(id=its, pid=pid)).hosts == HOSTS
        found = read_files(Sandbox(id=ours, pid=pid))
    assert found.hosts is None
    assert {one.why for one in found.unknown} == {"its processes have ended"}


@contextmanager
def cgroup(name: str, pid: int) -> Iterator[None]:
    """A process in a cgroup that is named as a container's."""
    folders = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("pids")]
    usable = [one for one in folders if (one / "cgroup.procs").exists() and os.access(one, os.W_OK)]
    if os.geteuid() or not usable:
        lacks("root, and cgroups that can be made", in_ci=False)
    made = usable[-1] / name
    made.mkdir()
    try:
        (made / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        (usable[-1] / "cgroup.procs").write_text(str(pid))
        made.rmdir()


def test_a_process_that_ended_is_noticed() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    with held(child) as process:
        os.waitpid(child, 0)
        assert process.ended()
        assert not process.still()
    found = read_files(Sandbox(pid=child))
    assert found.resolv_conf is None
    assert {one.why for one in found.unknown} == {"its processes have ended"}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have what another may not read")
def test_an_ordinary_user_is_told_what_is_missing(tmp_path: Path) -> None:
    with rooted(container(tmp_path)) as pid:
        found = run_apart(lambda: read_files(Sandbox(pid=pid)), uid=65534)
    assert (found.resolv_conf, found.hosts, found.hostname) == (None, None, None)
    for unknown in found.unknown:
        assert unknown.needs == "root, or CAP_SYS_PTRACE"


def test_what_runtimes_keep_on_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process is left to look through."""
    monkeypatch.setattr(files_module, "_SANDBOXES", (str(tmp_path / "sandboxes"),))
    monkeypatch.setattr(files_module, "_KUBELET", str(tmp_path / "pods"))
    pod = Sandbox(id="a" * 64, uid="0-1")
    (tmp_path / "sandboxes" / pod.id).mkdir(parents=True)
    (tmp_path / "pods/0-1").mkdir(parents=True)
    (tmp_path / "sandboxes" / pod.id / "resolv.conf").write_text(RESOLV_CONF)
    (tmp_path / "sandboxes" / pod.id / "hostname").write_text("cart-0\n")
    (tmp_path / "pods/0-1/etc-hosts").write_text(HOSTS)
    assert read_files(pod) == Files(RESOLV_CONF, HOSTS, "cart-0")
    for odd in (Sandbox(id="../pods/0-1"), Sandbox(id="\0"), Sandbox(uid="../pods/0-1")):
        assert len(read_files(odd).unknown) == 3


def test_ids_are_compared_where_there_are_some() -> None:
    assert is_of(os.getpid(), "")
    assert is_of(os.getpid(), "no id of any runtime")
    assert not is_of(2**22, "a" * 64)
