"""A packet in one line, after tcpdump: time, interface, direction, what it is; pure."""

import socket
import struct
from datetime import datetime

from kubehop.model.addresses import socket_address
from kubehop.sandbox.capture import pcap

_ETHERNET = 14
_ARP, _IP, _IP6 = 0x0806, 0x0800, 0x86DD
_DIRECTIONS = ("In ", "B  ", "M  ", "P  ", "Out")
"""By PACKET_HOST, _BROADCAST, _MULTICAST, _OTHERHOST, _OUTGOING: the letters of tcpdump."""
_FLAGS = ((0x02, "S"), (0x01, "F"), (0x04, "R"), (0x08, "P"), (0x10, "."))
_PROTOCOLS = {1: "ICMP", 2: "IGMP", 4: "IPIP", 41: "6in4", 47: "GRE", 50: "ESP", 58: "ICMPv6"}
_ICMP = {0: "echo reply", 3: "unreachable", 5: "redirect", 8: "echo request", 11: "time exceeded"}
_ICMP6 = {
    1: "unreachable",
    2: "packet too big",
    3: "time exceeded",
    128: "echo request",
    129: "echo reply",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbor solicitation",
    136: "neighbor advertisement",
    143: "listener report v2",
}


def line(packet: pcap.Packet, link: int) -> str:
    """For people; what is cut short or unknown is said with its length alone. Never raises."""
    seconds, nanoseconds = divmod(packet.time, 10**9)
    time = f"{datetime.fromtimestamp(seconds):%H:%M:%S}.{nanoseconds // 1000:06}"
    way = _DIRECTIONS[packet.kind] if packet.kind < len(_DIRECTIONS) else "?  "
    network = packet.octets[_ETHERNET:] if link == pcap.ETHERNET else packet.octets
    tag = f"vlan {packet.tag[1] & 0xFFF} " if packet.tag else ""
    return f"{time} {packet.interface} {way} {tag}{_network(packet, network)}"


def _network(packet: pcap.Packet, octets: bytes) -> str:
    try:
        if packet.protocol == _IP:
            return _ip(octets)
        if packet.protocol == _IP6:
            return _ip6(octets)
        if packet.protocol == _ARP:
            return _arp(octets)
    except (struct.error, IndexError, ValueError):
        return f"a packet of {packet.length} octets, cut short"
    return f"EtherType {packet.protocol:#06x}, length {packet.length}"


def _ip(octets: bytes) -> str:
    header = (octets[0] & 15) * 4
    (length,) = struct.unpack_from("!H", octets, 2)
    (fragment,) = struct.unpack_from("!H", octets, 6)
    source, destination = _address(octets[12:16]), _address(octets[16:20])
    if fragment & 0x1FFF:
        return f"{source} > {destination}: fragment at {(fragment & 0x1FFF) * 8}"
    return _transport(octets[9], source, destination, octets[header:], length - header)


def _ip6(octets: bytes) -> str:
    (length,) = struct.unpack_from("!H", octets, 4)
    source, destination = _address(octets[8:24]), _address(octets[24:40])
    protocol, rest = octets[6], octets[40:]
    if protocol == 0:  # hop-by-hop options: with listener reports
        protocol, size = rest[0], rest[1] * 8 + 8
        rest, length = rest[size:], length - size
    return _transport(protocol, source, destination, rest, length)


def _transport(protocol: int, source: str, destination: str, octets: bytes, length: int) -> str:
    if protocol not in (6, 17):
        what = _PROTOCOLS.get(protocol, f"protocol {protocol}")
        types = {1: _ICMP, 58: _ICMP6}.get(protocol, {})
        said = f" {types.get(octets[0], f'type {octets[0]}')}" if types else ""
        return f"{source} > {destination}: {what}{said}, length {length}"
    ports = struct.unpack_from("!HH", octets)
    ends = f"{socket_address(source, ports[0])} > {socket_address(destination, ports[1])}"
    if protocol == 17:
        return f"{ends}: UDP, length {length - 8}"
    flags = "".join(letter for bit, letter in _FLAGS if octets[13] & bit) or "none"
    return f"{ends}: TCP [{flags}], length {length - (octets[12] >> 4) * 4}"


def _arp(octets: bytes) -> str:
    (operation,) = struct.unpack_from("!H", octets, 6)
    if octets[4:6] != b"\x06\x04":
        return "ARP"
    asker, asked = _address(octets[14:18]), _address(octets[24:28])
    if operation == 1:
        return f"ARP who-has {asked} tell {asker}"
    return f"ARP {asker} is-at {octets[8:14].hex(':')}"


def _address(octets: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(octets) == 4 else socket.AF_INET6, octets)
