"""The sources of sandboxes, compared with what was made."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from kubehop.sandbox.cri import cri_sources
from kubehop.sandbox.cri.source import CRI
from kubehop.sandbox.files import read_files
from kubehop.sandbox.proc.source import Proc
from kubehop.sandbox.values import Files, Sandbox, SourceError
from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.host import NOBODY
from tests.real.runtimes.kubelet import hosts_text, resolv_text
from tests.real.runtimes.wanted import SECRET
from tests.real.runtimes.wire import text


def _by_cri(containerd: Containerd) -> dict[str, Sandbox]:
    with closing(CRI(containerd.socket)) as source:
        found = source.detailed(source.sandboxes())
    return {each.id: each for each in found}


def _by_proc(containerd: Containerd, uid: int | None = None) -> dict[str, Sandbox]:
    """Those of this host: others may run pods on this machine."""

    def look() -> Sequence[Sandbox]:
        source = Proc()
        return source.detailed(source.sandboxes())

    uids = {pod.uid for pod in containerd.pods.values()}
    return {each.uid: each for each in containerd.host.call(look, uid) if each.uid in uids}


def test_cri_tells_what_the_kubelet_made(containerd: Containerd) -> None:
    found = _by_cri(containerd)
    said = containerd.kubelet.runtime.call("Version", {})
    runtime = f"{text(said, 2)} {text(said, 3)}"
    older = {id for pod in containerd.pods.values() for id in pod.older}
    assert set(found) == {pod.sandbox for pod in containerd.pods.values()} | older
    for pod in containerd.pods.values():
        one = found[pod.sandbox]
        assert (one.namespace, one.name, one.uid) == (pod.namespace, pod.name, pod.uid)
        assert (one.attempt, one.ready, one.pid) == (len(pod.older), True, pod.pid)
        assert (one.addresses, one.host_network) == (pod.addresses, pod.wanted.host_network)
        assert (one.runtime, one.handler) == (runtime, "runc")
        assert one.static == pod.wanted.static
        names = {each.id: each.name for each in one.containers}
        assert names == {each.id: each.name for each in pod.containers}
        running = {each.id for each in one.containers if each.running}
        assert running == {each.id for each in pod.containers if each.pid}


def test_cri_tells_of_the_sandbox_before(containerd: Containerd) -> None:
    pod = containerd.pods["again"]
    before = _by_cri(containerd)[pod.older[0]]
    assert (before.uid, before.attempt, before.ready) == (pod.uid, 0, False)
    assert (before.pid, [each.running for each in before.containers]) == (None, [False])


def test_the_runtime_is_found_where_it_always_is(containerd: Containerd) -> None:
    found = containerd.host.call(lambda: [each.name for each in cri_sources()])
    assert found == ["CRI at /run/containerd/containerd.sock"]


def test_the_socket_is_roots(containerd: Containerd) -> None:
    def ask() -> str:
        with closing(CRI("/run/containerd/containerd.sock")) as source:
            try:
                source.sandboxes()
            except SourceError as error:
                return error.needs
        return "nothing"

    assert "root" in containerd.host.call(ask, NOBODY)


@pytest.mark.parametrize("uid", [None, NOBODY])
def test_proc_alone_finds_every_pod(uid: int | None, containerd: Containerd) -> None:
    found = _by_proc(containerd, uid)
    assert set(found) == {pod.uid for pod in containerd.pods.values()}
    for pod in containerd.pods.values():
        one = found[pod.uid]
        assert (one.id, one.pid, one.ready) == (pod.sandbox, pod.pid, True)
        pids = {each.id: each.pid for each in one.containers}
        assert pids == {each.id: each.pid for each in pod.containers if each.pid}
        assert (one.namespace, one.name) == (pod.namespace, pod.name)
        assert one.static == pod.wanted.static
        if not pod.wanted.host_network:
            assert set(pod.addresses) <= set(one.addresses)
        if uid is None:
            assert one.inode == Path(f"/proc/{pod.pid}/ns/net").stat().st_ino
            assert one.host_network == pod.wanted.host_network


def _files(containerd: Containerd, name: str, container: str) -> Files:
    pod = containerd.pods[name]
    sandbox = _by_proc(containerd)[pod.uid]
    id = pod.container(container).id
    one = next(each for each in sandbox.containers if each.id == id)
    return containerd.host.call(lambda: read_files(sandbox, container=one))


def test_files_are_those_of_the_container(containerd: Containerd) -> None:
    pod = containerd.pods["web"]
    servers, searches, options = resolv_text(pod.wanted)
    for container in pod.containers:
        found = _files(containerd, "web", container.name)
        words = [line.split() for line in (found.resolv_conf or "").splitlines()]
        assert [line[1] for line in words if line[0] == "nameserver"] == servers
        assert ["search", *searches] in words
        assert ["options", *options] in words
        assert found.hosts == hosts_text(pod.wanted)
        assert (found.hostname or "").strip() == pod.name


@pytest.mark.parametrize("container", ["links", "traps"])
def test_what_a_container_plants_leads_nowhere(container: str, containerd: Containerd) -> None:
    """Absolute links and ..: into the container's own root. A FIFO and a folder: not waited for."""
    outside = containerd.host.run("cat", str(containerd.host.folder / "secret"))
    assert outside.stdout == SECRET
    found = _files(containerd, "planted", container)
    assert SECRET.strip() not in repr(found)
    assert (found.hostname or "").strip() == containerd.pods["planted"].name
