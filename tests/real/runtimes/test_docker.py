"""Docker's pods: what the Docker API and /proc tell, compared with what was made and with `ip`."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial

import pytest

from kubehop.render.pod_network import address_lines, route_lines
from kubehop.sandbox.docker.source import Docker as Source
from kubehop.sandbox.files import read_files
from kubehop.sandbox.namespace import open_namespace
from kubehop.sandbox.network import read_network
from kubehop.sandbox.proc.source import Proc
from kubehop.sandbox.values import Network, Sandbox
from tests.real.runtimes import said
from tests.real.runtimes.docker import Docker, names
from tests.real.runtimes.host import NOBODY
from tests.real.runtimes.kubelet import resolv_text

PODS = ("ubuntu", "node")


def _by_docker(docker: Docker) -> dict[str, Sandbox]:
    with closing(Source(docker.socket)) as source:
        return {each.id: each for each in source.detailed(source.sandboxes())}


def test_docker_tells_what_was_made(docker: Docker) -> None:
    found = _by_docker(docker)
    for pod in docker.pods.values():
        one, name = found[pod.sandbox], names(pod.wanted)
        assert (one.namespace, one.name, one.uid) == (pod.namespace, pod.name, pod.uid)
        assert (one.pid, one.ready, one.names) == (pod.pid, True, (name["POD"],))
        assert one.host_network == pod.wanted.host_network
        assert {(each.id, each.name, each.pid, each.names) for each in one.containers} == {
            (each.id, each.name, each.pid, (name[each.name],)) for each in pod.containers
        }
    assert docker.plain.id in found


@pytest.mark.parametrize("name", PODS)
def test_the_network_is_as_ip_prints_it(name: str, docker: Docker) -> None:
    pod = docker.pods[name]
    sandbox = _by_docker(docker)[pod.sandbox]

    def read() -> Network:
        with closing(open_namespace(sandbox, docker.host.pid)) as namespace:
            return read_network(namespace)

    found, inside = docker.host.call(read), partial(docker.inside, pod.pid)
    assert said.without_time(address_lines(found.interfaces)) == said.lines(inside, "ip", "addr")
    for family in (4, 6):
        real = said.lines(inside, "ip", f"-{family}", "route")
        assert route_lines(found.routes, family) == real
    assert set(pod.addresses) <= {address for _, address in said.addresses_of(found)}
    assert bool(found.peers) == (name != "node")
    assert all(peer.verified for peer in found.peers)


@pytest.mark.parametrize("uid", [None, NOBODY])
def test_proc_alone_finds_them(uid: int | None, docker: Docker) -> None:
    def look() -> Sequence[Sandbox]:
        source = Proc()
        return source.detailed(source.sandboxes())

    found = {each.uid: each for each in docker.host.call(look, uid) if each.uid}
    for pod in docker.pods.values():
        one = found[pod.uid]
        assert (one.id, one.pid) == (pod.sandbox, pod.pid)
        assert {(each.id, each.pid) for each in one.containers} == {
            (each.id, each.pid) for each in pod.containers
        }
        if not pod.wanted.host_network:
            assert set(pod.addresses) <= set(one.addresses)


def test_files_are_those_of_the_pod(docker: Docker) -> None:
    pod = docker.pods["ubuntu"]
    sandbox = _by_docker(docker)[pod.sandbox]
    found = docker.host.call(lambda: read_files(sandbox))
    servers, searches, _ = resolv_text(pod.wanted)
    words = [line.split() for line in (found.resolv_conf or "").splitlines()]
    assert [line[1] for line in words if line[0] == "nameserver"] == servers
    assert ["search", *searches] in words
    assert (found.hostname or "").strip() == pod.name
    assert f"{pod.name}.of-the-kubelet" in (found.hosts or "")
