"""What /proc alone makes of the cgroups of every runtime and cgroup driver: see `cgroups`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from kubehop.linux import libc
from kubehop.sandbox.proc.source import Proc
from kubehop.sandbox.values import Sandbox
from tests.real.runtimes.asked import compare, json_of
from tests.real.runtimes.cgroups import FORMS, Cgroups, Placed, cgroups
from tests.real.runtimes.host import NOBODY
from tests.real.runtimes.kubelet import Pod, Wanted

each_user = pytest.mark.parametrize("uid", [None, NOBODY])


@pytest.fixture(scope="module", params=[1, 2], ids=["cgroup v1", "cgroup v2"])
def placed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cgroups]:
    with cgroups(tmp_path_factory.mktemp("cgroups"), request.param) as made:
        yield made


def _by_proc() -> tuple[Sandbox, ...]:
    source = Proc()
    return source.detailed(source.sandboxes())


def _of(pod: Placed, found: tuple[Sandbox, ...]) -> Sandbox:
    """The only one that has anything of this pod."""
    of_pod = [each for each in found if pod.app in {each.id, *(one.id for one in each.containers)}]
    (one,) = of_pod
    return one


@each_user
def test_the_processes_are_in_their_groups(uid: int | None, placed: Cgroups) -> None:
    """Of what the runtime itself runs nothing is in any container."""
    for pod in placed.pods.values():
        for what, pid in pod.pids.items():
            text = placed.host.run("cat", f"/proc/{pid}/cgroup", uid=uid or 0).stdout
            id = {"pause": pod.pause, "app": pod.app, "node": pod.node}.get(what, "")
            assert id in text
            assert f"/{placed.host.cgroup}/" in text


@each_user
def test_every_form_is_found(uid: int | None, placed: Cgroups) -> None:
    found = placed.host.call(_by_proc, uid)
    for name, pod in placed.pods.items():
        one = _of(pod, found)
        assert (one.uid, one.static) == (pod.uid, pod.form.static), name
        assert (one.runtime, one.host_network) == (pod.form.runtime, False), name
        assert set(one.addresses) == set(pod.addresses), name
        if pod.form.pod:
            assert (one.id, one.pid) == (pod.pause, pod.pids.get("pause")), name
            containers = [(each.id, each.pid) for each in one.containers]
            assert containers == [(pod.app, pod.pids["app"])], name
        else:
            assert (one.id, one.pid) == (pod.app, pod.pids["app"]), name
        named = pod.form.keeps == "conmon" and pod.form.pod
        assert (one.namespace, one.name) == ((pod.namespace, pod.name) if named else ("", ""))
        inside = f"/proc, in container {pod.node[:13]}" if pod.form.network else "/proc"
        assert one.source == inside, name


@each_user
def test_nothing_else_is_a_pod(uid: int | None, placed: Cgroups) -> None:
    """Shims, conmons and the node: that is a container, no pod."""
    found = placed.host.call(_by_proc, uid)
    ours = {_of(pod, found).id for pod in placed.pods.values()}
    pids = {pid for pod in placed.pods.values() for pid in pod.pids.values()}
    others = [each for each in found if each.pid in pids and each.id not in ours]
    (node,) = others
    assert (node.id, node.uid) == (placed.pods["kind"].node, "")
    assert [each.id for each in node.containers] == [node.id]


@pytest.mark.parametrize(
    ("name", "uid"), [*((name, None) for name in FORMS), ("cri-o", NOBODY), ("podman", NOBODY)]
)
def test_the_network_is_that_of_the_pod(uid: int | None, name: str, placed: Cgroups) -> None:
    pod = placed.pods[name]
    answer = json_of(placed.host, "ip", pod.app, "--source", "proc", uid=uid)
    answer["sandbox"]["name"] = pod.name
    wanted = Wanted(pod.name, pod.namespace, uid=pod.uid)
    id, what = (pod.pause, "pause") if pod.form.pod else (pod.app, "app")
    real = Pod(wanted, id, 0, pod.pids.get(what), pod.addresses, ())  # type: ignore[arg-type]
    compare(answer, partial(placed.host.inside, pod.pids["app"]), real, whole=uid is None)


def test_one_who_has_cgroups_of_his_own(placed: Cgroups) -> None:
    """What is beside one's own cgroup namespace begins with `/..`: cgroup_namespaces(7)."""

    def look() -> tuple[str, tuple[Sandbox, ...]]:
        for group in aside:
            (group / "cgroup.procs").write_text("0")
        libc.unshare(libc.NEWCGROUP)
        return Path(f"/proc/{placed.pods['static'].pids['app']}/cgroup").read_text(), _by_proc()

    aside = [Path(mount, placed.host.cgroup, "aside.slice") for mount in placed.mounts]
    for group in aside:
        group.mkdir()
    text, found = placed.host.call(look)
    assert text.count(":/../kubepods.slice/") == len(aside)
    at_home = placed.host.call(_by_proc)
    for name, pod in placed.pods.items():
        seen, real = _of(pod, found), _of(pod, at_home)
        assert replace(seen, created=0) == replace(real, created=0), name
