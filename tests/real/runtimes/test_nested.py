"""`kubehop pod` on a host in a container, as kind makes it, and on the host around that."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from kubehop.sandbox.docker.source import docker_sources
from kubehop.sandbox.host import Host as Finder
from tests.real.runtimes import said
from tests.real.runtimes.asked import compare, json_of
from tests.real.runtimes.host import NOBODY
from tests.real.runtimes.kubelet import Pod, Started, hosts_text
from tests.real.runtimes.nested import Nested

PODS = ("web", "proxy")
BY_CRI, BY_PROC = ("--source", "cri"), ("--source", "proc")
WAYS: list[tuple[bool, tuple[str, ...], int | None]] = [
    (True, (), None), (True, BY_CRI, None), (True, BY_PROC, None), (True, (), NOBODY),
    (False, BY_PROC, None), (False, (), NOBODY),
]  # fmt: skip
"""Whether with cgroup namespaces of its own, options, user."""
each_pod = pytest.mark.parametrize("name", PODS)
each_user = pytest.mark.parametrize("uid", [None, NOBODY])


def _outside(nested: Nested, name: str) -> Pod:
    """A pod with the PIDs that it has out here."""
    pod = nested.pods[name]
    seen = nested.node.seen_outside
    containers = tuple(Started(one.name, one.id, seen(one.pid)) for one in pod.containers)
    return replace(pod, pid=seen(pod.pid), containers=containers)


def _containers(sandbox: dict[str, Any], named: bool = True) -> set[tuple[Any, ...]]:
    return {(one["id"], one["pid"], one["name"] * named) for one in sandbox["containers"]}


def _real(pod: Pod, named: bool = True) -> set[tuple[Any, ...]]:
    return {(one.id, one.pid, one.name * named) for one in pod.containers}


@each_pod
@pytest.mark.parametrize(("own", "words", "uid"), WAYS, ids=str)
def test_in_the_node_it_is_as_on_any_host(
    own: bool, words: tuple[str, ...], uid: int | None, name: str, nested: Nested
) -> None:
    """Older nodes of kind have the cgroup namespace of the host around: their own id is in it."""
    pod, node = nested.pods[name], nested.node if own else nested.node.in_outer_cgroups()
    answer = json_of(node, "ip", f"{pod.namespace}/{pod.name}", *words, uid=uid)
    compare(answer, partial(nested.node.inside, pod.pid), pod, whole=uid is None)
    if "cri" not in words:  # whose list has no PIDs of containers
        named = uid is None
        assert _containers(answer["sandbox"], named) == _real(pod, named)
    assert "in container" not in answer["sandbox"]["source"]
    if uid is None and name != "proxy":
        assert [peer["verified"] for peer in answer["network"]["peers"]] == [True]


@each_user
def test_the_list_in_the_node(uid: int | None, nested: Nested) -> None:
    found = json_of(nested.node, "list", uid=uid)["items"]
    assert {one["id"]: (one["name"], one["pid"]) for one in found} == {
        pod.sandbox: (pod.name, pod.pid) for pod in nested.pods.values()
    }


@each_pod
def test_the_host_around_tells_the_same(name: str, nested: Nested) -> None:
    pod, host = _outside(nested, name), nested.outer.host
    answer = json_of(host, "ip", f"{pod.namespace}/{pod.name}")
    compare(answer, partial(host.inside, pod.pid), pod, whole=True)
    assert _containers(answer["sandbox"]) == _real(pod)
    assert answer["sandbox"]["source"] == f"/proc, in container {nested.node.id[:13]}"
    if name != "proxy":
        assert answer["files"]["hosts"] == hosts_text(pod.wanted)
        assert answer["files"]["hostname"].strip() == pod.name


@each_pod
def test_the_other_end_is_in_the_node(name: str, nested: Nested) -> None:
    """Of its network a host has no interface, even where one has the right number."""
    pod, host = _outside(nested, name), nested.outer.host
    answer = json_of(host, "ip", pod.sandbox)
    routes = said.answered(nested.node.run, "route")
    ends = {route["dev"] for route in routes if route["dst"] in pod.addresses}
    if name == "proxy":  # in the node's own network, which the outer host leads to
        assert [peer["verified"] for peer in answer["network"]["peers"]] == [True]
        return
    (peer,) = answer["network"]["peers"]
    assert (peer["name"], peer["verified"], peer["container"]) == (ends.pop(), True, nested.node.id)
    assert not ends
    assert not [one for one in answer["network"]["unknown"] if one["what"].startswith("peer")]


@each_pod
def test_an_ordinary_user_of_the_host_around(name: str, nested: Nested) -> None:
    """The names are in the node's own folders."""
    pod, host = _outside(nested, name), nested.outer.host
    answer = json_of(host, "ip", pod.sandbox, uid=NOBODY)
    answer["sandbox"]["name"] = pod.name
    compare(answer, partial(host.inside, pod.pid), pod, whole=False)
    assert answer["sandbox"]["source"] == f"/proc, in container {nested.node.id[:13]}"
    needs = {one["what"]: one["needs"] for one in answer["sandbox"]["unknown"]}
    assert "root" in needs["name"]


@each_user
def test_the_list_of_the_host_around(uid: int | None, nested: Nested) -> None:
    """The node is a container of docker's, no pod's."""
    found = {one["id"]: one for one in json_of(nested.outer.host, "list", uid=uid)["items"]}
    for name in PODS:
        pod = _outside(nested, name)
        one = found[pod.sandbox]
        assert (one["pid"], one["hostNetwork"]) == (pod.pid, pod.wanted.host_network)
        assert one["name"] == ("" if uid else pod.name)
        assert uid or bool(one["hostInterfaces"]) == pod.wanted.host_network
    if uid is None:
        node = found[nested.node.id]
        assert (node["name"], node["uid"]) == ("kind-control-plane", "")
        assert node["pid"] == nested.node.pid


def test_what_means_a_pod_of_the_node(nested: Nested) -> None:
    pod, host = _outside(nested, "web"), nested.outer.host
    forms = [pod.sandbox[:12], str(pod.pid), *pod.addresses, pod.name]
    forms += [one.id for one in pod.containers] + [str(one.pid) for one in pod.containers]
    assert host.call(lambda: [_found(form) for form in forms]) == [pod.sandbox] * len(forms)
    forms = ["kind-control-plane", nested.node.id[:12], f"docker://{nested.node.id}"]
    assert host.call(lambda: [_found(form) for form in forms]) == [nested.node.id] * len(forms)


def _found(text: str) -> str:
    finder = Finder({"docker": docker_sources})
    try:
        return finder.find(text).sandbox.id
    finally:
        finder.close()


def test_a_program_of_the_outer_host_in_a_pod_of_the_node(nested: Nested) -> None:
    pod, host = _outside(nested, "web"), nested.outer.host
    done = host.kubehop("pod", "exec", pod.name, "--files", "--", "cat", "/etc/hosts")
    assert (done.stdout, done.returncode) == (hosts_text(pod.wanted), 0)
    done = host.kubehop("pod", "exec", pod.name, "--", "ip", "route")
    assert done.stdout.splitlines() == said.lines(partial(host.inside, pod.pid), "ip", "route")
