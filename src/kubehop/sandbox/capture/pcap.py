"""The pcap file format and its link types; pure.

draft-ietf-opsawg-pcap; link types: https://www.tcpdump.org/linktypes.html. Integers of the file
are in this machine's order, those of pseudo-headers in the network's.
"""

import struct

from msgspec import Struct

NANOSECONDS = 0xA1B23C4D
ETHERNET, RAW, LINUX_SLL, LINUX_SLL2 = 1, 101, 113, 276

SNAPLEN = 262144
"""tcpdump's; octets of a packet that are kept."""

_FILE, _PACKET = struct.Struct("=IHHiIII"), struct.Struct("=IIII")
_SLL2 = struct.Struct("!HHIHBB8s")
_MAX_ADDRESS = 8
_TAG = struct.Struct("!HH")
_MACS = 12

_ETHER, _LOOPBACK = 1, 772
_BARE = (519, 768, 769, 776, 65534)
"""ARPHRD_RAWIP, _TUNNEL, _TUNNEL6, _SIT, _NONE: linux/if_arp.h. No link-layer header at all."""


class Packet(Struct, frozen=True):
    """A packet as it was seen.

    `octets` begin with the link-layer header, or the network's on `any`; `length` is that of all
    of it. `time` is in nanoseconds since 1970, `protocol` an EtherType, `kind` a PACKET_... of
    linux/if_packet.h, `hardware` an ARPHRD_...; `tag` is a VLAN's TPID and TCI.
    """

    time: int
    octets: bytes
    length: int
    interface: str = ""
    index: int = 0
    protocol: int = 0
    kind: int = 0
    hardware: int = 0
    address: bytes = b""
    tag: tuple[int, int] | None = None


def link_type(hardware: int) -> int:
    """The link type for an interface's ARPHRD_...; LINUX_SLL2 for those whose header we leave."""
    if hardware in (_ETHER, _LOOPBACK):
        return ETHERNET
    return RAW if hardware in _BARE else LINUX_SLL2


def file_header(link: int, snaplen: int = SNAPLEN) -> bytes:
    """What a pcap file begins with."""
    return _FILE.pack(NANOSECONDS, 2, 4, 0, 0, snaplen, link)


def record(packet: Packet, link: int, snaplen: int = SNAPLEN) -> bytes:
    """A packet as it stands in a file of that link type."""
    octets, length = framed(packet, link)
    kept = octets[:snaplen]
    seconds, nanoseconds = divmod(packet.time, 10**9)
    return _PACKET.pack(seconds & 0xFFFFFFFF, nanoseconds, len(kept), length) + kept


def framed(packet: Packet, link: int) -> tuple[bytes, int]:
    """Its octets with the header of that link type, and its length with that."""
    if link == LINUX_SLL2:
        octets = _cooked(packet)
    elif link == ETHERNET and packet.tag and len(packet.octets) >= _MACS:
        # The kernel takes a tag off before we see the packet; it stood behind the addresses.
        octets = packet.octets[:_MACS] + _TAG.pack(*packet.tag) + packet.octets[_MACS:]
    else:
        octets = packet.octets
    return octets, packet.length + len(octets) - len(packet.octets)


def _cooked(packet: Packet) -> bytes:
    protocol, octets = packet.protocol, packet.octets
    if packet.tag:
        protocol, octets = packet.tag[0], _TAG.pack(packet.tag[1], protocol) + octets
    address = packet.address[:_MAX_ADDRESS]
    header = (protocol, 0, packet.index, packet.hardware, packet.kind, len(address), address)
    return _SLL2.pack(*header) + octets
