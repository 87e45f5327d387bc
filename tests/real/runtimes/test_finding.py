"""Which pod is meant, by every form that there is, on hosts with a real runtime."""

from collections.abc import Callable, Iterator

import pytest

from kubehop.model.errors import UsageError
from kubehop.sandbox.cri import cri_sources
from kubehop.sandbox.docker.source import docker_sources
from kubehop.sandbox.host import Found
from kubehop.sandbox.host import Host as Finder
from kubehop.sandbox.values import Sandbox
from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.docker import Docker, names
from tests.real.runtimes.host import NOBODY
from tests.real.runtimes.kubelet import Pod


def _finder() -> Finder:
    return Finder({"cri": cri_sources, "docker": docker_sources})


def _find(text: str, namespace: str | None = None) -> Found | str:
    """What is found, or the error."""
    finder = _finder()
    try:
        return finder.find(text, namespace)
    except UsageError as error:
        return str(error)
    finally:
        finder.close()


def _each(*asked: str) -> Callable[[], list[Found | str]]:
    return lambda: [_find(text) for text in asked]


def _ids(found: list[Found | str]) -> list[str]:
    return [each if isinstance(each, str) else each.sandbox.id for each in found]


def _forms(pod: Pod) -> Iterator[str]:
    """All that means this pod and no other; an address of the host's network means several."""
    yield from (pod.name, f"{pod.namespace}/{pod.name}", pod.sandbox, pod.sandbox[:12])
    yield from (str(pod.pid), *pod.addresses)
    for container in pod.containers:
        yield from (container.id, container.id[:12], f"containerd://{container.id}")
        if container.pid:
            yield str(container.pid)


@pytest.mark.parametrize("name", ["web", "many", "again", "once", "planted", "static", "node"])
def test_a_pod_by_every_form(name: str, containerd: Containerd) -> None:
    pod = containerd.pods[name]
    forms = list(_forms(pod))
    if pod.wanted.host_network:
        forms.remove(str(pod.pid))  # as any process of that network
    found = containerd.host.call(_each(*forms))
    assert dict(zip(forms, _ids(found), strict=True)) == dict.fromkeys(forms, pod.sandbox)


@pytest.mark.parametrize("name", ["web", "many", "again", "once"])
def test_a_pod_as_an_ordinary_user(name: str, containerd: Containerd) -> None:
    """By /proc alone: what runs, and its name from the kubelet's log folders."""
    pod = containerd.pods[name]
    running = {each.id: each for each in pod.containers if each.pid}
    forms = [pod.name, pod.sandbox[:12], str(pod.pid), *pod.addresses, *running]
    found = containerd.host.call(_each(*forms), NOBODY)
    assert dict(zip(forms, _ids(found), strict=True)) == dict.fromkeys(forms, pod.sandbox)


def test_twins(containerd: Containerd) -> None:
    one, other = containerd.pods["twin"], containerd.pods["other twin"]
    both = containerd.host.call(lambda: _find(one.name))
    assert isinstance(both, str)
    assert f"{one.namespace}/{one.name}" in both
    assert f"{other.namespace}/{other.name}" in both
    for pod in (one, other):
        found = containerd.host.call(lambda: _find(one.name, pod.namespace))  # noqa: B023
        assert _ids([found]) == [pod.sandbox]


def test_all_that_is_merged_is_right(containerd: Containerd) -> None:
    """Names are of CRI, PIDs and namespaces of /proc; every sandbox is there once."""

    def look() -> tuple[Sandbox, ...]:
        finder = _finder()
        try:
            return finder.sandboxes(detailed=True)
        finally:
            finder.close()

    uids = {pod.uid for pod in containerd.pods.values()}
    found = [each for each in containerd.host.call(look) if each.uid in uids]
    assert len({each.id for each in found}) == len(found) == len(uids) + 1
    by_id = {each.id: each for each in found}
    for pod in containerd.pods.values():
        one = by_id[pod.sandbox]
        assert (one.name, one.pid, one.addresses) == (pod.name, pod.pid, pod.addresses)
        inode = containerd.inside(pod.pid, "readlink", "/proc/self/ns/net").stdout.strip()
        assert f"net:[{one.inode}]" == inode
        pids = {each.id: each.pid or 0 for each in one.containers}
        assert pids == {each.id: each.pid for each in pod.containers}
    before = by_id[containerd.pods["again"].older[0]]
    assert (before.ready, before.pid) == (False, None)


def test_docker_by_every_form(docker: Docker) -> None:
    pod = docker.pods["ubuntu"]
    forms = [form for form in _forms(pod) if not form.startswith("containerd:")]
    forms += [*names(pod.wanted).values(), f"docker://{pod.containers[0].id}"]
    found = docker.host.call(_each(*forms))
    assert dict(zip(forms, _ids(found), strict=True)) == dict.fromkeys(forms, pod.sandbox)
    (plain,) = docker.host.call(_each("plain"))
    assert _ids([plain]) == [docker.plain.id]
