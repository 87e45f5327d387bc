"""IP addresses and networks as the model keeps them: canonical strings and cached networks.

Addresses stay strings (150,000 pods need no objects); `canonical` is applied where an address
is looked up or compared, because the API may hold `FD00:0::1` for `fd00::1`.
"""

import enum
import ipaddress
from functools import lru_cache

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Family(enum.StrEnum):
    """An IP family, in the words of `spec.ipFamilies` and `addressType`."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"


def is_address(text: str) -> bool:
    """True if `text` is an IPv4 or IPv6 address without a zone (`%eth0`)."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=65536)
def parse(address: str) -> IPAddress:
    """The address as a number-like object; raises ValueError for anything else."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.scope_id is not None:
        raise ValueError(f"{address!r} has a zone")
    return parsed


def canonical(address: str) -> str:
    """The one spelling of `address` (RFC 5952); IPv4 has only one and returns as it is."""
    return address if ":" not in address else str(parse(address))


def family(address: str) -> Family:
    """The family of an address or CIDR that is known to be valid."""
    return Family.IPV6 if ":" in address else Family.IPV4


@lru_cache(maxsize=4096)
def network(cidr: str) -> IPNetwork:
    """The network of a CIDR, host bits ignored as kube-proxy does; raises ValueError."""
    return ipaddress.ip_network(cidr, strict=False)


def contains(cidr: str, address: str) -> bool:
    """True if `address` lies in `cidr`; False if they are of different families."""
    net, addr = network(cidr), parse(address)
    return net.version == addr.version and addr in net


def first_of(cidrs: tuple[str, ...], wanted: Family) -> str | None:
    """The first CIDR of a family, as kube-proxy picks its cluster CIDR."""
    return next((cidr for cidr in cidrs if family(cidr) is wanted), None)


def socket_address(address: str, port: int) -> str:
    """`10.0.0.1:80` or `[fd00::1]:80`."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


LOOPBACK = {Family.IPV4: "127.0.0.0/8", Family.IPV6: "::1/128"}
