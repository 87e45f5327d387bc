"""A container's network as text: as ip(8) of iproute2 6.1 prints it, and what it does not know.

`ip addr`, `ip route` and `ip -6 route` octet for octet; a name that could drive a terminal is
escaped, which ip does not do.
"""

from collections.abc import Iterable, Iterator, Sequence

from kubehop.model.errors import printable
from kubehop.sandbox.values import (
    SHORT,
    Interface,
    InterfaceAddress,
    Listening,
    Network,
    NextHop,
    Peer,
    Route,
)

_POINT_TO_POINT = "POINTOPOINT"


def address_lines(interfaces: Sequence[Interface]) -> list[str]:
    """What `ip addr` prints."""
    names = {one.index: one.name for one in interfaces}
    return [line for one in interfaces for line in _interface(one, names)]


def route_lines(routes: Iterable[Route], family: int, table: str = "main") -> list[str]:
    """What `ip route` (family 4) or `ip -6 route` prints, or with `table TABLE` behind it."""
    chosen = (one for one in routes if (one.family, one.table) == (family, table))
    return [line for one in chosen for line in _route(one)]


def peer_lines(network: Network) -> list[str]:
    """A line each: `eth0 (2): veth0123 (41) on this host`, or where else; and why a pair is not
    certain."""
    names = {one.index: one.name for one in network.interfaces}
    return [_peer(one, names.get(one.interface, "?")) for one in network.peers]


def listening_lines(listening: Iterable[Listening]) -> list[str]:
    """A line each: `tcp 0.0.0.0:80`, and whose it is if that is known."""
    return [_listening(one) for one in listening]


def network_lines(network: Network) -> list[str]:
    """All of it, in parts with headings; a part that is empty is left out."""
    tables = sorted({one.table for one in network.routes} - {"main"})
    parts = [
        ("interfaces:", address_lines(network.interfaces)),
        *_routes(network.routes, "main", ""),
        *(part for table in tables for part in _routes(network.routes, table, f", table {table}")),
        ("peers:", peer_lines(network)),
        ("listening:", listening_lines(network.listening)),
        ("unknown:", [_unknown(one.what, one.why, one.needs) for one in network.unknown]),
    ]
    return [
        line for head, lines in parts if lines for line in (head, *(f"  {one}" for one in lines))
    ]


def _routes(routes: Sequence[Route], table: str, said: str) -> Iterator[tuple[str, list[str]]]:
    for family in (4, 6):
        yield f"routes of IPv{family}{printable(said)}:", route_lines(routes, family, table)


def _unknown(what: str, why: str, needs: str) -> str:
    return printable(f"{what}: {why}" + (f" (needs {needs})" if needs else ""))


def _interface(one: Interface, names: dict[int | None, str]) -> Iterator[str]:
    yield _first(one, names)
    if one.link_type:
        yield _second(one)
    for name in one.other_names:
        yield f"    altname {printable(name)}"
    for address in one.addresses:
        first, lifetimes = _address(address)
        yield first
        if one.mtu is not None:  # /proc, which tells no MTU, tells no lifetimes either
            yield lifetimes


def _first(one: Interface, names: dict[int | None, str]) -> str:
    """ip(8) leaves a space at the end of this line unless there is a queue length."""
    words = [
        f"{one.index}:" if one.index is not None else "",
        f"{printable(one.name) or '?'}{_below(one, names)}:",
        f"<{','.join(one.flags)}>" if one.flags or one.mtu is not None else "",
        f"mtu {one.mtu}" if one.mtu is not None else "",
        f"qdisc {one.qdisc}" if one.qdisc else "",
        f"master {printable(names.get(one.master, f'if{one.master}'))}" if one.master else "",
        f"state {one.state}" if one.state else "",
        f"group {one.group}" if one.group else "",
    ]
    said = "".join(f"{word} " for word in words if word)
    return said + (f"qlen {one.queue_length}" if one.queue_length else "")


def _below(one: Interface, names: dict[int | None, str]) -> str:
    """`@if41` is in another namespace, `@eth0` in the same, `@NONE` nowhere."""
    if one.link is None:
        return ""
    if not one.link:
        return "@NONE"
    known = names.get(one.link) if one.link_namespace is None else None
    return f"@{printable(known or f'if{one.link}')}"


def _second(one: Interface) -> str:
    said = f"    link/{one.link_type} {one.mac}"
    if one.broadcast:
        said += f" {'peer' if _POINT_TO_POINT in one.flags else 'brd'} {one.broadcast}"
    if one.permanent_mac:
        said += f" permaddr {one.permanent_mac}"
    if one.link_namespace is not None:
        id = one.link_namespace if one.link_namespace >= 0 else "unknown"
        said += f" link-netnsid {id}"
    return said


def _address(one: InterfaceAddress) -> Iterator[str]:
    """ip(8) leaves a space at the end of the first line unless there is a label."""
    family = "inet6" if ":" in one.address else "inet"
    peer = f" peer {one.peer}" if one.peer else ""
    words = [
        f"{one.address}{peer}" + (f"/{one.prefix}" if one.prefix is not None else ""),
        f"metric {one.metric}" if one.metric is not None else "",
        f"brd {one.broadcast}" if one.broadcast else "",
        f"scope {one.scope}" if one.scope else "",
        *one.flags,
    ]
    yield f"    {family} " + "".join(f"{word} " for word in words if word) + printable(one.label)
    valid, preferred = _lifetime(one.valid_seconds), _lifetime(one.preferred_seconds)
    yield f"       valid_lft {valid} preferred_lft {preferred}"


def _lifetime(seconds: int | None) -> str:
    return "forever" if seconds is None else f"{seconds}sec"


def _route(one: Route) -> Iterator[str]:
    """ip(8) leaves a space at the end unless a preference or next hops come last."""
    words = [
        one.kind if one.kind != "unicast" else "",
        one.destination,
        f"from {one.from_source}" if one.from_source else "",
        f"nhid {one.nexthop_id}" if one.nexthop_id is not None else "",
        f"tos {one.service_type:#04x}" if one.service_type else "",
        _via(one.gateway, one.family),
        f"dev {printable(one.device)}" if one.device else "",
        f"proto {one.protocol}" if one.protocol not in ("boot", "") else "",
        f"scope {one.scope}" if one.scope not in ("global", "") else "",
        f"src {one.source}" if one.source else "",
        f"metric {one.metric}" if one.metric is not None else "",
        *one.flags,
        f"expires {one.expires_seconds}sec" if one.expires_seconds is not None else "",
        f"error {one.error}" if one.error else "",
        *(f"{name} {value}" for name, value in one.metrics),
    ]
    preference = f"pref {one.preference}" if one.preference else ""
    yield "".join(f"{word} " for word in words if word) + preference
    for hop in one.nexthops:
        yield _next_hop(hop, one.family)


def _next_hop(hop: NextHop, family: int) -> str:
    device = f"dev {printable(hop.device)}"
    words = [_via(hop.gateway, family), device, f"weight {hop.weight}", *hop.flags]
    return "\tnexthop " + "".join(f"{word} " for word in words if word)


def _via(gateway: str, family: int) -> str:
    if not gateway:
        return ""
    of = 6 if ":" in gateway else 4
    said = "" if of == family else "inet6 " if of == 6 else "inet "
    return f"via {said}{gateway}"


def _peer(one: Peer, name: str) -> str:
    at = f"in container {one.container[:SHORT]}, the host of this pod" if one.container else ""
    ends = f"{name} ({one.interface}): {one.name} ({one.index}) {at or 'on this host'}"
    return printable(ends if one.verified else f"{ends}, not verified: {one.why}")


def _listening(one: Listening) -> str:
    at = f"[{one.address}]" if ":" in one.address else one.address
    families = ", IPv4 too" if one.both_families else ""
    whose = f" {one.program}" if one.program else ""
    pid = f" (PID {one.pid})" if one.pid is not None else ""
    return printable(f"{one.protocol} {at}:{one.port}{families}{whose}{pid}")
