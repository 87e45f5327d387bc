"""`ip -j -d addr` and `ip -j route` of iproute2, as values. Pure; what is of another form is None.

Fields: iproute2 `ip/ipaddress.c`, `ip/iproute.c`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from kubehop.sandbox.values import Interface, InterfaceAddress, NextHop, Route

_FOR_EVER = 0xFFFFFFFF
_WORDS = ("secondary", "tentative", "deprecated", "dadfailed", "dynamic", "noprefixroute",
          "mngtmpaddr", "temporary", "nodad", "optimistic", "home", "stable-privacy")  # fmt: skip


class _Address(msgspec.Struct):
    family: str = ""
    local: str = ""
    prefixlen: int | None = None
    address: str = ""
    broadcast: str = ""
    scope: str = "global"
    label: str = ""
    valid_life_time: int = _FOR_EVER
    preferred_life_time: int = _FOR_EVER


class _Info(msgspec.Struct):
    info_kind: str = ""


class _Link(msgspec.Struct):
    ifname: str = ""
    ifindex: int | None = None
    link: str | None = None
    link_index: int | None = None
    link_netnsid: int | None = None
    master: str | None = None
    flags: tuple[str, ...] = ()
    mtu: int | None = None
    qdisc: str = ""
    operstate: str = ""
    group: str = ""
    txqlen: int | None = None
    link_type: str = ""
    address: str = ""
    broadcast: str = ""
    permaddr: str = ""
    altnames: tuple[str, ...] = ()
    linkinfo: _Info = msgspec.field(default_factory=_Info)
    addr_info: tuple[dict[str, Any], ...] = ()


class _Via(msgspec.Struct):
    host: str = ""


class _Hop(msgspec.Struct):
    gateway: str = ""
    via: _Via = msgspec.field(default_factory=_Via)
    dev: str = ""
    weight: int = 1
    flags: tuple[str, ...] = ()


class _Route(msgspec.Struct):
    dst: str
    type: str = "unicast"
    gateway: str = ""
    via: _Via = msgspec.field(default_factory=_Via)
    dev: str = ""
    protocol: str = ""
    scope: str = ""
    prefsrc: str = ""
    metric: int | None = None
    pref: str = ""
    table: str = "main"
    flags: tuple[str, ...] = ()
    nexthops: tuple[_Hop, ...] = ()


def interfaces(text: bytes) -> tuple[Interface, ...] | None:
    """None if this is not what iproute2 prints: busybox has no -j."""
    try:
        links = msgspec.json.decode(text, type=tuple[_Link, ...])
        indices = {link.ifname: link.ifindex for link in links}
        return tuple(_interface(link, indices) for link in links if link.ifname) or None
    except msgspec.MsgspecError:
        return None


def routes(text: bytes, family: int) -> tuple[Route, ...] | None:
    """Of `ip -j -4 route` (family 4) or `ip -j -6 route`. None as above; no routes are `()`."""
    try:
        found = msgspec.json.decode(text.strip() or b"[]", type=tuple[_Route, ...])
    except msgspec.MsgspecError:
        return None
    return tuple(_route(each, family) for each in found)


def _interface(link: _Link, indices: dict[str, int | None]) -> Interface:
    parent = link.link_index if link.link is None else indices.get(link.link)
    return Interface(
        name=link.ifname,
        index=link.ifindex,
        kind=link.linkinfo.info_kind,
        flags=link.flags,
        mtu=link.mtu,
        qdisc=link.qdisc,
        state=link.operstate,
        group=link.group,
        queue_length=link.txqlen,
        link_type=link.link_type,
        mac=link.address,
        broadcast=link.broadcast,
        link=parent,
        link_namespace=link.link_netnsid,
        master=indices.get(link.master or ""),
        addresses=_addresses(link.addr_info),
        permanent_mac=link.permaddr,
        other_names=link.altnames,
    )


def _addresses(entries: Sequence[dict[str, Any]]) -> tuple[InterfaceAddress, ...]:
    """Of `{}`, which iproute2 prints for an address of another family, nothing."""
    found = ((each, msgspec.convert(each, _Address)) for each in entries)
    return tuple(_address(raw, each) for raw, each in found if each.local)


def _address(raw: dict[str, Any], each: _Address) -> InterfaceAddress:
    return InterfaceAddress(
        address=each.local,
        prefix=each.prefixlen,
        scope=each.scope,
        flags=tuple(word for word in _WORDS if raw.get(word) is True),
        label=each.label,
        peer=each.address,
        broadcast=each.broadcast,
        valid_seconds=_lifetime(each.valid_life_time),
        preferred_seconds=_lifetime(each.preferred_life_time),
    )


def _lifetime(seconds: int) -> int | None:
    return None if seconds == _FOR_EVER else seconds


def _route(each: _Route, family: int) -> Route:
    return Route(
        family=family,
        destination=each.dst,
        device=each.dev,
        gateway=each.gateway or each.via.host,
        source=each.prefsrc,
        metric=each.metric,
        scope=each.scope,
        protocol=each.protocol,
        kind=each.type,
        table=each.table,
        flags=each.flags,
        nexthops=tuple(
            NextHop(hop.gateway or hop.via.host, hop.dev, hop.weight, hop.flags)
            for hop in each.nexthops
        ),
        preference=each.pref,
    )
