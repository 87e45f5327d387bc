"""Frames that the fabric saw, as octets, on the way to the paths of probes. Pure.

A probe's number travels where no NAT changes it: TCP's initial sequence number, the first
octets of a datagram.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from kubehop.lab.probe.filter import ETHERNET, MAGIC, VXLAN, VXLAN_PORTS
from kubehop.lab.probe.values import Fabric, Link


@dataclass(frozen=True, slots=True)
class Sighting:
    """A probe's first packet at one interface of the fabric."""

    number: int
    device: str
    outgoing: bool
    source: str
    destination: str
    port: int
    tunnelled: bool


def sighting(frame: bytes, device: str, outgoing: bool) -> Sighting | None:
    """What a frame shows, None if it is no probe's first packet."""
    found = _packet(frame, 0)
    if found is None:
        return None
    base, transport, protocol = found
    tunnelled = protocol == 17 and _ports(frame, transport)[1] in VXLAN_PORTS
    if tunnelled:
        found = _packet(frame, transport + VXLAN)
        if found is None:
            return None
        base, transport, protocol = found
    number = _number(frame, transport, protocol)
    if number is None:
        return None
    source, destination = _addresses(frame, base)
    port = _ports(frame, transport)[1]
    return Sighting(number, device, outgoing, source, destination, port, tunnelled)


def _packet(frame: bytes, at: int) -> tuple[int, int, int] | None:
    """Where the IP packet and its payload begin, and the protocol of that."""
    base = at + ETHERNET
    for kind, length, field in ((0x0800, 20, 9), (0x86DD, 40, 6)):
        whole = len(frame) >= base + length + 16
        if whole and int.from_bytes(frame[base - 2 : base], "big") == kind:
            return base, base + length, frame[base + field]
    return None


def _ports(frame: bytes, transport: int) -> tuple[int, int]:
    source, destination = struct.unpack_from("!HH", frame, transport)
    return source, destination


def _number(frame: bytes, transport: int, protocol: int) -> int | None:
    if protocol == 6 and frame[transport + 13] & 0x12 == 0x02:
        return int.from_bytes(frame[transport + 4 : transport + 8], "big")
    if protocol == 17 and frame[transport + 8 : transport + 12] == MAGIC:
        return int.from_bytes(frame[transport + 12 : transport + 16], "big")
    return None


def _addresses(frame: bytes, base: int) -> tuple[str, str]:
    """Source and destination; the same few come again and again."""
    if frame[base] >> 4 == 4:
        return _v4(frame[base + 12 : base + 16]), _v4(frame[base + 16 : base + 20])
    return _v6(frame[base + 8 : base + 24]), _v6(frame[base + 24 : base + 40])


@lru_cache(maxsize=4096)
def _v4(octets: bytes) -> str:
    return str(IPv4Address(octets))


@lru_cache(maxsize=4096)
def _v6(octets: bytes) -> str:
    return str(IPv6Address(octets))


def paths(sightings: Iterable[Sighting], fabric: Fabric) -> dict[int, tuple[Link, ...]]:
    """By number, the links that a packet took, in order.

    `sightings` are in the order in which they happened. A packet that comes in and does not go
    out again, the fabric took no further.
    """
    found: dict[int, list[Link]] = {}
    entered: dict[int, Sighting] = {}
    for seen in sightings:
        legs = found.setdefault(seen.number, [])
        before = entered.pop(seen.number, None)
        if seen.outgoing:
            legs.append(_link(before, seen, fabric))
            continue
        if before is not None:
            legs.append(_link(before, None, fabric))
        entered[seen.number] = seen
    for number, last in entered.items():
        found[number].append(_link(last, None, fabric))
    return {number: tuple(legs) for number, legs in found.items()}


def _link(came: Sighting | None, left: Sighting | None, fabric: Fabric) -> Link:
    shown = left or came
    assert shown is not None
    return Link(
        fabric.links[came.device] if came else "",
        fabric.links[left.device] if left else "",
        shown.source,
        shown.destination,
        shown.port,
        shown.tunnelled,
        came is not None and not came.tunnelled and came.destination in fabric.balanced,
    )
