"""The other ends of interfaces of a pod whose host is itself a container of this host: kind's."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from kubehop.model.errors import ClusterError
from kubehop.sandbox.namespace import GoneError, Namespace, NotAllowedError, inside, namespace_of
from kubehop.sandbox.network import Reader
from kubehop.sandbox.values import Network, Unknown

if TYPE_CHECKING:
    from kubehop.sandbox.proc.scan import Processes

_SHORT = 13
"""Digits of an id, as crictl prints it."""
_PEER = "peer of "


def with_ends_around(
    network: Network, namespace: Namespace, id: str, processes: "Processes"
) -> Network:
    """With why an interface has no peer on this host: it is one of the container `id` around it.

    `network` is what was read in `namespace`. Unchanged where the network of that container may
    not be entered.
    """
    missing = [each for each in network.unknown if each.what.startswith(_PEER)]
    if not missing:
        return network
    try:
        ends = dict(_ends(namespace, id, processes))
    except (NotAllowedError, GoneError, ClusterError, OSError):
        return network
    told = {each.what: Unknown(each.what, ends[each.what]) for each in missing if each.what in ends}
    return replace(network, unknown=tuple(told.get(each.what, each) for each in network.unknown))


def _ends(namespace: Namespace, id: str, processes: "Processes") -> Iterator[tuple[str, str]]:
    """What is missing, and where it is, by the same rule as for a peer on this host."""
    for first in processes.of_container(id)[:1]:
        with closing(namespace_of(first.pid)) as host, inside(host), Reader() as reader:
            there = reader.read(namespace, whole=False)
        names = {link.index: link.name for link in there.interfaces}
        for peer in there.peers:
            if peer.verified:
                where = f"in the network of container {id[:_SHORT]}, the host of this pod"
                yield f"{_PEER}{names[peer.interface]}", f"it is {peer.name} ({peer.index}) {where}"
