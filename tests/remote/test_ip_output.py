"""`ip` as iproute2 and busybox print it: against each other, and against anything else."""

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.remote import image, ip_json, ip_text, seen

CONTAINER = b"""1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host
       valid_lft forever preferred_lft forever
2: eth0@if41: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1450 qdisc noqueue
    link/ether 3a:5f:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 10.42.0.8/24 brd 10.42.0.255 scope global eth0
       valid_lft forever preferred_lft forever
    inet6 fe80::385f:ff:fe00:1/64 scope link
       valid_lft 60sec preferred_lft 0sec
3: eth0.5@eth0: <BROADCAST,MULTICAST> mtu 1450 qdisc noop
    link/ether 3a:5f:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 192.0.2.1 peer 192.0.2.9/32 scope global eth0.5
"""


def test_busyboxs_text() -> None:
    lo, eth0, vlan = ip_text.interfaces(CONTAINER)
    assert (lo.name, lo.index, lo.link, lo.mtu, lo.queue_length) == ("lo", 1, None, 65536, 1000)
    assert [(each.address, each.prefix, each.scope) for each in lo.addresses] == [
        ("127.0.0.1", 8, "host"),
        ("::1", 128, "host"),
    ]
    assert (eth0.link, eth0.mac, eth0.flags[-1]) == (41, "3a:5f:00:00:00:01", "M-DOWN")
    assert eth0.addresses[0].broadcast == "10.42.0.255"
    assert eth0.addresses[0].valid_seconds is None
    assert (eth0.addresses[1].valid_seconds, eth0.addresses[1].preferred_seconds) == (60, 0)
    assert (vlan.link, vlan.addresses[0].peer, vlan.addresses[0].prefix) == (2, "192.0.2.9", 32)


@pytest.mark.parametrize("program", ["ip", "busybox"])
def test_text_tells_what_json_tells(program: str) -> None:
    if shutil.which("ip") is None or shutil.which(program) is None:
        pytest.skip(f"skipped: needs ip and {program}")
    command = ["ip", "addr"] if program == "ip" else ["busybox", "ip", "addr"]
    text = subprocess.run(command, capture_output=True, check=True).stdout
    said = subprocess.run(["ip", "-j", "-d", "addr"], capture_output=True, check=True).stdout
    by_text, by_json = ip_text.interfaces(text), ip_json.interfaces(said)
    assert by_json
    for one, other in zip(by_text, by_json, strict=True):
        assert (one.name, one.index, one.mtu, one.mac) == (
            other.name,
            other.index,
            other.mtu,
            other.mac,
        )
        assert [(each.address, each.prefix, each.scope) for each in one.addresses] == [
            (each.address, each.prefix, each.scope) for each in other.addresses
        ]


def test_json_of_a_pod() -> None:
    said = [
        {},
        {"ifindex": 2, "link_index": 41, "ifname": "eth0", "flags": ["UP"], "mtu": 1450,
         "link_netnsid": 0, "address": "3a:5f:00:00:00:01", "linkinfo": {"info_kind": "veth"},
         "addr_info": [{}, {"family": "inet6", "local": "fd00::8", "prefixlen": 64,
                            "scope": "global", "nodad": True, "valid_life_time": 4294967295,
                            "preferred_life_time": 5}]},
    ]  # fmt: skip
    found = ip_json.interfaces(json.dumps(said).encode())
    assert found
    (eth0,) = found
    assert (eth0.link, eth0.link_namespace, eth0.kind) == (41, 0, "veth")
    (address,) = eth0.addresses
    assert (address.flags, address.valid_seconds, address.preferred_seconds) == (
        ("nodad",),
        None,
        5,
    )


def test_json_routes() -> None:
    said = b"""[{"dst":"default","gateway":"10.42.0.1","dev":"eth0","flags":[]},
      {"type":"blackhole","dst":"10.9.0.0/16","metric":5,"flags":[]},
      {"dst":"10.8.0.0/16","nexthops":[{"via":{"family":"inet6","host":"fe80::1"},"dev":"a",
       "weight":2,"flags":[]}],"flags":[]}]"""
    found = ip_json.routes(said, 4)
    assert found
    default, hole, several = found
    assert (default.destination, default.gateway, default.kind) == (
        "default",
        "10.42.0.1",
        "unicast",
    )
    assert (hole.kind, hole.metric) == ("blackhole", 5)
    assert (several.nexthops[0].gateway, several.nexthops[0].weight) == ("fe80::1", 2)
    assert ip_json.routes(b"", 6) == ()


@given(st.binary(max_size=300))
def test_anything_else_raises_nothing(data: bytes) -> None:
    ip_text.interfaces(data)
    ip_json.interfaces(data)
    ip_json.routes(data, 4)
    parts, whole = image.parts_of(b"\n==m== /proc/net/route\n" + data + b"\n==m== end\n", "==m==")
    seen.network(dict.fromkeys(image.FILES, data) | parts, whole, "")
    seen.files(dict.fromkeys(image.FILES, data))


@given(st.lists(st.sampled_from(CONTAINER.split()), max_size=40), st.sampled_from([b" ", b"\n"]))
def test_words_in_any_order_raise_nothing(words: list[bytes], between: bytes) -> None:
    ip_text.interfaces(CONTAINER + between.join(words))


@given(
    st.dictionaries(
        st.sampled_from(["ifname", "ifindex", "flags", "addr_info", "linkinfo", "mtu"]),
        st.one_of(st.none(), st.integers(), st.text(max_size=4), st.just([{}]), st.just({})),
    )
)
def test_fields_of_any_type_raise_nothing(link: dict[str, object]) -> None:
    ip_json.interfaces(json.dumps([link]).encode())


def test_what_a_file_contains_is_no_mark() -> None:
    output = b"\n=1= /etc/hosts\n=2= /proc/net/tcp\nx\n=1= end\n"
    parts, whole = image.parts_of(output, "=1=")
    assert parts == {"/etc/hosts": b"=2= /proc/net/tcp\nx"}
    assert whole
    assert image.parts_of(output[:-6], "=1=")[1] is False
    assert image.parts_of(b"", "=1=") == ({}, False)
