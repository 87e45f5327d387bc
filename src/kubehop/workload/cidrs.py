"""CIDRs that hold given addresses."""

import ipaddress
from collections.abc import Iterable, Iterator

from kubehop.model.addresses import Family, network, parse


def smallest(ranges: Iterable[str], wanted: Family) -> str:
    """The smallest CIDR that holds all these addresses and CIDRs, which are of one family."""
    ends = [number for text in ranges for number in _ends(text)]
    low, high = min(ends), max(ends)
    bits = 32 if wanted is Family.IPV4 else 128
    length = bits - (low ^ high).bit_length()
    make = ipaddress.IPv4Network if wanted is Family.IPV4 else ipaddress.IPv6Network
    return str(make((low >> bits - length << bits - length, length)))


def _ends(text: str) -> Iterator[int]:
    if "/" not in text:
        yield _number(text)
        return
    net = network(text)
    yield int(net.network_address)
    yield int(net.broadcast_address)


def _number(address: str) -> int:
    """The address as a number; without objects for IPv4, as there may be 150,000 of them."""
    if ":" in address:
        return int(parse(address))
    return int.from_bytes(map(int, address.split(".")), "big")
