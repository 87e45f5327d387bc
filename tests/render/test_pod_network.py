"""A pod's network as text; what ip(8) prints is compared in tests/sandbox/network."""

from kubehop.render.pod_network import address_lines, network_lines, route_lines
from kubehop.sandbox.values import (
    Interface,
    InterfaceAddress,
    Listening,
    Network,
    NextHop,
    Peer,
    Route,
    Unknown,
)

_EVIL = "a\x1b[2J"
_NETWORK = Network(
    inode=7,
    interfaces=(
        Interface(
            name="eth0",
            index=2,
            kind="veth",
            flags=("UP", "LOWER_UP"),
            mtu=1450,
            qdisc="noqueue",
            state="UP",
            group="default",
            queue_length=0,
            link_type="ether",
            mac="0a:00:00:00:00:01",
            broadcast="ff:ff:ff:ff:ff:ff",
            link=41,
            link_namespace=0,
            addresses=(InterfaceAddress("10.42.0.8", 24, label="eth0", broadcast="10.42.0.255"),),
        ),
    ),
    routes=(
        Route(4, "default", "eth0", "10.42.0.1", protocol="boot", scope="global"),
        Route(4, "10.7.0.0/16", "eth0", table="100", scope="link", protocol="static"),
    ),
    listening=(
        Listening("tcp", "::", 80, both_families=True, program="nginx", pid=4711),
        Listening("udp", "127.0.0.1", 53),
    ),
    peers=(
        Peer(2, "veth1", 41, True),
        Peer(3, "veth2", 42, False, "not told"),
        Peer(4, "veth3", 43, True, container="0123456789abcdef"),
    ),
    unknown=(Unknown("peer of net1", "a macvlan has a parent, not a peer", "root"),),
)


def test_all_of_it() -> None:
    assert network_lines(_NETWORK) == [
        "interfaces:",
        "  2: eth0@if41: <UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default ",
        "      link/ether 0a:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0",
        "      inet 10.42.0.8/24 brd 10.42.0.255 scope global eth0",
        "         valid_lft forever preferred_lft forever",
        "routes of IPv4:",
        "  default via 10.42.0.1 dev eth0 ",
        "routes of IPv4, table 100:",
        "  10.7.0.0/16 dev eth0 proto static scope link ",
        "peers:",
        "  eth0 (2): veth1 (41) on this host",
        "  ? (3): veth2 (42) on this host, not verified: not told",
        "  ? (4): veth3 (43) in container 0123456789abc, the host of this pod",
        "listening:",
        "  tcp [::]:80, IPv4 too nginx (PID 4711)",
        "  udp 127.0.0.1:53",
        "unknown:",
        "  peer of net1: a macvlan has a parent, not a peer (needs root)",
    ]


def test_nothing_is_left_out_in_silence_and_nothing_made_up() -> None:
    assert network_lines(Network(None)) == []
    partly = Interface("eth0", addresses=(InterfaceAddress("10.42.0.8", None),))
    assert address_lines([partly]) == [
        "eth0: ",
        "    inet 10.42.0.8 scope global ",
    ]


def test_links_to_nothing_and_to_the_unknown() -> None:
    nothing, gone = Interface("sit0", 3, mtu=9, link=0), Interface("x", 4, link=9, master=8)
    assert [line for line in address_lines([nothing, gone]) if "@" in line] == [
        "3: sit0@NONE: <> mtu 9 ",
        "4: x@if9: master if8 ",
    ]
    (_, second) = address_lines([Interface("y", 5, link_type="ether", link_namespace=-1)])
    assert second.endswith(" link-netnsid unknown")


def test_names_cannot_drive_a_terminal() -> None:
    hop = NextHop("10.0.0.1", _EVIL, 1)
    network = Network(
        None,
        interfaces=(
            Interface(_EVIL, 2, other_names=(_EVIL,), master=2, link=2),
            Interface("b", 3, addresses=(InterfaceAddress("10.0.0.2", 24, label=_EVIL),)),
        ),
        routes=(
            Route(4, "default", _EVIL, nexthops=(hop,)),
            Route(6, "default", _EVIL, table=_EVIL),
        ),
        listening=(Listening("tcp", "::", 80, program=_EVIL),),
        peers=(Peer(2, _EVIL, 41, False, _EVIL),),
        unknown=(Unknown(_EVIL, _EVIL, _EVIL),),
    )
    said = network_lines(network)
    assert any("\\x1b[2J" in line for line in said)
    assert not any("\x1b" in line for line in said)


def test_a_gateway_of_the_other_family() -> None:
    assert route_lines([Route(4, "10.0.0.0/8", "eth0", "fe80::1")], 4) == [
        "10.0.0.0/8 via inet6 fe80::1 dev eth0 "
    ]
