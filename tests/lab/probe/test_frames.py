"""Frames as the fabric sees them, made by hand from the RFCs."""

import struct
from ipaddress import ip_address

import pytest

from kubehop.lab.probe.filter import MAGIC, program
from kubehop.lab.probe.frames import Sighting, paths, sighting
from kubehop.lab.probe.values import Fabric, Link

NUMBER = 0x10203040
FABRIC = Fabric({"a": "node/a", "b": "node/b", "out": "outside"}, frozenset({"vip"}))


def ethernet(packet: bytes) -> bytes:
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    return bytes(12) + struct.pack("!H", kind) + packet


def ip(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    ends = ip_address(source).packed + ip_address(destination).packed
    if ":" in source:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + ends + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
    return head + ends + payload


def tcp(flags: int, number: int = NUMBER, port: int = 80) -> bytes:
    return struct.pack("!HHIIBBHHH", 40000, port, number, 0, 0x50, flags, 0, 0, 0)


def udp(data: bytes, port: int = 80) -> bytes:
    return struct.pack("!HHHH", 40000, port, 8 + len(data), 0) + data


def vxlan(frame: bytes, port: int = 8472) -> bytes:
    return udp(struct.pack("!II", 8 << 24, 1 << 8) + frame, port)


DATA = MAGIC + NUMBER.to_bytes(4, "big")
V4, V6 = ("10.42.0.2", "10.42.1.3"), ("fd00:10:42::2", "fd00:10:42:1::3")
NODES4, NODES6 = ("192.168.0.1", "192.168.0.2"), ("fd00:192::1", "fd00:192::2")
PLAIN = [
    ethernet(ip(*ends, protocol, payload))
    for ends in (V4, V6)
    for protocol, payload in ((6, tcp(0x02)), (6, tcp(0xC2)), (17, udp(DATA)))
]
TUNNELLED = [
    ethernet(ip(*nodes, 17, vxlan(frame, port)))
    for nodes, port in ((NODES4, 8472), (NODES4, 4789), (NODES6, 8472))
    for frame in PLAIN
]
OTHERS = [
    ethernet(ip(*V4, 6, tcp(0x12))),
    ethernet(ip(*V4, 6, tcp(0x10))),
    ethernet(ip(*V6, 17, udp(b"any other datagram"))),
    ethernet(ip(*V4, 17, udp(b""))),
    ethernet(ip(*V4, 1, bytes(64))),
    ethernet(ip(*NODES4, 17, vxlan(ethernet(ip(*V4, 6, tcp(0x10)))))),
    bytes(12) + b"\x08\x06" + bytes(46),
]


@pytest.mark.parametrize("frame", [*PLAIN, *TUNNELLED])
def test_a_first_packet_is_recognised_through_tunnels_too(frame: bytes) -> None:
    seen = sighting(frame, "a", outgoing=True)
    assert seen is not None
    ends = (V4, V6)[":" in seen.source]
    assert seen == Sighting(NUMBER, "a", True, *ends, 80, frame in TUNNELLED)


@pytest.mark.parametrize("frame", OTHERS)
def test_other_packets_are_not(frame: bytes) -> None:
    assert sighting(frame, "a", outgoing=True) is None


def run(code: bytes, frame: bytes) -> int:
    """Classic BPF, as far as the program uses it: octets kept, 0 also for loads beyond the end."""
    lines = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at = accumulator = value = 0
    while True:
        operation, yes, no, value = map(int, lines[at])
        at += 1
        match operation:
            case 0x06:
                return value
            case 0x15:
                at += yes if accumulator == value else no
            case 0x54:
                accumulator &= value
            case _:
                size = {0x20: 4, 0x28: 2, 0x30: 1}[operation]
                if value + size > len(frame):
                    return 0
                accumulator = int.from_bytes(frame[value : value + size], "big")


def test_the_kernel_keeps_what_is_recognised_and_nothing_else() -> None:
    code = program()
    assert all(run(code, frame) >= len(frame) for frame in (*PLAIN, *TUNNELLED))
    assert not any(run(code, frame) for frame in OTHERS)


def at(device: str, outgoing: bool, destination: str = "10.43.0.1") -> Sighting:
    return Sighting(NUMBER, device, outgoing, "10.42.0.2", destination, 80, False)


def link(came: str, left: str, destination: str = "10.43.0.1") -> Link:
    return Link(came, left, "10.42.0.2", destination, 80)


def test_a_path_is_links_in_order() -> None:
    seen = [at("out", False), at("a", True, "n"), at("a", False, "p"), at("b", True, "p")]
    found = paths(seen, FABRIC)[NUMBER]
    assert found == (link("outside", "node/a", "n"), link("node/a", "node/b", "p"))
    assert [one.crossing for one in found] == [False, True]


def test_the_fabric_may_drop_or_make_a_packet() -> None:
    assert paths([at("a", False)], FABRIC)[NUMBER] == (link("node/a", ""),)
    twice = [at("a", False), at("a", False), at("b", True)]
    assert paths(twice, FABRIC)[NUMBER] == (link("node/a", ""), link("node/a", "node/b"))
    assert paths([at("b", True)], FABRIC)[NUMBER] == (link("", "node/b"),)


def test_the_way_to_a_load_balancer_and_back_is_no_crossing() -> None:
    way = [at("a", False, "vip"), at("b", True, "n"), at("b", False, "p"), at("a", True, "p")]
    found = paths(way, FABRIC)[NUMBER]
    assert [(one.balanced, one.crossing) for one in found] == [(True, False), (False, True)]
