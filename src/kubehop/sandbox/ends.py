"""The host's ends of many sandboxes' interfaces, without looking inside of each.

Every link whose other end is elsewhere says in which namespace, by an id that this namespace gave
that one (IFLA_LINK_NETNSID); RTM_GETNSID tells the id of a namespace that is held open. One dump
of links serves all.
"""

from contextlib import closing

from msgspec import Struct

from kubehop.linux.netlink import Netlink
from kubehop.sandbox.links import LINKS, interfaces
from kubehop.sandbox.namespace import GoneError, NotAllowedError, open_namespace
from kubehop.sandbox.network import namespace_id
from kubehop.sandbox.values import Sandbox

_PAIRS = frozenset({"veth", "netkit"})


class End(Struct, frozen=True):
    """Of a sandbox: its namespace's inode, and the names of the host's ends of its interfaces."""

    inode: int
    interfaces: tuple[str, ...] = ()


def host_ends(sandboxes: tuple[Sandbox, ...]) -> tuple[End | None, ...]:
    """In the same order; None where the namespace may not be opened, or has gone."""
    with closing(Netlink()) as socket:
        names: dict[int, tuple[str, ...]] = {}
        for link in interfaces(socket.dump(LINKS)):
            if link.kind in _PAIRS and link.link_namespace is not None:
                names[link.link_namespace] = (*names.get(link.link_namespace, ()), link.name)
        return tuple(_end(sandbox, socket, names) for sandbox in sandboxes)


def _end(sandbox: Sandbox, socket: Netlink, names: dict[int, tuple[str, ...]]) -> End | None:
    try:
        with closing(open_namespace(sandbox)) as namespace:
            id = namespace_id(socket, namespace.fd)
            return End(namespace.inode, names.get(id, ()) if id is not None else ())
    except (NotAllowedError, GoneError):
        return None
