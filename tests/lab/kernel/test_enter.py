"""Into namespaces of the lab's own, and nothing left of them however it ends."""

import ctypes
import errno
import os
import platform
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from kubehop.lab.kernel import Base, Child, Kernel, entered
from kubehop.lab.kernel.forbidden import CAUSES, forbidden
from kubehop.lab.plan.values import Sandbox
from kubehop.linux import libc
from kubehop.model.errors import UsageError
from tests.lab.inside import NOBODY, as_everyone, run_apart, run_in_lab
from tests.lab.kernel.world import OTHER, POD, make, node, pod, standing

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to change the machine for the test")
_KINDS = ("net", "mnt", "uts", "ipc", "pid")


def lab(giving: int) -> Callable[[Base], int]:
    """A lab with two pods that says the PIDs of their pause processes, and waits."""

    def main(base: Base) -> int:
        with standing(base, *node(), *pod(POD, 2), *pod(OTHER, 3)) as kernel:
            pids = [kernel.pid(namespace) for namespace in (POD, OTHER)]
            os.write(giving, " ".join(map(str, pids)).encode())
            time.sleep(60)
        return 0

    return main


def namespaces(pids: Iterable[int]) -> set[str]:
    return {os.readlink(f"/proc/{pid}/ns/{kind}") for pid in pids for kind in _KINDS}


def alive() -> set[str]:
    """All namespaces that a process is in."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found |= namespaces([int(path.name)])
        except OSError:  # ended, or of another user
            continue
    return found


def until(what: Callable[[], bool]) -> bool:
    """Whether it comes to be true: the kernel ends processes by and by."""
    deadline = time.monotonic() + 10
    while not (true := what()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return true


def started() -> tuple[Child, list[int]]:
    got, giving = os.pipe()
    child = entered(lab(giving))
    return child, list(map(int, os.read(got, 100).split()))


@as_everyone
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_pid_1_is_killed_all_of_it_is_gone(uid: int | None, number: int) -> None:
    def body() -> None:
        before = Path("/proc/self/mountinfo").read_text(), os.listdir("/dev/shm")
        child, pids = started()
        assert all(Path(f"/proc/{pid}/comm").read_text() == "pause\n" for pid in pids)
        its = namespaces(pids) - namespaces([os.getpid()])
        assert len(its) == 2 * len(_KINDS) - 1  # one PID namespace
        assert its <= alive()
        child.send(number)
        assert child.wait() == 128 + number
        assert not its & alive()
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        assert (Path("/proc/self/mountinfo").read_text(), os.listdir("/dev/shm")) == before

    run_apart(body, uid)


@as_everyone
def test_when_its_parent_is_killed_all_of_it_is_gone(uid: int | None) -> None:
    def body() -> None:
        got, giving = os.pipe()
        parent = os.fork()
        if not parent:
            entered(lab(giving)).wait()
            os._exit(0)
        pids = list(map(int, os.read(got, 100).split()))
        its = namespaces(pids) - namespaces([os.getpid()])
        assert its <= alive()
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        assert until(lambda: not its & alive())

    run_apart(body, uid)


@as_everyone
def test_the_parent_s_death_can_be_a_reason_to_end_orderly(uid: int | None) -> None:
    def body() -> bytes:
        got, giving = os.pipe()

        def main(_: Base) -> int:
            try:
                os.write(giving, b"ready ")
                time.sleep(60)
            finally:
                os.write(giving, b"orderly")
            return 0

        parent = os.fork()
        if not parent:
            entered(main, orphaned=signal.SIGTERM).wait()
            os._exit(0)
        os.close(giving)
        assert os.read(got, 6) == b"ready "
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        return os.read(got, 100)

    assert run_apart(body, uid) == b"orderly"


@as_everyone
def test_the_exit_code_is_that_of_main(uid: int | None, capfd: pytest.CaptureFixture[str]) -> None:
    def fails(_: Base) -> int:
        raise ValueError("its own words")

    def leaves(_: Base) -> int:
        raise SystemExit(4)

    def body() -> list[int]:
        return [entered(main).wait() for main in (lambda _: 3, leaves, fails)]

    assert run_apart(body, uid) == [3, 4, 1]
    assert "ValueError: its own words" in capfd.readouterr().err


@as_everyone
def test_inside_it_is_pid_1_and_root_and_alone(uid: int | None) -> None:
    def body(base: Base) -> tuple[object, ...]:
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
        outer = os.listdir(base.outer_proc) if base.notes else []
        network = os.listdir("/sys/class/net")
        return os.getpid(), os.getuid(), os.getgid(), numbers, outer, network, base.notes

    assert run_in_lab(body, uid) == (1, 0, 0, ["1"], [], ["lo"], ())


@as_everyone
def test_close_is_done_when_it_returns_and_takes_no_second(uid: int | None) -> None:
    def body(base: Base) -> float:
        kernel = Kernel(base)
        kernel.apply(make([*node(), *(t for n in range(2, 40) for t in pod(f"pod/x/{n}", n))]))
        pids = [kernel.pid(f"pod/x/{n}") for n in range(2, 40)]
        started = time.monotonic()
        kernel.close()
        seconds = time.monotonic() - started
        for pid in pids:
            with pytest.raises(FileNotFoundError):
                os.stat(str(pid), dir_fd=base.outer_proc)
        assert threading.active_count() == 1
        return seconds

    assert run_in_lab(body, uid) < 5  # a machine that has other things to do


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.setting)
def test_every_setting_that_forbids_it_is_named_with_the_way_to_allow_it(cause: object) -> None:
    from kubehop.lab.kernel.forbidden import Cause

    assert isinstance(cause, Cause)
    settings = {cause.setting: cause.value}
    for number in cause.errnos:
        error = OSError(number, os.strerror(number), "unshare")
        said = str(forbidden(error, lambda name: settings.get(name, "")))
        assert cause.setting.replace("/", ".") in said
        assert "sudo sysctl -w " + cause.setting.replace("/", ".") in said
        assert "\n" not in said
    other = OSError(errno.EINVAL, "", "unshare")
    assert "CONFIG_USER_NS" in str(forbidden(other, lambda name: settings.get(name, "")))


def test_a_machine_without_user_namespaces_says_so() -> None:
    """In a user namespace of the test's own the limit is ours to set."""

    def no_more(_: Base) -> str:
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
        _drop_capabilities()
        with pytest.raises(UsageError) as found:
            entered(lambda _: 0)
        return str(found.value)

    said = run_in_lab(no_more, NOBODY if os.geteuid() == 0 else None)
    assert "user.max_user_namespaces is 0" in said
    assert "unshare(0x7c020000): No space left on device" in said


def test_a_container_s_filter_is_told_from_a_setting() -> None:
    def body() -> str:
        _forbid_unshare()
        with pytest.raises(UsageError) as found:
            entered(lambda _: 0)
        return str(found.value)

    said = run_apart(body, before=_drop_capabilities)
    assert "seccomp=unconfined" in said
    assert "Operation not permitted" in said


@root
def test_where_proc_is_masked_the_lab_goes_on_with_the_machine_s() -> None:
    def masked() -> None:
        libc.mount("/dev/null", "/proc/version", flags=libc.MS_BIND)

    def body(base: Base) -> tuple[str, ...]:
        with standing(base, Sandbox(POD, "web", (("/etc/hosts", "x\n"),))) as kernel:
            pid = kernel.pid(POD)
            assert Path(f"/proc/{pid}/comm").read_text() == "pause\n"
        return base.notes

    (note,) = run_in_lab(body, NOBODY, before=masked)
    assert note.startswith("/proc in the lab is the machine's: mounting a fresh one failed")


def _drop_capabilities() -> None:
    """Root by name only: capset(2) with empty sets."""
    numbers = {"x86_64": 126, "aarch64": 91}
    if platform.machine() not in numbers:
        pytest.skip("needs x86_64 or aarch64")
    header, none = struct.pack("=II", 0x20080522, 0), bytes(24)
    assert ctypes.CDLL(None).syscall(numbers[platform.machine()], header, none) == 0


def _forbid_unshare() -> None:
    """A seccomp filter: unshare(2) is EPERM (seccomp(2), linux/filter.h)."""
    number = {"x86_64": 272, "aarch64": 97}[platform.machine()]
    program = (
        (0x20, 0, 0, 0),  # load the system call's number
        (0x15, 0, 1, number),  # if it is not unshare, skip one
        (0x06, 0, 0, 0x00050000 | errno.EPERM),
        (0x06, 0, 0, 0x7FFF0000),  # allow
    )
    filters = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    arguments = ctypes.create_string_buffer(
        struct.pack("@HP", len(program), ctypes.addressof(filters))
    )
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    assert prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert prctl(22, 2, ctypes.addressof(arguments), 0, 0) == 0  # PR_SET_SECCOMP
