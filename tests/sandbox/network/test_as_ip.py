"""What is read from inside is what ip(8) prints there, octet for octet."""

from kubehop.lab.kernel import Base
from kubehop.render.pod_network import address_lines, route_lines
from kubehop.sandbox.namespace import inside
from kubehop.sandbox.network import read_network
from tests.lab.inside import as_everyone, in_lab
from tests.sandbox.network.making import Pod, can, ip, pod, same, text, wire

_EXTRAS = (
    "link add br0 type bridge",
    "link add v0 type veth peer name v1",
    "link set v0 master br0",
    "link set v1 up",
    "link set br0 up",
    "link add mac0 link eth0 type macvlan mode bridge",
    "link set mac0 up",
    "link add ifb0 type ifb",
    "link add mac1 link ifb0 type macvlan",
    "link add vx0 type vxlan id 7 dev eth0 dstport 4789",
    "link add vlan5 link eth0 type vlan id 5",
    "link add sit1 type sit remote 10.1.0.9 local 10.1.0.8",
    "link add gre1 type gre remote 10.1.0.9 local 10.1.0.8",
    "link add tun6 type ip6tnl remote fd00::9 local fd00::8",
    "link add fifteenletters0 type bridge",
    "link property add dev br0 altname a-name-that-is-much-longer-than-fifteen-letters",
    "link property add dev br0 altname another",
    "link set v1 group 7",
    "link set br0 promisc on",
    "link set vx0 mtu 1300",
    "tuntap add tun0 mode tun",
    "addr add 10.9.0.1 peer 10.9.0.2/32 dev v1",
)
_ADDRESSES = (
    "addr add 10.1.0.8/24 brd + dev eth0",
    "addr add 10.1.0.9/24 dev eth0",
    "addr add 10.1.0.10/24 dev eth0 label eth0:two",
    "addr add 10.42.0.8/32 scope link dev eth0",
    "addr add 10.2.0.1/16 dev eth0 valid_lft 5000 preferred_lft 4000 noprefixroute",
    "addr add 10.3.0.1/24 dev eth0 metric 77",
    "addr add 169.254.1.1/32 scope host dev lo",
    "addr add fd00::8/64 dev eth0",
    "addr add fd00::9/64 dev eth0 nodad",
    "addr add fd00::a/64 dev eth0 preferred_lft 0",
    "addr add fd00::b/64 dev eth0 valid_lft 5000 preferred_lft 4000 mngtmpaddr",
    "addr add fd01::1 peer fd01::2/128 dev eth0",
    "addr add fd02::1/64 dev eth0 home noprefixroute",
)
_ROUTES = (
    "route add default via 10.1.0.1",
    "route add 10.4.0.0/16 via 10.1.0.1 dev eth0 src 10.1.0.9 metric 50 proto static",
    "route add 10.5.0.1 dev eth0 scope link proto bird",
    "route add 10.6.0.0/16 nexthop via 10.1.0.2 weight 3 nexthop via 10.1.0.3 dev eth0 onlink",
    "route add 10.7.0.0/16 via 172.16.0.1 dev eth0 onlink mtu lock 1400 advmss 1200 rto_min 300ms",
    "route add 10.8.0.0/16 via inet6 fd00::1 dev eth0",
    "route add 10.10.0.0/16 dev eth0 initcwnd 20 quickack 1 features ecn congctl cubic rto_min 2s",
    "route add 10.11.0.0/16 tos 0x10 dev eth0 hoplimit 9 window 1000 rtt 2s",
    "route add blackhole 10.12.0.0/16",
    "route add unreachable 10.13.0.0/16",
    "route add prohibit 10.14.0.0/16 metric 5",
    "route add throw 10.15.0.0/16 proto 77",
    "route add 10.16.0.0/16 dev eth0 table 100",
    "route add default via 10.1.0.2 table 100",
    "route add 10.17.0.0/16 dev v1",
    "-6 route add default via fd00::1 dev eth0 metric 1024",
    "-6 route add fd10::/48 via fe80::1 dev eth0 pref high proto ra expires 4000",
    "-6 route add fd11::/48 via fe80::2 dev eth0 pref low src fd00::8",
    "-6 route add fd12::/48 nexthop via fe80::1 dev eth0 weight 2 nexthop via fe80::2 dev eth0",
    "-6 route add blackhole fd13::/48",
    "-6 route add unreachable fd14::/48 metric 9",
    "-6 route add prohibit fd15::/48",
    "-6 route add fd16::/48 from fd00::/64 dev eth0",
    "-6 route add fd17::1 dev eth0 mtu 1300 table 100",
    "nexthop add id 5 via 10.1.0.4 dev eth0",
    "route add 10.18.0.0/16 nhid 5",
)


@in_lab
@as_everyone
def test_addresses(base: Base, uid: int | None) -> None:
    with pod() as made:
        _furnished(made)
        same(lambda: _addresses(made), lambda: made.ip("addr"))


@in_lab
@as_everyone
def test_routes(base: Base, uid: int | None) -> None:
    with pod() as made:
        _furnished(made)
        assert len(made.ip("route").splitlines()) > 15, "the kernel took too few of them"
        same(lambda: _routes(made, 4), lambda: made.ip("route"))
        same(lambda: _routes(made, 6), lambda: made.ip("-6", "route"))
        same(lambda: _routes(made, 4, "100"), lambda: made.ip("route", "show", "table", "100"))
        same(
            lambda: _routes(made, 6, "100"), lambda: made.ip("-6", "route", "show", "table", "100")
        )


@in_lab
@as_everyone
def test_a_link_that_is_down(base: Base, uid: int | None) -> None:
    with pod() as made:
        _furnished(made)
        ip("link", "set", "host0", "down")
        same(lambda: _addresses(made), lambda: made.ip("addr"))
        same(lambda: _routes(made, 4), lambda: made.ip("route"))
        same(lambda: _routes(made, 6), lambda: made.ip("-6", "route"))
        assert "NO-CARRIER" in _addresses(made)


@in_lab
@as_everyone
def test_many_interfaces(base: Base, uid: int | None) -> None:
    with pod() as made:
        for number in range(50):
            wire(made, f"h{number}", f"interface-{number:03}")
        made.ip("addr", "add", "10.1.0.8/24", "dev", "interface-049")
        same(lambda: _addresses(made), lambda: made.ip("addr"))
        network = read_network(made.namespace)
        assert {one.name for one in network.peers} == {f"h{number}" for number in range(50)}
        assert all(one.verified for one in network.peers)


@in_lab
@as_everyone
def test_the_words_of_its_json(base: Base, uid: int | None) -> None:
    with pod() as made:
        _furnished(made)
        theirs = {one["ifname"]: one for one in made.json("-d", "addr")}
        ours = {one.name: one for one in read_network(made.namespace).interfaces}
        assert list(ours) == list(theirs)
        for name, one in ours.items():
            said = theirs[name]
            assert one.kind == said.get("linkinfo", {}).get("info_kind", "")
            assert one.flags == tuple(said["flags"])
            assert (one.index, one.mtu) == (said["ifindex"], said["mtu"])
            assert (one.link_type, one.mac) == (said["link_type"], said.get("address", ""))
            assert one.link_namespace == said.get("link_netnsid")
            assert (one.state, one.group) == (said["operstate"], said["group"])
            assert [address.address for address in one.addresses] == [
                address["local"] for address in said["addr_info"]
            ]


def _furnished(made: Pod) -> None:
    """All that this kernel has; at least the addresses and most of the rest must work."""
    wire(made, "host0")
    refused = [line for line in (*_EXTRAS, *_ADDRESSES, *_ROUTES) if not _done(made, line)]
    assert not set(refused) & set(_ADDRESSES)
    assert len(refused) < 10, refused


def _done(made: Pod, line: str) -> bool:
    with inside(made.namespace):
        return can(*line.split())


def _addresses(made: Pod) -> str:
    return text(address_lines(read_network(made.namespace).interfaces))


def _routes(made: Pod, family: int, table: str = "main") -> str:
    return text(route_lines(read_network(made.namespace).routes, family, table))
