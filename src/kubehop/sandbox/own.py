"""What the calling thread's network would send from, to each of some addresses."""

from collections.abc import Iterable, Mapping
from contextlib import closing

from kubehop.linux.netlink import Netlink
from kubehop.sandbox.addresses import ADDRESSES, with_addresses
from kubehop.sandbox.connect import Target, source_of
from kubehop.sandbox.links import LINKS, interfaces
from kubehop.sandbox.values import InterfaceAddress


def sources(aims: Iterable[Target]) -> dict[str, InterfaceAddress | None]:
    """By address: the own one that the kernel chooses, None for what cannot be sent to.

    Raises ClusterError if the kernel does not tell its addresses.
    """
    with closing(Netlink()) as links:
        found = with_addresses(interfaces(links.dump(LINKS)), links.dump(ADDRESSES))
    own = {each.address: each for one in found for each in one.addresses}
    return {aim.address: _own(source_of(aim), own) for aim in aims}


def _own(source: str | None, own: Mapping[str, InterfaceAddress]) -> InterfaceAddress | None:
    """A route may say to send from what no interface has: then it is a subnet by itself."""
    if source is None:
        return None
    address = source.removeprefix("::ffff:") if "." in source else source
    return own.get(address) or InterfaceAddress(address, 128 if ":" in address else 32)
