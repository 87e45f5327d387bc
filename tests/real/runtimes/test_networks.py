"""Networks of real pods, compared with what `ip` and `ss` say inside of them."""

from contextlib import closing
from functools import partial

import pytest

from kubehop.render.pod_network import address_lines, route_lines
from kubehop.sandbox.namespace import namespace_of, open_namespace
from kubehop.sandbox.network import read_network
from kubehop.sandbox.proc.network import network_from_proc
from kubehop.sandbox.values import Network, Sandbox
from tests.real.runtimes import said
from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.host import NOBODY

PODS = ("web", "many", "node", "again", "once", "twin", "other twin", "planted", "static")
_SECOND_WAY = {("10.70.0.0/16", "192.0.2.8", "net1234567890ab", 0)}
"""Of a route with two next hops /proc/net/route shows the first."""
each_pod = pytest.mark.parametrize("name", PODS)


def _network(containerd: Containerd, name: str) -> Network:
    pid = containerd.pods[name].pid

    def read() -> Network:
        with closing(namespace_of(pid)) as namespace:
            return read_network(namespace)

    return containerd.host.call(read)


def _inside(containerd: Containerd, name: str) -> said.Inside:
    return partial(containerd.inside, containerd.pods[name].pid)


@each_pod
def test_interfaces_and_addresses_are_as_ip_prints_them(name: str, containerd: Containerd) -> None:
    inside = _inside(containerd, name)
    found = address_lines(_network(containerd, name).interfaces)
    assert said.without_time(found) == said.lines(inside, "ip", "addr")


@each_pod
def test_interfaces_have_the_values_of_ip(name: str, containerd: Containerd) -> None:
    """The text is compared above; here the values that it is made of."""
    found = {link.index: link for link in _network(containerd, name).interfaces}
    real = said.answered(_inside(containerd, name), "-d", "addr")
    assert sorted(link["ifindex"] for link in real) == sorted(index or 0 for index in found)
    for link in real:
        ours = found[link["ifindex"]]
        assert (ours.name, ours.mtu, list(ours.flags)) == (
            link["ifname"],
            link["mtu"],
            link["flags"],
        )
        assert (ours.mac, ours.kind) == (
            link["address"],
            link.get("linkinfo", {}).get("info_kind", ""),
        )
        assert [(one.address, one.prefix, one.scope) for one in ours.addresses] == [
            (one["local"], one["prefixlen"], one["scope"]) for one in link["addr_info"]
        ]


@each_pod
@pytest.mark.parametrize("family", [4, 6])
def test_routes_are_as_ip_prints_them(name: str, family: int, containerd: Containerd) -> None:
    found = route_lines(_network(containerd, name).routes, family)
    assert found == said.lines(_inside(containerd, name), "ip", f"-{family}", "route")


def test_routes_of_another_table(containerd: Containerd) -> None:
    found = route_lines(_network(containerd, "many").routes, 4, "100")
    assert found == said.lines(_inside(containerd, "many"), "ip", "route", "show", "table", "100")
    assert found


@each_pod
def test_listening_sockets_are_those_of_ss(name: str, containerd: Containerd) -> None:
    found = said.sockets_of(_network(containerd, name).listening)
    assert found == said.sockets(_inside(containerd, name))
    assert (len(found) == 12) == (name == "web")


@each_pod
def test_the_peer_is_the_interface_that_leads_there(name: str, containerd: Containerd) -> None:
    """Known by its routes: the host has one to each pod address by the pod's own interface."""
    pod, network = containerd.pods[name], _network(containerd, name)
    routes = said.answered(partial(containerd.host.run), "route")
    (real,) = {route["dev"] for route in routes if route["dst"] in pod.addresses} or {""}
    eth0 = next((link for link in network.interfaces if link.name == "eth0"), None)
    ends = {peer.name for peer in network.peers if eth0 and peer.interface == eth0.index}
    assert ends == ({real} if real else set())
    assert all(peer.verified for peer in network.peers)
    assert bool(real) == (name != "node")


@each_pod
@pytest.mark.parametrize("uid", [None, NOBODY])
def test_proc_alone_tells_the_same(name: str, uid: int | None, containerd: Containerd) -> None:
    pid, inside = containerd.pods[name].pid, _inside(containerd, name)
    found = containerd.host.call(lambda: network_from_proc(pid), uid)
    ours, theirs = said.addresses_of(found), said.addresses(inside)
    assert {address for _, address in ours} == {address for _, address in theirs}
    homeless = {address for interface, address in ours if not interface}
    assert {each for each in ours if each[0]} <= theirs
    assert bool(homeless) == any("interface and" in each.what for each in found.unknown)
    real = said.without_families(said.sockets(inside))
    assert said.without_families(said.sockets_of(found.listening)) == real
    assert {link.name for link in found.interfaces if link.name} == {
        link["ifname"] for link in said.answered(inside, "link")
    }


@each_pod
@pytest.mark.parametrize("family", [4, 6])
def test_proc_alone_tells_the_same_routes(name: str, family: int, containerd: Containerd) -> None:
    found = network_from_proc(containerd.pods[name].pid).routes
    real = said.routes(_inside(containerd, name), family)
    ours = said.routes_of(found, family)
    missing = real - ours
    assert ours <= real
    assert missing == (_SECOND_WAY if (name, family) == ("many", 4) else set())


def test_a_namespace_by_the_path_of_the_runtime(containerd: Containerd) -> None:
    """As with CRI-O, which has no pause process: in that host the path leads there."""
    pod = containerd.pods["twin"]
    real = said.lines(_inside(containerd, "twin"), "readlink", "/proc/self/ns/net")
    names = containerd.host.run("ls", "/run/netns").stdout.split()

    def inodes() -> set[str]:
        found = set()
        for name in names:
            with closing(open_namespace(Sandbox(netns_path=f"/var/run/netns/{name}"))) as namespace:
                found.add(f"net:[{namespace.inode}]")
        return found

    assert pod.pid
    assert set(real) < containerd.host.call(inodes)
