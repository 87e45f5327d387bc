"""Every kind of thing, made, read back with iproute2, taken away."""

from pathlib import Path
from typing import Any

import pytest

from kubehop.lab.kernel import Base
from kubehop.lab.plan.values import (
    Address,
    Forward,
    Lookup,
    Make,
    Neighbour,
    Remove,
    Route,
    RouteKind,
    Sandbox,
    Sysctl,
    Thing,
    Veth,
    Vxlan,
)
from kubehop.model.errors import ClusterError
from tests.lab.inside import as_everyone, in_lab
from tests.lab.kernel.world import (
    GATEWAY,
    NODE,
    POD,
    ip,
    mac,
    make,
    node,
    only,
    pod,
    remove,
    said,
    standing,
)

_VXLAN = Vxlan(NODE, "flannel.1", mac(9), "192.168.0.1")


@as_everyone
@in_lab
def test_a_pair_of_links_is_up_at_both_ends_and_has_names_macs_and_mtu(
    base: Base, uid: int | None
) -> None:
    with standing(base, *node(), *pod(POD, 2)) as kernel:
        outer = only(ip(kernel, NODE, "link", "show", "cali2"))
        inner = only(ip(kernel, POD, "link", "show", "eth0"))
        for link, address in ((outer, mac(1, 2)), (inner, mac(2, 2))):
            assert (link["address"], link["mtu"]) == (address, 1450)
            assert link["linkinfo"]["info_kind"] == "veth"
            assert "UP" in link["flags"]
        assert (outer["link_index"], inner["link_index"]) == (inner["ifindex"], outer["ifindex"])
        assert "UP" in only(ip(kernel, POD, "link", "show", "lo"))["flags"]
        kernel.apply([Remove(pod(POD, 2)[1])])
        assert [link["ifname"] for link in ip(kernel, NODE, "link")] == ["lo"]
        assert [link["ifname"] for link in ip(kernel, POD, "link")] == ["lo"]


@as_everyone
@in_lab
def test_links_have_only_the_addresses_that_they_were_given(base: Base, uid: int | None) -> None:
    with standing(base, *node(), *pod(POD, 2)) as kernel:
        found = ip(kernel, POD, "address", "show", "eth0")[0]["addr_info"]
        assert [(a["local"], a["prefixlen"], a["scope"]) for a in found] == [
            ("10.42.0.2", 32, "global"),
            ("fd42::2", 128, "global"),
        ]
        assert found[1]["nodad"]
        assert "tentative" not in found[1]
        assert ip(kernel, NODE, "address", "show", "cali2")[0]["addr_info"] == []
        kernel.apply([Remove(Address(POD, "eth0", "fd42::2/128"))])
        assert len(ip(kernel, POD, "address", "show", "eth0")[0]["addr_info"]) == 1


@as_everyone
@in_lab
def test_a_vxlan_is_as_flannel_makes_it(base: Base, uid: int | None) -> None:
    entry = Forward(NODE, "flannel.1", mac(9, 2), "192.168.0.2")
    with standing(base, *node(), _VXLAN, entry) as kernel:
        link = only(ip(kernel, NODE, "link", "show", "flannel.1"))
        data = link["linkinfo"]["info_data"]
        assert (link["mtu"], link["address"]) == (1450, mac(9))
        assert (data["id"], data["port"], data["local"]) == (1, 8472, "192.168.0.1")
        assert (data["learning"], data["udp_csum"]) == (False, True)
        forwards = [line.split() for line in said(kernel, NODE, "bridge", "fdb").splitlines()]
        wanted = f"{mac(9, 2)} dev flannel.1 dst 192.168.0.2 self permanent".split()
        assert wanted in forwards
        kernel.apply([Remove(entry)])
        assert wanted not in [
            line.split() for line in said(kernel, NODE, "bridge", "fdb").splitlines()
        ]
        kernel.apply([Remove(_VXLAN)])
        assert not any(link["ifname"] == "flannel.1" for link in ip(kernel, NODE, "link"))


_ROUTES: dict[str, tuple[Route, dict[str, Any]]] = {
    "default": (
        Route(POD, "0.0.0.0/0", "eth0", via=GATEWAY, mtu=1400),
        {"dst": "default", "gateway": GATEWAY, "dev": "eth0", "flags": ["onlink"]}
        | {"metrics": [{"mtu": 1400}], "scope": "global"},
    ),
    "default, IPv6": (
        Route(POD, "::/0", "eth0", via="fe80::1"),
        {"dst": "default", "gateway": "fe80::1", "dev": "eth0", "flags": ["onlink"]},
    ),
    "host": (
        Route(POD, "10.9.9.9/32", "eth0", source="10.42.0.2"),
        {"dst": "10.9.9.9", "dev": "eth0", "scope": "link", "prefsrc": "10.42.0.2"},
    ),
    "network in a table": (
        Route(POD, "10.9.0.0/16", "eth0", table=1000),
        {"dst": "10.9.0.0/16", "dev": "eth0", "table": "1000"},
    ),
    "local": (
        Route(POD, "0.0.0.0/0", "lo", kind=RouteKind.LOCAL, table=255),
        {"type": "local", "dst": "default", "dev": "lo", "scope": "host", "table": "local"},
    ),
    "local, IPv6": (
        Route(POD, "fd99::/16", "lo", kind=RouteKind.LOCAL, table=255),
        {"type": "local", "dst": "fd99::/16", "dev": "lo", "table": "local"},
    ),
    "unreachable": (
        Route(POD, "10.8.0.0/16", kind=RouteKind.UNREACHABLE),
        {"type": "unreachable", "dst": "10.8.0.0/16"},
    ),
    "blackhole, IPv6": (
        Route(POD, "fd88::/32", kind=RouteKind.BLACKHOLE),
        {"type": "blackhole", "dst": "fd88::/32"},
    ),
}


@as_everyone
@in_lab
def test_routes(base: Base, uid: int | None) -> None:
    with standing(base, *node(), *pod(POD, 2)[:6]) as kernel:
        for name, (route, wanted) in _ROUTES.items():
            show = ("-6" if ":" in route.to else "-4", "route", "show", "table", "all")
            before = ip(kernel, POD, *show)
            kernel.apply([Make(route)])
            (made,) = [one for one in ip(kernel, POD, *show) if one not in before]
            assert made | wanted == made, name
            kernel.apply([Remove(route)])
            assert ip(kernel, POD, *show) == before, name


@as_everyone
@in_lab
def test_neighbours_rules_and_settings(base: Base, uid: int | None) -> None:
    neighbour = Neighbour(POD, "eth0", "fe80::1", mac(1, 2))
    rules: list[Thing] = [
        Lookup(NODE, 4, 100, 1000, 0x1234),
        Lookup(NODE, 6, 101, 7),
    ]
    with standing(base, *node(), *pod(POD, 2), *rules) as kernel:
        found = ip(kernel, POD, "-6", "neighbour")
        assert [(n["dst"], n["lladdr"], n["state"]) for n in found] == [
            ("fe80::1", mac(1, 2), ["PERMANENT"])
        ]
        kernel.apply([Remove(neighbour)])
        assert ip(kernel, POD, "-6", "neighbour") == []
        marked = ip(kernel, NODE, "-4", "rule", "show", "priority", "100")[0]
        assert (marked["fwmark"], marked["table"]) == ("0x1234", "1000")
        assert ip(kernel, NODE, "-6", "rule", "show", "priority", "101")[0]["table"] == "7"
        kernel.apply(remove(rules))
        assert ip(kernel, NODE, "-4", "rule", "show", "priority", "100") == []
        setting = Sysctl(NODE, "net.ipv4.conf.cali2.rp_filter", "2")
        dotted = Sysctl(NODE, "net.ipv6.conf.flannel/1.accept_ra", "0")
        kernel.apply([Make(_VXLAN), Make(setting), Make(dotted)])
        with kernel.inside(NODE):
            conf = Path("/proc/sys/net")
            assert (conf / "ipv4/conf/cali2/rp_filter").read_text() == "2\n"
            assert (conf / "ipv6/conf/flannel.1/accept_ra").read_text() == "0\n"
            assert (conf / "ipv4/ip_forward").read_text() == "1\n"


@as_everyone
@in_lab
def test_a_sandbox_takes_its_links_with_it_and_its_namespace_may_come_again(
    base: Base, uid: int | None
) -> None:
    pods = [pod(f"pod/default/p{number}", number) for number in range(2, 6)]
    with standing(base, *node(), *(thing for one in pods for thing in one)) as kernel:
        kernel.apply([Remove(one[0]) for one in pods[:3]])
        links = [link["ifname"] for link in ip(kernel, NODE, "link")]
        assert links == ["lo", "cali5"]
        assert [route["dst"] for route in ip(kernel, NODE, "route")] == ["10.42.0.5"]
        kernel.apply(make(pods[0]))
        kernel.apply(remove(pods[0]))
        kernel.apply(remove((*pods[0], *node())))
        assert kernel.pids() == {kernel.inner_pid("pod/default/p5")}


@in_lab
def test_what_the_kernel_refuses_is_one_line_with_the_thing_and_the_reason(base: Base) -> None:
    with standing(base, *node()) as kernel:
        twice = Address(NODE, "lo", "192.168.0.1/32")
        with pytest.raises(ClusterError, match=r"Address\(.*192.168.0.1/32.*File exists") as found:
            kernel.apply([Make(Address(NODE, "lo", "192.168.0.9/32")), Make(twice)])
        assert "\n" not in str(found.value)
        assert len(ip(kernel, NODE, "-4", "address", "show", "lo")[0]["addr_info"]) == 3
        with pytest.raises(ClusterError, match="no device eth9 in node/a"):
            kernel.apply([Make(Address(NODE, "eth9", "192.168.0.1/32"))])
        with pytest.raises(ClusterError, match=r"no\.such.*No such file"):
            kernel.apply([Make(Sysctl(NODE, "net.no.such", "1"))])
        with pytest.raises(ClusterError, match="node/a already"):
            kernel.apply([Make(Sandbox(NODE, "a"))])
        with pytest.raises(ClusterError, match=r"Veth.*File exists"):
            kernel.apply([Make(Veth(NODE, "lo", mac(1), NODE, "x", mac(2)))])
