"""What rtnetlink is asked for to make a thing and to take it away; encoding only, no socket.

linux/rtnetlink.h, if_link.h, if_addr.h, neighbour.h, fib_rules.h. Defaults are iproute2's where
it has some, so that `ip` with the same command makes the same.
"""

import errno
import struct
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from socket import AF_BRIDGE, AF_INET, AF_INET6

from kubehop.lab.plan.values import (
    Address,
    Forward,
    Lookup,
    Neighbour,
    Route,
    RouteKind,
    Veth,
    Vxlan,
)
from kubehop.linux.netlink import CREATE, EXCL, REPLACE, Request, attribute, attributes, nested

_NEWLINK, _DELLINK, _GETLINK = 16, 17, 18
_NEWADDR, _DELADDR, _NEWROUTE, _DELROUTE, _GETROUTE = 20, 21, 24, 25, 26
_NEWNEIGH, _DELNEIGH, _NEWRULE, _DELRULE = 28, 29, 32, 33

_LINK, _ADDR = struct.Struct("=BxHiII"), struct.Struct("=BBBBi")
_ROUTE, _NEIGH = struct.Struct("=BBBBBBBBI"), struct.Struct("=BxxxiHBB")

_IFF_UP = 1
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINKINFO = 1, 3, 4, 18
_IFLA_GROUP, _IFLA_NET_NS_FD, _IFLA_TX_QUEUES, _IFLA_RX_QUEUES = 27, 28, 31, 32
_IFLA_OPERSTATE, _IFLA_EXT_MASK, _IF_OPER_UP, _SKIP_STATISTICS = 16, 29, 6, 1 << 3
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFLA_VXLAN_ID, _IFLA_VXLAN_LOCAL, _IFLA_VXLAN_LEARNING = 1, 4, 7
_IFLA_VXLAN_PORT, _IFLA_VXLAN_LOCAL6 = 15, 17

_IFA_ADDRESS, _IFA_LOCAL, _IFA_F_NODAD = 1, 2, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC, _RTA_METRICS, _RTA_TABLE = 1, 4, 5, 7, 8, 15
_RTAX_LOCK, _RTAX_MTU, _RTNH_F_ONLINK, _RTPROT_BOOT, _RT_TABLE_MAIN = 1, 2, 4, 3, 254
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254
_TYPES = {
    RouteKind.UNICAST: 1,
    RouteKind.LOCAL: 2,
    RouteKind.BLACKHOLE: 6,
    RouteKind.UNREACHABLE: 7,
}
_NDA_DST, _NDA_LLADDR, _NUD_PERMANENT, _NTF_SELF = 1, 2, 0x80, 2
_FRA_PRIORITY, _FRA_FWMARK, _FRA_TABLE, _FR_ACT_TO_TBL = 6, 10, 15, 1

_ONE_QUEUE = attribute(_IFLA_TX_QUEUES, struct.pack("=I", 1)) + attribute(
    _IFLA_RX_QUEUES, struct.pack("=I", 1)
)
_GONE = frozenset({errno.ESRCH, errno.ENOENT, errno.EADDRNOTAVAIL, errno.ENODEV})
"""What a removal may find: the kernel took it away with something else."""

LOOPBACK = 1
"""The index of `lo` in any network namespace."""


def up(index: int, about: object) -> Request:
    """Set a link up."""
    return Request(_NEWLINK, 0, _LINK.pack(0, 0, index, _IFF_UP, _IFF_UP), about)


def link_question(index: int) -> Request:
    """Ask for a link."""
    mask = attribute(_IFLA_EXT_MASK, struct.pack("=I", _SKIP_STATISTICS))
    return Request(_GETLINK, 0, _LINK.pack(0, 0, index, 0, 0) + mask, f"link {index}")


def sends(answer: bytes) -> bool:
    """Whether one end of a pair, both up, has its queue: until then it drops what it is to send.

    The end that was up first gets it when link watch, another thread of the kernel's, finds that
    it has a carrier; then it also is operationally up (net/core/link_watch.c, linkwatch_do_dev).
    """
    found = dict(attributes(answer[_LINK.size :]))
    return found.get(_IFLA_OPERSTATE, b"") == bytes([_IF_OPER_UP])


def way_question(address: str) -> Request:
    """Ask where a packet to an address would go."""
    family, packed = _packed(address)
    body = _ROUTE.pack(family, 8 * len(packed), 0, 0, 0, 0, 0, 0, 0) + attribute(_RTA_DST, packed)
    return Request(_GETROUTE, 0, body, f"way to {address}")


def is_local(answer: bytes) -> bool:
    """Whether it would be received here.

    IPv6 addresses get their route from a work queue, with detection of duplicates or without
    (net/ipv6/addrconf.c, addrconf_dad_start).
    """
    kind: int = _ROUTE.unpack_from(answer)[7]
    return kind == _TYPES[RouteKind.LOCAL]


def veth(thing: Veth, index: int, peer_index: int, peer: int) -> Request:
    """Both ends with the indices given, the first one up; `peer` is an open network namespace.

    The other end cannot be made up (ENOTCONN): see `up`.
    """
    there = _LINK.pack(0, 0, peer_index, 0, 0) + b"".join(
        (
            _link(thing.peer_device, thing.peer_mac, thing.mtu),
            attribute(_IFLA_NET_NS_FD, struct.pack("=i", peer)),
            _ONE_QUEUE,
        )
    )
    body = b"".join(
        (
            _LINK.pack(0, 0, index, _IFF_UP, _IFF_UP),
            _link(thing.device, thing.mac, thing.mtu),
            _ONE_QUEUE,
            _info("veth", nested(_VETH_INFO_PEER, there)),
        )
    )
    return Request(_NEWLINK, CREATE | EXCL, body, thing)


def vxlan(thing: Vxlan, index: int) -> Request:
    """As flannel makes it: no learning; the kernel's defaults for checksums, which is with them.

    flannel-io/flannel, pkg/backend/vxlan/device.go; vishvananda/netlink sends no UDP_CSUM then.
    """
    family, local = _packed(thing.local)
    kind = _IFLA_VXLAN_LOCAL if family == AF_INET else _IFLA_VXLAN_LOCAL6
    data = (
        attribute(_IFLA_VXLAN_ID, struct.pack("=I", thing.vni)),
        attribute(kind, local),
        attribute(_IFLA_VXLAN_PORT, struct.pack("!H", thing.port)),
        attribute(_IFLA_VXLAN_LEARNING, b"\0"),
    )
    body = b"".join(
        (
            _LINK.pack(0, 0, index, _IFF_UP, _IFF_UP),
            _link(thing.device, thing.mac, thing.mtu),
            _info("vxlan", *data),
        )
    )
    return Request(_NEWLINK, CREATE | EXCL, body, thing)


def unlink(index: int, about: object) -> Request:
    """Take a link away, and its other end."""
    return Request(_DELLINK, 0, _LINK.pack(0, 0, index, 0, 0), about, _GONE)


def grouped(index: int, group: int, about: object) -> Request:
    """Put a link into a group: `unlink_group` takes all of it at once."""
    body = _LINK.pack(0, 0, index, 0, 0) + attribute(_IFLA_GROUP, struct.pack("=I", group))
    return Request(_NEWLINK, 0, body, about, _GONE)


def unlink_group(group: int) -> Request:
    """Take a namespace's links of a group away: one by one costs some 16 ms each."""
    body = _LINK.pack(0, 0, 0, 0, 0) + attribute(_IFLA_GROUP, struct.pack("=I", group))
    return Request(_DELLINK, 0, body, f"removal of link group {group}", _GONE)


def address(thing: Address, index: int, wanted: bool) -> Request:
    """Add or delete an address; IPv6 is usable at once."""
    text, _, length = thing.address.partition("/")
    family, packed = _packed(text)
    scope = _SCOPE_HOST if ip_address(text).is_loopback else _SCOPE_UNIVERSE
    flags = _IFA_F_NODAD if family == AF_INET6 and wanted else 0
    bits = int(length or 8 * len(packed))
    body = _ADDR.pack(family, bits, flags, scope, index)
    body += attribute(_IFA_LOCAL, packed) + attribute(_IFA_ADDRESS, packed)
    return _request(_NEWADDR, _DELADDR, body, thing, wanted)


def route(thing: Route, index: int, wanted: bool) -> Request:
    """Add or delete a route; `index` 0 for the kinds without a device."""
    family, packed, length = _prefix(thing.to)
    table = thing.table or _RT_TABLE_MAIN
    flags = _RTNH_F_ONLINK if thing.via else 0
    head = (family, length, 0, 0, table if table < 256 else 0, _RTPROT_BOOT)
    body = [_ROUTE.pack(*head, _scope(thing, family), _TYPES[thing.kind], flags)]
    if length:
        body.append(attribute(_RTA_DST, packed))
    if index:
        body.append(attribute(_RTA_OIF, struct.pack("=i", index)))
    for type, text in ((_RTA_GATEWAY, thing.via), (_RTA_PREFSRC, thing.source)):
        if text:
            body.append(attribute(type, _packed(text)[1]))
    if thing.mtu:
        mtu = attribute(_RTAX_MTU, struct.pack("=I", thing.mtu))
        lock = attribute(_RTAX_LOCK, struct.pack("=I", 1 << _RTAX_MTU)) if thing.locked else b""
        body.append(nested(_RTA_METRICS, mtu, lock))
    body.append(attribute(_RTA_TABLE, struct.pack("=I", table)))
    return _request(_NEWROUTE, _DELROUTE, b"".join(body), thing, wanted)


def neighbour(thing: Neighbour, index: int, wanted: bool) -> Request:
    """Add (or overwrite) or delete a permanent neighbour."""
    family, packed = _packed(thing.address)
    body = _NEIGH.pack(family, index, _NUD_PERMANENT, 0, 0) + attribute(_NDA_DST, packed)
    if wanted:
        body += attribute(_NDA_LLADDR, _mac(thing.mac))
    return _request(_NEWNEIGH, _DELNEIGH, body, thing, wanted, CREATE | REPLACE)


def forward(thing: Forward, index: int, wanted: bool) -> Request:
    """Add or delete an entry of a VXLAN's own forwarding database."""
    body = _NEIGH.pack(AF_BRIDGE, index, _NUD_PERMANENT, _NTF_SELF, 0)
    body += attribute(_NDA_DST, _packed(thing.remote)[1])
    body += attribute(_NDA_LLADDR, _mac(thing.mac))
    return _request(_NEWNEIGH, _DELNEIGH, body, thing, wanted, CREATE | REPLACE)


def lookup(thing: Lookup, wanted: bool) -> Request:
    """Add or delete a rule of the routing policy."""
    family = AF_INET if thing.version == 4 else AF_INET6
    table = thing.table if thing.table < 256 else 0
    body = struct.pack("=BBBBBBBBI", family, 0, 0, 0, table, 0, 0, _FR_ACT_TO_TBL, 0)
    numbers = ((_FRA_PRIORITY, thing.priority), (_FRA_TABLE, thing.table))
    marks = ((_FRA_FWMARK, thing.mark),) if thing.mark else ()
    for type, number in (*numbers, *marks):
        body += attribute(type, struct.pack("=I", number))
    return _request(_NEWRULE, _DELRULE, body, thing, wanted)


ON_DEVICE: dict[type, Callable[..., Request]] = {
    Address: address,
    Route: route,
    Neighbour: neighbour,
    Forward: forward,
}
"""Things that are on a device, by kind: (thing, its index, wanted or not)."""


def _request(
    new: int, old: int, body: bytes, thing: object, wanted: bool, flags: int = CREATE | EXCL
) -> Request:
    if wanted:
        return Request(new, flags, body, thing)
    return Request(old, 0, body, thing, _GONE)


def _link(device: str, mac: str, mtu: int) -> bytes:
    name = attribute(_IFLA_IFNAME, device.encode() + b"\0")
    return name + attribute(_IFLA_ADDRESS, _mac(mac)) + attribute(_IFLA_MTU, struct.pack("=I", mtu))


def _info(kind: str, *data: bytes) -> bytes:
    said = attribute(_IFLA_INFO_KIND, kind.encode())
    return nested(_IFLA_LINKINFO, said, nested(_IFLA_INFO_DATA, *data))


def _scope(thing: Route, family: int) -> int:
    if family == AF_INET6 or thing.kind in (RouteKind.UNREACHABLE, RouteKind.BLACKHOLE):
        return _SCOPE_UNIVERSE
    if thing.kind is RouteKind.LOCAL:
        return _SCOPE_HOST
    return _SCOPE_UNIVERSE if thing.via else _SCOPE_LINK


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


@lru_cache(4096)
def _packed(text: str) -> tuple[int, bytes]:
    found = ip_address(text)
    return (AF_INET if found.version == 4 else AF_INET6), found.packed


@lru_cache(4096)
def _prefix(text: str) -> tuple[int, bytes, int]:
    found = ip_network(text)
    family = AF_INET if found.version == 4 else AF_INET6
    return family, found.network_address.packed, found.prefixlen
