"""Connection tracking: UDP flows whose replies come from where nobody should answer any more.

linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h.
"""

import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from errno import ENOENT
from ipaddress import ip_address

from kubehop.lab.plan.values import ForgetFlows
from kubehop.linux.netlink import ACK, Netlink, Request, attribute, attributes, nested

PROTOCOL = 12
"""NETLINK_NETFILTER."""
_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
"""NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET and _DELETE."""
_HEADER = struct.Struct("!BBH")

_ORIGINAL, _REPLY, _ID, _ZONE = 1, 2, 12, 18
_IP, _PROTO = 1, 2
_SOURCES, _DESTINATIONS = (1, 3), (2, 4)
"""CTA_IP_V4_SRC, CTA_IP_V6_SRC; CTA_IP_V4_DST, CTA_IP_V6_DST."""
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Flow:
    """A UDP flow: where its first packet went, and where its replies come from."""

    to: tuple[str, int]
    replies_from: tuple[str, int]
    _family: int
    _key: bytes

    def removal(self) -> Request:
        """What deletes it; that it has ended meanwhile is no error."""
        body = _HEADER.pack(self._family, 0, 0) + self._key
        return Request(_DELETE, ACK, body, f"deletion of {self}", frozenset({ENOENT}))


def flows(netlink: Netlink) -> Iterator[Flow]:
    """All UDP flows of the network namespace of `netlink`, a socket of PROTOCOL."""
    for family in (socket.AF_INET, socket.AF_INET6):
        for _, body in netlink.dump(Request(_GET, 0, _HEADER.pack(family, 0, 0), "flows")):
            found = dict(attributes(body[_HEADER.size :]))
            number, to = _tuple(found[_ORIGINAL], _DESTINATIONS, _DESTINATION_PORT)
            _, replies = _tuple(found[_REPLY], _SOURCES, _SOURCE_PORT)
            if number == socket.IPPROTO_UDP:
                kept = ((_ID, attribute), (_ZONE, attribute), (_ORIGINAL, nested))
                key = b"".join(make(n, found[n]) for n, make in kept if n in found)
                yield Flow(to, replies, body[0], key)


def stale(found: Iterable[Flow], steps: Sequence[ForgetFlows]) -> Iterator[Flow]:
    """Those of `found` that one of `steps` is about."""
    for flow in found:
        if any(_meant(flow, step) for step in steps):
            yield flow


def _meant(flow: Flow, step: ForgetFlows) -> bool:
    address, port = flow.to
    if step.address:
        there = address == step.address
    else:  # any address, but each family has a kube-proxy of its own
        there = all((":" in address) == (":" in wanted) for wanted, _ in step.wanted)
    return there and port == step.port and flow.replies_from not in step.wanted


def _tuple(data: bytes, addresses: tuple[int, int], port: int) -> tuple[int, tuple[str, int]]:
    """A tuple's protocol, and one end of it."""
    parts = dict(attributes(data))
    ip, proto = dict(attributes(parts[_IP])), dict(attributes(parts[_PROTO]))
    packed = next(ip[type] for type in addresses if type in ip)
    number = proto[_NUMBER][0]
    (at,) = struct.unpack("!H", proto[port]) if port in proto else (0,)
    return number, (str(ip_address(packed)), at)
