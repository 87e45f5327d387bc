"""The other end of an interface, in this host's network namespace: found, and verified.

An interface index means something in one namespace only, and the id of a namespace is one that
the asking namespace gave it. So a pair is believed when the indices point at each other and each
end names the other's namespace: index alone misleads where hosts are nested (kind), see
IFLA_LINK and IFLA_LINK_NETNSID in linux/if_link.h.
"""

from collections.abc import Iterable

from msgspec import Struct

from kubehop.sandbox.values import Interface, Peer, Unknown

_PAIRS = frozenset({"veth", "netkit"})
_ON_PARENT = frozenset({"macvlan", "macvtap", "ipvlan", "ipvtap", "vlan"})


class Ids(Struct, frozen=True):
    """How two namespaces call each other: RTM_GETNSID asked in both; None if not told.

    -1 is no id. The kernel gives one to the namespace of every other end when it lists the
    interfaces: asked after that, -1 means that no interface has its other end there.
    """

    host_here: int | None
    here_on_host: int | None


def peers(
    interfaces: Iterable[Interface], host: Iterable[Interface], ids: Ids
) -> tuple[tuple[Peer, ...], tuple[Unknown, ...]]:
    """The peers on the host, and why others have none there.

    `interfaces` are those of a namespace, `host` those of the host's, another one.
    """
    by_index = {interface.index: interface for interface in host}
    found, unknown = [], []
    for interface in interfaces:
        if not interface.link or interface.link_namespace is None or interface.index is None:
            continue  # nothing below it, or something in its own namespace
        end = _end(interface, by_index.get(interface.link), ids)
        if isinstance(end, Peer):
            found.append(end)
        else:
            unknown.append(Unknown(f"peer of {interface.name}", end))
    return tuple(found), tuple(unknown)


def _end(here: Interface, there: Interface | None, ids: Ids) -> Peer | str:
    """The peer, or why there is none."""
    elsewhere = _elsewhere(here, ids)
    if here.kind in _ON_PARENT:
        return elsewhere or _parent(here, there)
    if here.kind not in _PAIRS:
        return f"a {here.kind or 'device'} has no peer"
    if elsewhere:
        return elsewhere
    if there is None or there.index is None:
        return f"this host has no interface {here.link}: the other end is in another namespace"
    if here.index != there.link or here.kind != there.kind:
        return (
            f"interface {here.link} of this host, {there.name}, does not point back at it:"
            " the other end is in another namespace"
        )
    if ids.here_on_host is not None and there.link_namespace != ids.here_on_host:
        return f"{there.name} of this host has its other end in another namespace"
    doubts = _doubts(ids)
    assert here.index is not None
    return Peer(here.index, there.name, there.index, not doubts, doubts)


def _elsewhere(here: Interface, ids: Ids) -> str:
    """Why what it is linked to cannot be on this host, "" if it may be."""
    if here.link_namespace is not None and here.link_namespace < 0:
        return "the kernel gave no id to the namespace of the other end"
    if ids.host_here is not None and here.link_namespace != ids.host_here:
        return (
            f"the other end is in the network namespace with the id {here.link_namespace} there,"
            " which is not this host's"
        )
    return ""


def _parent(here: Interface, there: Interface | None) -> str:
    named = f": {there.name} of this host" if there else ""
    return f"a {here.kind} has a parent, not a peer{named}"


def _doubts(ids: Ids) -> str:
    """What could not be asked, "" if nothing: only the indices speak for the pair then."""
    missing = [
        said
        for id, said in (
            (ids.host_here, "the id of the host's namespace is not told inside"),
            (ids.here_on_host, "the id of the namespace is not told on the host"),
        )
        if id is None
    ]
    return "; ".join(missing)
