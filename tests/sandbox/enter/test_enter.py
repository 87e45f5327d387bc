"""Programs of the host's in a pod's network: what they see, and how they end."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kubehop.lab.kernel import Base
from kubehop.linux import libc
from kubehop.model.errors import UsageError
from kubehop.sandbox import enter as enter_module
from kubehop.sandbox.enter import by_files, covers, run_in_network
from kubehop.sandbox.namespace import Namespace, NotAllowedError, open_namespace, own_namespace
from kubehop.sandbox.values import Files, Sandbox
from tests.lab.inside import as_everyone, in_lab, run_apart
from tests.sandbox.enter.rooted import rooted
from tests.sandbox.network.making import pod, process

FILES = Files("nameserver 10.43.0.10\n", "10.42.0.8 cart\n", "cart-0")


def ran(
    namespace: Namespace,
    *command: str,
    files: Files | None = None,
    meanwhile: Callable[[int], object] = lambda _: None,
) -> tuple[int, str]:
    """Exit code and output of a program there, run by a process of its own."""
    got, giving = os.pipe()
    child = os.fork()
    if not child:
        code = 99
        try:
            os.dup2(giving, 1)
            os.close(got)
            os.close(giving)
            code = run_in_network(namespace, command, files)
        except (UsageError, NotAllowedError) as error:
            os.write(1, f"error: {error}".encode())
        finally:
            os._exit(code)
    os.close(giving)
    meanwhile(child)
    with open(got) as file:
        said = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


@as_everyone
@in_lab
def test_the_network_is_the_pods_and_the_rest_the_hosts(base: Base, uid: int | None) -> None:
    with pod() as there:
        there.ip("link", "add", "of-the-pod", "type", "bridge")
        code, said = ran(there.namespace, "ls", "/sys/class/net")
        assert (code, said.split()) == (0, ["lo", "of-the-pod"])
        _, inode = ran(there.namespace, "readlink", "/proc/self/ns/net")
        assert inode.strip() == f"net:[{there.namespace.inode}]"
        for path in ("/etc/hosts", "/etc/resolv.conf"):
            assert ran(there.namespace, "cat", path)[1] == Path(path).read_text()
        assert ran(there.namespace, "pwd")[1].strip() == os.getcwd()
        assert ran(there.namespace, "uname", "-n")[1].strip() == os.uname().nodename


@as_everyone
@in_lab
def test_its_files_and_hostname(base: Base, uid: int | None) -> None:
    root = base.folder / "root"
    root.mkdir()
    before = [Path(path).read_bytes() for path in ("/etc/hosts", "/etc/resolv.conf")]
    with rooted(root, lambda: socket.sethostname("by-namespace")) as pid:
        namespace = open_namespace(Sandbox(pid=pid))
        for path, text in (("resolv.conf", FILES.resolv_conf), ("hosts", FILES.hosts)):
            assert ran(namespace, "cat", f"/etc/{path}", files=FILES) == (0, text)
        assert ran(namespace, "uname", "-n", files=FILES) == (0, "by-namespace\n")
        # What has no process has a hostname by its file; nobody can change the pod's from here.
        without = Namespace(namespace.fd, namespace.inode, None, namespace.user_fd)
        assert ran(without, "uname", "-n", files=FILES) == (0, "cart-0\n")
        change = ("sh", "-c", "hostname changed; uname -n")
        assert ran(namespace, *change, files=FILES) == (0, "changed\n")
        assert ran(namespace, "uname", "-n", files=FILES) == (0, "by-namespace\n")
        if Path("/etc/nsswitch.conf").exists():
            said = ran(namespace, "cat", "/etc/nsswitch.conf", files=FILES)[1]
            assert "hosts: files dns" in said.splitlines()
    assert before == [Path(path).read_bytes() for path in ("/etc/hosts", "/etc/resolv.conf")]


@as_everyone
@in_lab
def test_a_name_is_looked_up_as_the_pod_would(base: Base, uid: int | None) -> None:
    """By glibc, in a program of the host's: the pod's hosts file counts."""
    with pod() as there:
        code, said = ran(there.namespace, "getent", "hosts", "cart", files=FILES)
        assert (code, said.split()) == (0, ["10.42.0.8", "cart"])
        assert ran(there.namespace, "getent", "hosts", "cart")[0] == 2


@in_lab
def test_a_resolv_conf_that_is_a_link(base: Base) -> None:
    """As systemd-resolved has it; a link to nowhere is refused, not followed by accident."""
    etc = base.folder / "etc"
    (etc / "run").mkdir(parents=True)
    for name in ("hosts", "passwd", "nsswitch.conf"):
        (etc / name).write_text("of the host\n")
    (etc / "resolv.conf").symlink_to("run/stub.conf")
    libc.mount(str(etc), "/etc", flags=libc.MS_BIND)
    with pod() as there:
        code, said = ran(there.namespace, "cat", "/etc/resolv.conf", files=FILES)
        assert said.startswith("error: /etc/resolv.conf is no file on this host")
        (etc / "run/stub.conf").write_text("of the host\n")
        code, said = ran(there.namespace, "cat", "/etc/resolv.conf", files=FILES)
        assert (code, said) == (0, FILES.resolv_conf)
    assert Path("/etc/resolv.conf").read_text() == "of the host\n"


@in_lab
def test_answers_of_a_daemon_are_not_taken(base: Base) -> None:
    folder = base.folder / "nscd"
    folder.mkdir()
    (folder / "socket").touch()
    enter_module._NSCD = str(folder)
    with pod() as there:
        assert ran(there.namespace, "ls", str(folder), files=FILES) == (0, "")
        assert ran(there.namespace, "ls", str(folder)) == (0, "socket\n")


@as_everyone
@in_lab
def test_how_it_ends_is_how_the_program_ends(base: Base, uid: int | None) -> None:
    with pod() as there:
        assert ran(there.namespace, "sh", "-c", "exit 7")[0] == 7
        assert ran(there.namespace, "sh", "-c", "kill -9 $$")[0] == 128 + 9
        assert ran(there.namespace, "no-such-program")[0] == 127
        assert ran(there.namespace, "/etc")[0] == 126
        command = ("sh", "-c", "trap 'echo told; exit 5' TERM; echo; while :; do sleep 0.05; done")

        def terminate(child: int) -> None:
            time.sleep(0.5)
            os.kill(child, signal.SIGTERM)

        assert ran(there.namespace, *command, meanwhile=terminate) == (5, "\ntold\n")


@in_lab
def test_a_pod_in_the_hosts_network(base: Base) -> None:
    own = own_namespace()
    assert ran(own, "true")[0] == 0
    assert ran(own, "cat", "/etc/hosts", files=FILES) == (0, FILES.hosts)


@as_everyone
@in_lab
def test_through_the_user_namespace_that_owns_it(base: Base, uid: int | None) -> None:
    """What an ordinary user's own pods, of another process, are like: rootless."""
    with process("--user", "--map-root-user", "--net", "--mount", "--uts") as pid:
        namespace = open_namespace(Sandbox(pid=pid))
        outside = Namespace(namespace.fd, namespace.inode, pid, namespace.user_fd)
        code, said = ran(outside, "readlink", "/proc/self/ns/net", files=FILES)
        assert (code, said.strip()) == (0, f"net:[{namespace.inode}]")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have what another may not enter")
def test_an_ordinary_user_is_told_what_is_missing() -> None:
    with process("--net") as pid:
        namespace = open_namespace(Sandbox(pid=pid))
        code, said = run_apart(lambda: ran(namespace, "true"), uid=65534)
    assert code == 99
    assert said.startswith("error: ")
    assert "CAP_SYS_ADMIN" in said


def test_nsswitch_by_files_and_dns() -> None:
    text = "passwd: files systemd\nhosts: mymachines resolve [!UNAVAIL=return] files dns\n# x\n"
    assert by_files(text) == "passwd: files systemd\nhosts: files dns\n# x\n"
    assert by_files("passwd: files\n") == "hosts: files dns\npasswd: files\n"


def test_what_is_not_known_is_not_covered() -> None:
    paths = [path for path, _ in covers(Files(hosts="x"))]
    assert "/etc/resolv.conf" not in paths
    assert "/etc/hosts" in paths
