"""Sandboxes: who holds them, what files they see, how they end."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.kernel.reap import reap_orphans
from kubehop.lab.plan.values import Make, Remove, Rewrite, Sandbox
from kubehop.linux import libc
from kubehop.model.errors import ClusterError, UsageError
from tests.lab.inside import as_everyone, in_lab, run_in_lab
from tests.lab.kernel.world import OTHER, POD, node, pod, standing
from tests.real.needs import program

_FILES = (
    ("/etc/resolv.conf", "nameserver 10.96.0.10\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n10.42.0.2 web\n"),
)


def seen(kernel: Kernel, namespace: str, *command: str) -> str:
    """What a program prints in all namespaces of a sandbox."""
    enter = (program("nsenter", "util-linux"), "-t", str(kernel.inner_pid(namespace)))
    return subprocess.run(
        [*enter, "-n", "-m", "-u", "-i", *command], check=True, capture_output=True, text=True
    ).stdout


@as_everyone
@in_lab
def test_each_has_its_own_files_hostname_and_network(base: Base, uid: int | None) -> None:
    web = Sandbox(POD, "web-0", _FILES)
    client = Sandbox(OTHER, "client", (_FILES[0], ("/etc/hosts", "::1 localhost\n")))
    before = [Path(path).read_bytes() for path, _ in _FILES]
    with standing(base, web, client) as kernel:
        for path, text in _FILES:
            assert seen(kernel, POD, "cat", path) == text
        assert seen(kernel, OTHER, "cat", "/etc/hosts") == "::1 localhost\n"
        assert seen(kernel, POD, "hostname") == "web-0\n"
        assert [Path(path).read_bytes() for path, _ in _FILES] == before
        assert socket.gethostname() not in ("web-0", "client")
        kinds = [set(), set()]  # type: list[set[str]]
        for found, namespace in zip(kinds, (POD, OTHER), strict=True):
            pid = kernel.inner_pid(namespace)
            found.update(os.readlink(f"/proc/{pid}/ns/{n}") for n in ("net", "mnt", "uts", "ipc"))
        assert len(kinds[0] | kinds[1]) == 8


@as_everyone
@in_lab
def test_files_of_one_that_stands_are_rewritten(base: Base, uid: int | None) -> None:
    with standing(base, Sandbox(POD, "web", _FILES), Sandbox(OTHER, "other")) as kernel:
        wrong = Sandbox(POD, "web", (("/etc/resolv.conf", "nameserver 192.0.2.1\n"),))
        kernel.apply([Rewrite(wrong)])
        assert seen(kernel, POD, "cat", "/etc/resolv.conf") == "nameserver 192.0.2.1\n"
        assert "10.42.0.2" not in seen(kernel, POD, "cat", "/etc/hosts")
        kernel.apply([Rewrite(Sandbox(POD, "web", _FILES)), Rewrite(Sandbox(OTHER, "o", _FILES))])
        for namespace in (POD, OTHER):
            assert "10.42.0.2 web" in seen(kernel, namespace, "cat", "/etc/hosts")
        assert seen(kernel, POD, "grep", "-c", "hosts", "/proc/self/mountinfo") == "1\n"


@as_everyone
@in_lab
def test_the_pause_process_is_small_holds_no_file_and_ends_on_sigterm(
    base: Base, uid: int | None
) -> None:
    with standing(base, Sandbox(POD, "web")) as kernel:
        pid = kernel.inner_pid(POD)
        proc = Path(f"/proc/{pid}")
        assert (proc / "comm").read_text() == "pause\n"
        assert (proc / "cmdline").read_bytes() == b"pause\0"
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        assert int(status["VmRSS"].split()[0]) <= 64
        named = (1 << 31) - 1  # 32 and 33 are glibc's
        assert int(status["SigBlk"], 16) == int(status["SigIgn"], 16) & named == 0
        assert list((proc / "fd").iterdir()) == []
        os.kill(pid, signal.SIGTERM)
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        assert (ended.si_code, ended.si_status) == (os.CLD_KILLED, signal.SIGTERM)
        with kernel.inside(POD):  # the network is there as long as the lab wants it
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
        kernel.apply([Remove(Sandbox(POD, "web"))])
        assert not proc.exists()


@in_lab
def test_machines_whose_instructions_we_do_not_know_run_sleep(base: Base) -> None:
    from kubehop.lab.kernel.pause import Pause

    pid = Pause(base.folder, "riscv64").start()
    deadline = time.monotonic() + 10
    while (comm := Path(f"/proc/{pid}/comm").read_text()) != "sleep\n":
        assert time.monotonic() < deadline, comm
    assert Path(f"/proc/{pid}/cmdline").read_bytes() == b"pause\0infinity\0"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@as_everyone
@in_lab
def test_sockets_stay_where_they_were_made(base: Base, uid: int | None) -> None:
    things = (*node(), *pod(POD, 2), *pod(OTHER, 3))
    with standing(base, *things) as kernel:
        server = kernel.socket(POD, socket.AF_INET6, socket.SOCK_DGRAM)
        server.bind(("fd42::2", 53))
        server.settimeout(5)
        client = kernel.socket(OTHER, socket.AF_INET6, socket.SOCK_DGRAM)
        client.settimeout(5)
        client.connect(("fd42::2", 53))
        client.send(b"hello")
        said, peer = server.recvfrom(100)
        assert (said, peer[0]) == (b"hello", "fd42::3")
        with kernel.inside(POD), kernel.inside(OTHER):
            inner = os.readlink("/proc/thread-self/ns/net")
        with kernel.inside(OTHER):
            assert os.readlink("/proc/thread-self/ns/net") == inner
        with pytest.raises(UsageError, match="no namespace pod/x/y"), kernel.inside("pod/x/y"):
            pass


@as_everyone
@in_lab
def test_the_first_packet_arrives_in_either_direction(base: Base, uid: int | None) -> None:
    """The kernel learns in another thread that a link has a carrier; until then it sends not."""
    with standing(base, *node(), *pod(OTHER, 2)) as kernel:
        client = kernel.socket(OTHER, socket.AF_INET6, socket.SOCK_DGRAM)
        for number in range(3, 60):
            namespace = f"pod/default/p{number}"
            kernel.apply([Make(thing) for thing in pod(namespace, number)])
            client.sendto(b"hello", (f"fd42::{number:x}", 53))  # nobody there: a reject
            with kernel.socket(namespace, socket.AF_INET6, socket.SOCK_DGRAM) as server:
                server.bind(("::", 53))
                server.settimeout(5)
                client.sendto(b"hello", (f"fd42::{number:x}", 53))
                assert server.recvfrom(100)[1][0] == "fd42::2"


@in_lab
def test_orphans_are_reaped_and_pause_processes_are_not(base: Base) -> None:
    with standing(base, Sandbox(POD, "web")) as kernel:
        reap_orphans(kernel.pids)
        os.kill(kernel.inner_pid(POD), signal.SIGKILL)
        parent = os.fork()
        if not parent:
            if not os.fork():
                time.sleep(0.2)
            os._exit(0)
        deadline = time.monotonic() + 10
        left = {1, kernel.inner_pid(POD)}
        while {int(name) for name in os.listdir("/proc") if name.isdigit()} != left:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def _bare_etc() -> None:
    """An /etc without hosts, and whose resolv.conf is a link to nowhere."""
    libc.mount("tmpfs", "/mnt", "tmpfs")
    Path("/mnt/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    os.symlink("passwd", "/mnt/users")
    os.symlink("../run/nowhere/resolv.conf", "/mnt/resolv.conf")
    os.mkdir("/mnt/ssl")
    Path("/mnt/ssl/key").touch()
    libc.mount("/mnt", "/etc", flags=libc.MS_BIND)


def _cached_names() -> None:
    """A running nscd, or so it looks."""
    libc.mount("tmpfs", "/run", "tmpfs")
    os.mkdir("/run/nscd")
    Path("/run/nscd/socket").touch()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give the machine another /etc")
@as_everyone
def test_files_that_the_machine_lacks(uid: int | None) -> None:
    def body(base: Base) -> None:
        with standing(base, Sandbox(POD, "web", _FILES), Sandbox(OTHER, "other")) as kernel:
            for path, text in _FILES:
                assert seen(kernel, POD, "cat", path) == text
                assert seen(kernel, OTHER, "cat", path) == ""
            for path in ("/etc/passwd", "/etc/users"):
                assert seen(kernel, POD, "cat", path) == "root:x:0:0::/:/bin/sh\n"
            assert seen(kernel, POD, "ls", "/etc/ssl/") == "key\n"

    run_in_lab(body, uid, before=_bare_etc)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give the machine another /run")
@as_everyone
def test_the_machine_s_name_cache_is_out_of_reach(uid: int | None) -> None:
    def body(base: Base) -> None:
        with standing(base, Sandbox(POD, "web", _FILES)) as kernel:
            assert seen(kernel, POD, "ls", "/run/nscd") == ""

    run_in_lab(body, uid, before=_cached_names)


@in_lab
def test_a_file_that_cannot_be_mounted_is_an_error_of_that_sandbox(base: Base) -> None:
    kernel = Kernel(base)
    with pytest.raises(ClusterError, match=r"sandbox pod/default/web: .*No such file.*nowhere"):
        kernel.apply([Make(Sandbox(POD, "web", (("/etc/nowhere", ""),)))])
    assert kernel.pids() == frozenset()
    kernel.close()
    kernel.close()
