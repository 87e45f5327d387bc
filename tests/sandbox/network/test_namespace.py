"""A network namespace is opened through what a sandbox has, and never another one's."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubehop.lab.kernel import Base
from kubehop.linux import libc
from kubehop.render.pod_network import address_lines
from kubehop.sandbox.inside import sockets_inside
from kubehop.sandbox.namespace import (
    GoneError,
    Namespace,
    NotAllowedError,
    inside,
    open_namespace,
    own_namespace,
)
from kubehop.sandbox.network import read_network
from kubehop.sandbox.values import Container, Sandbox
from tests.lab.inside import NOBODY, as_everyone, in_lab, run_apart
from tests.real.needs import lacks, program
from tests.sandbox.network.making import pod, process, same, text

_ID, _OTHER = "a" * 64, "b" * 64


@in_lab
@as_everyone
def test_through_a_process(base: Base, uid: int | None) -> None:
    with pod() as made:
        found = open_namespace(Sandbox(id=_ID, pid=made.pid, inode=made.namespace.inode))
        assert found.inode == os.stat(f"/proc/{made.pid}/ns/net").st_ino
        assert (found.pid, found.user_fd) == (made.pid, None)
        found.close()


@in_lab
@as_everyone
def test_through_a_container_where_there_is_no_pause_process(base: Base, uid: int | None) -> None:
    with pod() as made:
        gone = Container("c" * 64, pid=_ended())
        alive = Container(_OTHER, pid=made.pid)
        found = open_namespace(Sandbox(id=_ID, pid=_ended(), containers=(gone, alive)))
        assert (found.inode, found.pid) == (made.namespace.inode, made.pid)
        found.close()


@in_lab
@as_everyone
def test_through_its_path(base: Base, uid: int | None) -> None:
    with pod() as made:
        path = base.folder / "cni-1"
        path.touch()
        libc.mount(f"/proc/{made.pid}/ns/net", str(path), flags=libc.MS_BIND)
        found = open_namespace(Sandbox(netns_path=str(path), inode=made.namespace.inode))
        assert (found.inode, found.pid) == (made.namespace.inode, None)
        found.close()


@in_lab
@as_everyone
def test_through_its_path_in_the_mounts_of_the_runtime(base: Base, uid: int | None) -> None:
    with pod() as made, process("--mount") as runtime:
        script = f"mount -t tmpfs x /mnt && touch /mnt/n && mount -B /proc/{made.pid}/ns/net /mnt/n"
        nsenter = [program("nsenter", "util-linux"), "--mount", "--target", str(runtime)]
        subprocess.run([*nsenter, "sh", "-c", script], check=True)
        with pytest.raises(GoneError):
            open_namespace(Sandbox(netns_path="/mnt/n"))
        found = open_namespace(Sandbox(netns_path="/mnt/n"), runtime)
        assert found.inode == made.namespace.inode
        found.close()


@in_lab
def test_a_path_that_is_something_else(base: Base) -> None:
    fifo, empty = base.folder / "fifo", base.folder / "empty"
    os.mkfifo(fifo)
    empty.touch()
    paths = (fifo, empty, base.folder, "/dev/zero", "/proc/self/ns/mnt", "relative", "/a\0b", "")
    for path in map(str, paths):
        with pytest.raises(GoneError):
            open_namespace(Sandbox(netns_path=path))


@in_lab
@as_everyone
def test_a_pid_that_is_of_another_process_by_now(base: Base, uid: int | None) -> None:
    with pod() as made:
        with pytest.raises(GoneError):
            open_namespace(Sandbox(pid=made.pid, inode=made.namespace.inode + 1))
        with _cgroup_of(base, made.pid, f"0::/kubepods/pod1/{_OTHER}\n"):
            with pytest.raises(GoneError, match="has ended"):
                open_namespace(Sandbox(id=_ID, pid=made.pid))
            open_namespace(Sandbox(id=_OTHER, pid=made.pid)).close()
            open_namespace(Sandbox(id="short", pid=made.pid)).close()
        with _cgroup_of(base, made.pid, "0::/user.slice\n"):
            open_namespace(Sandbox(id=_ID, pid=made.pid)).close()


@in_lab
def test_a_process_that_has_ended(base: Base) -> None:
    for pid in (_ended(), 0, -1, 1 << 30):
        with pytest.raises(GoneError):
            open_namespace(Sandbox(pid=pid))
    with pytest.raises(GoneError, match="pod shop/web"):
        open_namespace(Sandbox(namespace="shop", name="web"))


@in_lab
def test_a_zombie(base: Base) -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    with pytest.raises(GoneError):
        open_namespace(Sandbox(pid=child))
    os.waitpid(child, 0)


@in_lab
@as_everyone
def test_inside_is_one_thread_and_it_comes_back(base: Base, uid: int | None) -> None:
    home, elsewhere = _here(), list[int]()
    with pod() as made:
        with inside(made.namespace):
            assert _here() == made.namespace.inode
        with pytest.raises(ZeroDivisionError):
            _divide(made.namespace, elsewhere)
        # A new thread starts where the one that makes it is.
        assert (_here(), elsewhere) == (home, [made.namespace.inode])


def _divide(namespace: Namespace, elsewhere: list[int]) -> float:
    with inside(namespace):
        other = threading.Thread(target=lambda: elsewhere.append(_here()))
        other.start()
        other.join()
        return 1 / 0


def _here() -> int:
    return os.stat("/proc/thread-self/ns/net").st_ino


@in_lab
@as_everyone
def test_root_enters_a_namespace_that_another_user_namespace_owns(
    base: Base, uid: int | None
) -> None:
    with pod("--user", "--map-root-user") as made:
        assert made.namespace.user_fd is not None
        same(
            lambda: text(address_lines(read_network(made.namespace).interfaces)),
            lambda: made.ip("addr"),
        )


def test_an_ordinary_user_goes_through_the_owning_user_namespace() -> None:
    def test() -> None:
        with process("--net", "--user", "--map-root-user") as pid:
            namespace = open_namespace(Sandbox(pid=pid))
            with pytest.raises(NotAllowedError), inside(namespace):
                pass
            nsenter = [program("nsenter", "util-linux"), "-U", "-n", "--preserve-credentials"]
            command = [*nsenter, "-t", str(pid), program("ip", "iproute2"), "addr"]
            theirs = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            network = read_network(namespace)
            assert text(address_lines(network.interfaces)) == theirs
            assert (network.peers, network.unknown) == ((), ())
            sockets = sockets_inside(namespace, [_stream, _datagram, _stream])
            kinds = [one.type for one in sockets]
            assert kinds == [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM]
            for one in sockets:
                one.close()
            with pytest.raises(NotAllowedError, match="nothing can be opened inside"):
                sockets_inside(namespace, [_refused])
            namespace.close()

    run_apart(test, NOBODY if os.geteuid() == 0 else None)


def test_an_ordinary_user_may_not_open_that_of_root() -> None:
    if os.geteuid() != 0:
        lacks("root")

    def test(pid: int) -> None:
        with pytest.raises(NotAllowedError) as caught:
            open_namespace(Sandbox(pid=pid, name="web", namespace="shop"))
        assert "CAP_SYS_PTRACE" in caught.value.needs
        assert "pod shop/web" in str(caught.value)

    with process("--net") as pid:
        run_apart(lambda: test(pid), NOBODY)


def test_an_ordinary_user_may_not_enter_that_of_root() -> None:
    if os.geteuid() != 0:
        lacks("root")
    with process("--net") as pid:
        namespace = open_namespace(Sandbox(pid=pid))

        def test() -> None:
            with pytest.raises(NotAllowedError):
                read_network(namespace)

        run_apart(test, NOBODY)
        namespace.close()


def test_ones_own() -> None:
    own = own_namespace()
    assert own.inode == os.stat("/proc/self/ns/net").st_ino
    network = read_network(own)
    assert "lo" in [one.name for one in network.interfaces]
    assert network.peers == ()
    own.close()


def test_nothing_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with process("--net", "--user", "--map-root-user") as pid:
        namespace = open_namespace(Sandbox(pid=pid))
        read_network(namespace)
        namespace.close()
        for bad in (Sandbox(pid=pid, inode=1), Sandbox(pid=_ended())):
            with pytest.raises(GoneError):
                open_namespace(bad)
    assert len(os.listdir("/proc/self/fd")) == before


@contextmanager
def _cgroup_of(base: Base, pid: int, content: str) -> Iterator[None]:
    """Has a process in another cgroup, as far as its /proc says."""
    file, path = Path(base.folder, "cgroup"), f"/proc/{pid}/cgroup"
    file.write_text(content, encoding="utf-8")
    libc.mount(str(file), path, flags=libc.MS_BIND)
    yield
    libc.unmount(path)


def _ended() -> int:
    """The PID of a process that was."""
    child = os.fork()
    if not child:
        signal.pause()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return child


def _stream() -> socket.socket:
    return socket.socket(socket.AF_INET)


def _datagram() -> socket.socket:
    return socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)


def _refused() -> socket.socket:
    raise PermissionError(1, "no")
