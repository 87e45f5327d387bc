"""The other end on this host is believed only if both ends say so, with the kernel's own ids."""

import pytest

from kubehop.lab.kernel import Base
from kubehop.sandbox.network import Reader, read_network
from kubehop.sandbox.peers import Ids, peers
from kubehop.sandbox.values import Interface, Peer
from tests.lab.inside import as_everyone, in_lab
from tests.real.needs import lacks
from tests.sandbox.network.making import Pod, can, ip, pod, wire

_HERE = Interface("eth0", 2, "veth", link=41, link_namespace=0)
_THERE = Interface("veth1", 41, "veth", link=2, link_namespace=7)
_IDS = Ids(0, 7)


@in_lab
@as_everyone
def test_of_several_pods_with_the_same_index(base: Base, uid: int | None) -> None:
    with pod() as one, pod() as two, Reader() as reader:
        wire(one, "one")
        wire(two, "two")
        for made, name in ((one, "one"), (two, "two")):
            network = reader.read(made.namespace, whole=False)
            (peer,) = network.peers
            assert (peer.name, peer.verified, peer.why) == (name, True, "")
            assert ip("-o", "link", "show", name).startswith(f"{peer.index}: ")
            assert (network.routes, network.unknown) == ((), ())


@in_lab
@as_everyone
def test_nested_where_indices_alone_mislead(base: Base, uid: int | None) -> None:
    """Ends 50 and 60 exist twice: between two pods, and between a third one and the host."""
    with pod() as inner, pod() as node, pod() as other:
        _pair(inner, 50, node, 60)
        ip(*f"link add host0 index 60 type veth peer name eth0 index 50 netns {other.pid}".split())
        assert [peer.name for peer in read_network(other.namespace).peers] == ["host0"]
        network = read_network(inner.namespace)
        assert network.peers == ()
        (unknown,) = network.unknown
        assert unknown.what == "peer of eth0"
        assert "not this host's" in unknown.why


@in_lab
@as_everyone
def test_a_macvlan_has_a_parent(base: Base, uid: int | None) -> None:
    with pod() as made:
        ip("link", "add", "up0", "type", "veth", "peer", "name", "up1")
        if not can(*f"link add link up0 name net1 netns {made.pid} type macvlan".split()):
            lacks("a kernel with macvlan")
        network = read_network(made.namespace)
        assert network.peers == ()
        (unknown,) = network.unknown
        assert unknown.why == "a macvlan has a parent, not a peer: up0 of this host"


@in_lab
def test_an_interface_that_came_meanwhile(base: Base) -> None:
    with pod() as made, Reader() as reader:
        assert reader.read(made.namespace).peers == ()
        wire(made, "late")
        network = reader.read(made.namespace)
        assert [peer.name for peer in network.peers] == ["late"], "the host has changed meanwhile"


def test_verified() -> None:
    assert peers([_HERE], [_THERE], _IDS) == ((Peer(2, "veth1", 41, True),), ())


@pytest.mark.parametrize(
    ("ids", "why"),
    [
        (Ids(None, 7), "the id of the host's namespace is not told inside"),
        (Ids(0, None), "the id of the namespace is not told on the host"),
    ],
)
def test_without_being_told_an_id_it_is_not_verified(ids: Ids, why: str) -> None:
    assert peers([_HERE], [_THERE], ids) == ((Peer(2, "veth1", 41, False, why),), ())


@pytest.mark.parametrize(
    ("here", "there", "why"),
    [
        (_HERE, Interface("x", 42), "this host has no interface 41"),
        (_HERE, Interface("x", 41, "veth", link=3, link_namespace=7), "does not point back"),
        (_HERE, Interface("x", 41, "bridge", link=2, link_namespace=7), "does not point back"),
        (_HERE, Interface("x", 41, "veth", link=2, link_namespace=8), "in another namespace"),
        (_HERE, Interface("x", 41, "veth", link=2), "in another namespace"),
        (Interface("a", 2, "veth", link=41, link_namespace=1), _THERE, "the id 1 there"),
        (Interface("a", 2, "veth", link=41, link_namespace=-1), _THERE, "gave no id"),
        (Interface("a", 2, "ipvlan", link=41, link_namespace=0), _THERE, "a parent, not a peer"),
        (Interface("a", 2, "gre", link=41, link_namespace=0), _THERE, "a gre has no peer"),
    ],
)
def test_no_peer(here: Interface, there: Interface, why: str) -> None:
    found, (unknown,) = peers([here], [there], _IDS)
    assert found == ()
    assert why in unknown.why


@pytest.mark.parametrize("ids", [Ids(-1, 7), Ids(0, -1), Ids(-1, -1)])
def test_a_namespace_without_an_id_has_no_other_end(ids: Ids) -> None:
    found, (unknown,) = peers([_HERE], [_THERE], ids)
    assert (found, unknown.what) == ((), "peer of eth0")


@pytest.mark.parametrize(
    "here",
    [
        Interface("lo", 1),
        Interface("sit0", 3, "sit", link=0),
        Interface("eth0.5", 4, "vlan", link=2),
        Interface("eth0"),
    ],
)
def test_nothing_to_look_for(here: Interface) -> None:
    assert peers([here], [_THERE], _IDS) == ((), ())


def test_a_netkit_is_a_pair() -> None:
    here = Interface("eth0", 2, "netkit", link=41, link_namespace=0)
    there = Interface("lxc1", 41, "netkit", link=2, link_namespace=7)
    assert peers([here], [there], _IDS) == ((Peer(2, "lxc1", 41, True),), ())


def _pair(one: Pod, index: int, other: Pod, other_index: int) -> None:
    words = f"link add eth0 index {index} type veth peer name peer0 index {other_index}"
    one.ip(*words.split(), "netns", str(other.pid))
