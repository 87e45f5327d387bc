"""The other ends of interfaces of a pod whose host is itself a container of this host: kind's."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from kubehop.model.errors import ClusterError
from kubehop.sandbox.namespace import GoneError, Namespace, NotAllowedError, inside, namespace_of
from kubehop.sandbox.network import Reader
from kubehop.sandbox.values import Network, Peer

if TYPE_CHECKING:
    from kubehop.sandbox.proc.scan import Processes

_PEER = "peer of "


def with_ends_around(
    network: Network, namespace: Namespace, id: str, processes: "Processes"
) -> Network:
    """With the peers that are in the network of the container `id` around it.

    `network` is what was read in `namespace`. Unchanged where the network of that container may
    not be entered.
    """
    missing = {each.what for each in network.unknown if each.what.startswith(_PEER)}
    if not missing:
        return network
    try:
        found = tuple(_ends(namespace, id, processes))
    except (NotAllowedError, GoneError, ClusterError, OSError):
        return network
    names = {link.index: link.name for link in network.interfaces}
    told = {f"{_PEER}{names.get(peer.interface)}": peer for peer in found}
    return replace(
        network,
        peers=(*network.peers, *(peer for what, peer in told.items() if what in missing)),
        unknown=tuple(each for each in network.unknown if each.what not in told),
    )


def _ends(namespace: Namespace, id: str, processes: "Processes") -> Iterator[Peer]:
    """By the same rule as for a peer on this host."""
    for first in processes.of_container(id)[:1]:
        with closing(namespace_of(first.pid)) as host, inside(host), Reader() as reader:
            there = reader.read(namespace, whole=False)
        yield from (replace(peer, container=id) for peer in there.peers if peer.verified)
