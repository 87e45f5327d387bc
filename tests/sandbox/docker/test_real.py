"""Debian's dockerd, with a kubelet's containers and others, compared with docker and `ip`."""

from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from kubehop.sandbox.docker.source import Docker
from kubehop.sandbox.values import Sandbox
from tests.sandbox.docker.containers import pod_labels
from tests.sandbox.docker.real import Dockerd, dockerd

UID = "0b1e0001-0000-4000-8000-000000000000"
WEB, APP = f"k8s_POD_web_shop_{UID}_1", f"k8s_app_web_shop_{UID}_4"


@pytest.fixture(scope="module")
def daemon() -> Iterator[Dockerd]:
    with dockerd() as made:
        labels = pod_labels("web", "shop", UID, docker_type="podsandbox")
        made.run(WEB, *(f"--label={key}={value}" for key, value in labels.items()))
        made.run(APP, "--network", f"container:{WEB}")
        made.run("k8s_POD_bare_shop_2_0", "--network", "none")
        made.run("plain")
        made.run("second", "--network", "container:plain")
        made.run("third", "--network", "container:second")
        made.run("node", "--network", "host")
        made.run("removed")
        made.run("left", "--network", "container:removed")
        made.docker("rm", "-f", "removed")
        made.run("ended")
        made.docker("kill", "ended")
        made.docker("network", "create", "--subnet", "172.30.0.0/16", "other")
        made.run("two")
        made.docker("network", "connect", "other", "two")
        made.docker("rename", "second", "renamed")
        # Nothing ends a process in a frozen cgroup (v1), the fixture's end neither.
        made.docker("pause", "plain")
        try:
            yield made
        finally:
            made.docker("unpause", "plain")


@pytest.fixture(scope="module")
def pods(daemon: Dockerd) -> Mapping[str, Sandbox]:
    with closing(Docker(daemon.socket)) as docker:
        cheap = docker.sandboxes()
        found = docker.detailed(cheap)
        assert [pod.addresses for pod in cheap] == [pod.addresses for pod in found]
        return {pod.name: pod for pod in found}


def test_each_sandbox_once(pods: Mapping[str, Sandbox]) -> None:
    assert {name: [each.name for each in pod.containers] for name, pod in pods.items()} == {
        "web": ["app"],
        "bare": [],
        "plain": ["plain", "third", "renamed"],
        "node": ["node"],
        "left": ["left"],
        "ended": ["ended"],
        "two": ["two"],
    }


@pytest.mark.parametrize(
    ("pod", "container"), [("web", WEB), ("plain", "plain"), ("node", "node"), ("two", "two")]
)
def test_ids_and_processes_are_dockers(
    pod: str, container: str, daemon: Dockerd, pods: Mapping[str, Sandbox]
) -> None:
    found = pods[pod]
    assert found.id == daemon.inspected(container, ".Id")
    assert str(found.pid) == daemon.inspected(container, ".State.Pid")
    assert found.runtime == f"docker {daemon.docker('version', '-f', '{{.Server.Version}}')}"
    assert (found.ready, found.handler, found.names) == (True, "runc", (container,))


@pytest.mark.parametrize(("pod", "count"), [("web", 2), ("plain", 2), ("two", 3), ("bare", 0)])
def test_addresses_are_those_inside(
    pod: str, count: int, daemon: Dockerd, pods: Mapping[str, Sandbox]
) -> None:
    found = pods[pod]
    assert found.pid
    assert len(found.addresses) == count
    assert set(found.addresses) == daemon.addresses(found.pid)


def test_containers_have_the_network_of_their_sandbox(
    daemon: Dockerd, pods: Mapping[str, Sandbox]
) -> None:
    for pod in ("web", "plain"):
        pids = [pods[pod].pid, *(each.pid for each in pods[pod].containers)]
        assert all(pids)
        links = {daemon.host.run("readlink", f"/proc/{pid}/ns/net").stdout for pid in pids}
        assert len(links) == 1
    (app,) = pods["web"].containers
    assert (app.attempt, app.names, app.running) == (4, (APP,), True)


def test_the_pod_is_known_by_its_labels(pods: Mapping[str, Sandbox]) -> None:
    web, bare = pods["web"], pods["bare"]
    assert (web.namespace, web.uid, web.attempt) == ("shop", UID, 1)
    assert (bare.namespace, bare.uid, bare.attempt) == ("shop", "2", 0)


def test_the_path_of_the_namespace(daemon: Dockerd, pods: Mapping[str, Sandbox]) -> None:
    for name in ("web", "plain", "bare"):
        inode = daemon.host.run("stat", "-c", "net:[%i]", pods[name].netns_path).stdout
        assert inode == daemon.host.run("readlink", f"/proc/{pods[name].pid}/ns/net").stdout


def test_host_network_ended_and_removed(pods: Mapping[str, Sandbox]) -> None:
    node, ended, left = pods["node"], pods["ended"], pods["left"]
    assert (node.host_network, node.addresses, node.netns_path) == (True, (), "")
    assert (ended.ready, ended.pid, ended.netns_path, ended.addresses) == (False, None, "", ())
    assert (left.ready, left.pid, [each.what for each in left.unknown]) == (True, None, ["pid"])
    assert left.containers[0].pid
