"""Programs that are run inside of a sandbox, from inside of the lab."""

import os
import signal
import threading
import time

import pytest

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.kernel.reap import reap_orphans
from kubehop.lab.plan.values import Make, Sandbox
from kubehop.model.errors import ClusterError, UsageError
from tests.lab.inside import as_everyone, in_lab


def sandboxes(base: Base) -> Kernel:
    kernel = Kernel(base)
    made = [Sandbox(f"pod/d/{n}", n, (("/etc/resolv.conf", f"# {n}\n"),)) for n in ("a", "b")]
    kernel.apply([Make(one) for one in made])
    return kernel


@as_everyone
@in_lab
def test_a_program_is_where_it_was_sent(base: Base, uid: int | None) -> None:
    kernel = sandboxes(base)
    before = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt", "uts")]
    script = "cat /etc/resolv.conf; hostname; readlink /proc/self/ns/net; pwd; cat; exit 3"
    for name in ("a", "b"):
        ran = kernel.run(f"pod/d/{name}", ("sh", "-c", script), 10)
        net = os.readlink(f"/proc/{kernel.inner_pid(f'pod/d/{name}')}/ns/net")
        assert (ran.code, ran.out, ran.err) == (3, f"# {name}\n{name}\n{net}\n/\n", "")
    assert [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt", "uts")] == before
    kernel.close()


@in_lab
def test_who_takes_too_long_is_killed(base: Base) -> None:
    kernel = sandboxes(base)
    begun = time.monotonic()
    ran = kernel.run("pod/d/a", ("sh", "-c", "echo begun; exec sleep 60"), 0.3)
    assert (ran.code, ran.out) == (None, "begun\n")
    assert time.monotonic() - begun < 10
    with pytest.raises(ClusterError, match="nosuch"):
        kernel.run("pod/d/a", ("/nosuch/program",), 1)
    with pytest.raises(UsageError, match="no namespace"):
        kernel.run("pod/d/nosuch", ("true",), 1)
    kernel.close()


@in_lab
def test_who_reaps_orphans_leaves_it_alone(base: Base) -> None:
    kernel = sandboxes(base)
    reap_orphans(kernel.pids)
    try:
        codes: list[int | None] = []
        command = ("sh", "-c", "sleep 0.05; exit 7")
        for _ in range(5):
            there = threading.Thread(
                target=lambda: codes.append(kernel.run("pod/d/b", command, 10).code)
            )
            there.start()
            while there.is_alive():
                there.join(0.01)
        assert codes == [7] * 5
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    kernel.close()
