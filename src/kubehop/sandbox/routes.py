"""Routes from what the kernel answers to RTM_GETROUTE; decoding only, no socket.

linux/rtnetlink.h. Words are those of ip(8), see `sandbox.words`.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from socket import AF_INET, AF_INET6

from kubehop.linux.netlink import Request
from kubehop.sandbox.fields import Fields, address, fields, number, text
from kubehop.sandbox.values import NextHop, Route
from kubehop.sandbox.words import (
    KINDS,
    METRICS,
    PREFERENCES,
    PROTOCOLS,
    ROUTE_FLAGS,
    SCOPES,
    TABLES,
    word,
    words,
)

_NEWROUTE, _GETROUTE = 24, 26
_ROUTE, _NEXT_HOP = struct.Struct("=BBBBBBBBI"), struct.Struct("=HBBi")
_CACHE = struct.Struct("=IIiI")
_DST, _SRC, _OIF, _GATEWAY, _PRIORITY, _PREFSRC, _METRICS = 1, 2, 4, 5, 6, 7, 8
_MULTIPATH, _CACHEINFO, _TABLE, _VIA, _PREF, _NH_ID = 9, 12, 15, 18, 20, 30
_CLONED = 0x200
"""RTM_F_CLONED: an entry of the cache."""
_TICKS = 100
"""USER_HZ, the same on all architectures that Kubernetes runs on."""
_LOCK, _RTT, _RTTVAR, _HOPLIMIT, _FEATURES, _RTO_MIN, _CONGESTION = 1, 4, 5, 10, 12, 13, 16
_NO_HOPLIMIT, _ECN = 0xFFFFFFFF, 1
_BITS: dict[int, int] = {AF_INET: 32, AF_INET6: 128}
_OF_KERNEL = frozenset({"local", "broadcast", "anycast", "multicast"})


def _dump(family: int) -> Request:
    return Request(_GETROUTE, 0, _ROUTE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0))


ROUTES = (_dump(AF_INET), _dump(AF_INET6))
"""Dump all routes of a family, of all tables."""


def routes(messages: Iterable[tuple[int, bytes]], names: Mapping[int, str]) -> tuple[Route, ...]:
    """Those in a dump, in its order, without what the kernel adds for each address by itself.

    `names` are those of the interfaces, by index.
    """
    found = (
        _decoded(body, names)
        for type, body in messages
        if type == _NEWROUTE and len(body) >= _ROUTE.size and body[0] in _BITS
    )
    return tuple(route for route in found if route and _worth_telling(route))


def _worth_telling(route: Route) -> bool:
    return route.table != "local" or route.kind not in _OF_KERNEL


def _decoded(body: bytes, names: Mapping[int, str]) -> Route | None:
    family, length, src_length, tos, table, protocol, scope, kind, flags = _ROUTE.unpack_from(body)
    if flags & _CLONED:
        return None
    found = fields(body[_ROUTE.size :])
    expires, error = _cache(found.get(_CACHEINFO, b""))
    source = _prefix(family, src_length, found.get(_SRC))
    return Route(
        family=4 if family == AF_INET else 6,
        destination=_prefix(family, length, found.get(_DST)) or "default",
        device=_device(names, number(found, _OIF)),
        gateway=_gateway(found),
        source=address(found.get(_PREFSRC)),
        metric=number(found, _PRIORITY),
        scope=word(SCOPES, scope),
        protocol=word(PROTOCOLS, protocol),
        kind=word(KINDS, kind),
        table=word(TABLES, number(found, _TABLE) or table),
        flags=tuple(words(ROUTE_FLAGS, flags)),
        nexthops=tuple(_next_hops(found.get(_MULTIPATH, b""), names)),
        metrics=tuple(_metrics(fields(found.get(_METRICS, b"")))),
        nexthop_id=number(found, _NH_ID),
        service_type=tos,
        from_source=source,
        preference=_preference(number(found, _PREF)),
        expires_seconds=expires,
        error=error,
    )


def _prefix(family: int, length: int, octets: bytes | None) -> str:
    """ "" for everything; the kernel may leave out zeros."""
    if not length and not octets:
        return ""
    whole = address(octets or bytes(_BITS[family] // 8))
    return whole if length == _BITS[family] else f"{whole}/{length}"


def _device(names: Mapping[int, str], index: int | None) -> str:
    """As ip(8) writes one that has gone meanwhile: `if41`."""
    return names.get(index, f"if{index}") if index else ""


def _gateway(found: Fields) -> str:
    """RTA_VIA is one of another family: its number comes before the address."""
    return address(found.get(_GATEWAY)) or address(found.get(_VIA, b"")[2:])


def _preference(number: int | None) -> str:
    return "" if number is None else word(PREFERENCES, number)


def _cache(octets: bytes) -> tuple[int | None, int]:
    """Seconds to live, None for ever; the error of a route that refuses."""
    if len(octets) < _CACHE.size:
        return None, 0
    _, _, expires, error = _CACHE.unpack_from(octets)
    # Rounded towards zero as in C: one that is overdue waits for the garbage collector.
    return int(expires / _TICKS) if expires else None, error


def _next_hops(octets: bytes, names: Mapping[int, str]) -> Iterator[NextHop]:
    at = 0
    while at + _NEXT_HOP.size <= len(octets):
        length, flags, hops, index = _NEXT_HOP.unpack_from(octets, at)
        if length < _NEXT_HOP.size or at + length > len(octets):
            return
        found = fields(octets[at + _NEXT_HOP.size : at + length])
        said = tuple(words(ROUTE_FLAGS, flags))
        yield NextHop(_gateway(found), _device(names, index), hops + 1, said)
        at += length + (-length % 4)


def _metrics(found: Fields) -> Iterator[tuple[str, str]]:
    locked = number(found, _LOCK) or 0
    for type in range(_LOCK + 1, len(METRICS)):
        value = number(found, type) or 0
        if type not in found and not locked & 1 << type:
            continue
        if type == _HOPLIMIT and value == _NO_HOPLIMIT:
            continue
        said = text(found, type) if type == _CONGESTION else _WRITTEN.get(type, str)(value)
        yield METRICS[type], f"lock {said}" if locked & 1 << type else said


def _features(value: int) -> str:
    """ip(8) has a word for the first only."""
    said = ["ecn"] if value & _ECN else []
    return " ".join([*said, hex(value)] if value & ~_ECN else said)


def _duration(unit: int) -> Callable[[int], str]:
    def written(value: int) -> str:
        milliseconds = value // unit
        return f"{milliseconds / 1000:g}s" if milliseconds >= 1000 else f"{milliseconds}ms"

    return written


_WRITTEN: dict[int, Callable[[int], str]] = {
    _RTT: _duration(8),
    _RTTVAR: _duration(4),
    _RTO_MIN: _duration(1),
    _FEATURES: _features,
}
