"""What is in a network namespace, read from inside by netlink: rtnetlink(7), sock_diag(7)."""

import struct
from contextlib import ExitStack, closing
from socket import NETLINK_ROUTE
from types import TracebackType

from msgspec.structs import replace

from kubehop.linux.netlink import Netlink, Request, attribute
from kubehop.model.errors import ClusterError
from kubehop.sandbox.addresses import ADDRESSES, with_addresses
from kubehop.sandbox.fields import fields, signed
from kubehop.sandbox.inside import netlink_inside
from kubehop.sandbox.links import LINKS, Message, by_index, interfaces
from kubehop.sandbox.namespace import Namespace, own_namespace
from kubehop.sandbox.peers import Ids, peers
from kubehop.sandbox.routes import ROUTES, routes
from kubehop.sandbox.sockets import LISTENING, SOCK_DIAG, waiting
from kubehop.sandbox.values import Interface, Listening, Network, Peer, Route, Unknown

_GETNSID, _GENERAL = 90, struct.Struct("=B3x")
_NSID, _FD = 1, 3
"""linux/net_namespace.h."""
_HOW = "netlink, from inside"


def read_network(namespace: Namespace) -> Network:
    """Interfaces, addresses, routes, listening sockets, and peers in the caller's own namespace.

    Raises NotAllowedError where it may not be entered, ClusterError if the kernel refuses.
    """
    with Reader() as reader:
        return reader.read(namespace)


class Reader:
    """Reads several namespaces and looks at the host's interfaces once. Ends with its block.

    The host's namespace is that of the thread that makes it.
    """

    def __init__(self) -> None:
        self._own = own_namespace()
        self._links = Netlink()
        self._host: dict[int, Message] | None = None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._links.close()
        self._own.close()

    def read(self, namespace: Namespace, whole: bool = True) -> Network:
        """What is there; interfaces, addresses and peers alone unless `whole`.

        Raises as `read_network`.
        """
        protocols = (NETLINK_ROUTE, SOCK_DIAG) if whole else (NETLINK_ROUTE,)
        with ExitStack() as stack:
            opened = [
                stack.enter_context(closing(Netlink(protocol, made=made)))
                for protocol, made in zip(
                    protocols, netlink_inside(namespace, *protocols), strict=True
                )
            ]
            links = opened[0]
            found = with_addresses(interfaces(links.dump(LINKS)), links.dump(ADDRESSES))
            network = Network(namespace.inode, found, how=_HOW)
            if whole:
                sockets, unknown = _listening(opened[1])
                names = {one.index: one.name for one in found if one.index is not None}
                network = replace(
                    network, routes=_routes(links, names), listening=sockets, unknown=unknown
                )
            ends, why = self._peers(namespace, found, links)
        return replace(network, peers=ends, unknown=network.unknown + why)

    def _peers(
        self, namespace: Namespace, found: tuple[Interface, ...], links: Netlink
    ) -> tuple[tuple[Peer, ...], tuple[Unknown, ...]]:
        if namespace.inode == self._own.inode:
            return (), ()
        known = self._host is not None
        ends, why = self._compared(namespace, found, links)
        if why and known:  # the host may have got interfaces since we looked
            self._host = None
            ends, why = self._compared(namespace, found, links)
        return ends, why

    def _compared(
        self, namespace: Namespace, found: tuple[Interface, ...], links: Netlink
    ) -> tuple[tuple[Peer, ...], tuple[Unknown, ...]]:
        if self._host is None:
            self._host = by_index(self._links.dump(LINKS))
        # After both dumps: it is they that make the kernel give ids.
        ids = Ids(namespace_id(links, self._own.fd), namespace_id(self._links, namespace.fd))
        linked = {one.link for one in found if one.link_namespace is not None}
        host = interfaces(self._host[link] for link in linked if link in self._host)
        return peers(found, host, ids)


def _routes(links: Netlink, names: dict[int, str]) -> tuple[Route, ...]:
    return tuple(route for request in ROUTES for route in routes(links.dump(request), names))


def _listening(socket: Netlink) -> tuple[tuple[Listening, ...], tuple[Unknown, ...]]:
    """Those of all protocols, or why not: a kernel may lack a protocol's part of sock_diag."""
    found: list[Listening] = []
    unknown: dict[str, Unknown] = {}
    for protocol, request in LISTENING:
        try:
            found += waiting(protocol, socket.dump(request))
        except ClusterError as error:
            unknown[protocol] = Unknown(f"listening sockets of {protocol}", str(error))
    return tuple(found), tuple(unknown.values())


def namespace_id(asked: Netlink, fd: int) -> int | None:
    """How the namespace of the socket calls another one: -1 if it does not, None if not told."""
    request = Request(_GETNSID, 0, _GENERAL.pack(0) + attribute(_FD, struct.pack("=I", fd)))
    for body in asked.answers([request]):
        return signed(fields(body[_GENERAL.size :]), _NSID)
    return None
