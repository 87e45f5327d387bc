"""Names, MACs and link addresses of a lab: what no object of the cluster tells.

All follow from the names of objects, so that two plans of like clusters are alike.
"""

import hashlib
import re
from functools import lru_cache

from kubehop.model.addresses import Family, family, network, parse

ETH0, LO = "eth0", "lo"
OUTSIDE_DEVICE = "outside"
"""The fabric's interface to `outside`; rules tell packets from outside by it."""

HOST_MAC = "ee:ee:ee:ee:ee:ee"
"""Of the near end of every link (a node's `cali…`, all of the fabric's), as Calico has it: links
are point to point, so it need not be unique."""
OUTSIDE_MAC = "02:00:cb:00:71:09"

GATEWAY = {Family.IPV4: "169.254.1.1", Family.IPV6: "fe80::1"}
"""The near end of a link, as its far end calls it: no interface has it, a neighbour entry does."""
FAR_END = {Family.IPV4: "169.254.1.2", Family.IPV6: "fe80::2"}
"""The far end of one of the fabric's links: a node, or outside."""

EVERYTHING = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}
ROUTER = {Family.IPV4: "203.0.113.1", Family.IPV6: "2001:db8:113::1"}
"""The fabric itself: its ICMP errors come from here (RFC 5737, 3849: documentation addresses)."""
NAMESERVER = {Family.IPV4: "203.0.113.53", Family.IPV6: "2001:db8:113::53"}
"""The resolver outside."""

LOCAL_TABLE = 255
BALANCER_TABLE = 1000
"""The fabric's table for a node is this plus the node's mark; the kernel's own are below 256."""

_SAFE = re.compile(r"[a-z0-9][a-z0-9.-]{0,14}")
_RESERVED = frozenset({OUTSIDE_DEVICE, LO, ETH0, "all", "default"})


def node_device(name: str) -> str:
    """The fabric's interface to a node: its name where an interface may be called so.

    An underscore is in no node's name, so that a shortened name is nobody's own.
    """
    if _SAFE.fullmatch(name) and name not in _RESERVED:
        return name
    return f"node_{_digest(name)[:10]}"


def pod_device(namespace: str, name: str) -> str:
    """The host side of a pod's veth, by Calico's rule (`VethNameForWorkload`, libcalico-go)."""
    return f"cali{_digest(f'{namespace}.{name}')[:11]}"


def mac(owner: str) -> str:
    """A locally administered address for whoever is called so."""
    digest = _digest(owner)
    return "02:" + ":".join(digest[at : at + 2] for at in range(30, 40, 2))


@lru_cache(maxsize=4096)
def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def host(address: str) -> str:
    """The address as a CIDR of its own."""
    return f"{address}/128" if ":" in address else f"{address}/32"


@lru_cache(maxsize=65536)
def is_usable(address: str) -> bool:
    """True for an address that a host on a routed network may have."""
    number = parse(address)
    return not (
        number.is_loopback
        or number.is_multicast
        or number.is_unspecified
        or number.is_link_local
        or address in ROUTER.values()
    )


def nth(cidr: str, index: int) -> str | None:
    """The address at `index` of a network, None if it is smaller."""
    found = network(cidr)
    return str(found[index]) if index < found.num_addresses else None


def of_family(addresses: tuple[str, ...], wanted: Family) -> tuple[str, ...]:
    """Those of a family, in their order."""
    return tuple(address for address in addresses if family(address) is wanted)
