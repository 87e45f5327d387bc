"""The files of /proc/PID/net, from octets to values; no I/O.

Each parser leaves out lines that it cannot read, and never raises. Numbers of addresses are in the
byte order of the machine that wrote them (`order`): each 32 bits on their own.
"""

import socket
import struct
import sys
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from kubehop.sandbox.values import InterfaceAddress, Listening, Route

Order = Literal["little", "big"]
HERE: Order = sys.byteorder

_GATEWAY, _REJECT, _NO_NEXTHOP = 0x2, 0x200, 0x200000
_ANYCAST, _LOCAL = 0x100000, 0x80000000
"""RTF_...: linux/route.h, linux/ipv6_route.h."""
_LISTEN, _UNCONNECTED = b"0A", b"07"
"""TCP_LISTEN; TCP_CLOSE, which with UDP is any socket that nobody connected: net/tcp_states.h."""
_SCOPES = {0x00: "global", 0x10: "host", 0x20: "link", 0x40: "site"}
_FLAGS = ((0x01, "temporary"), (0x02, "nodad"), (0x04, "optimistic"), (0x08, "dadfailed"),
          (0x10, "home"), (0x20, "deprecated"), (0x40, "tentative"))  # fmt: skip
_PERMANENT = 0x80
"""IFA_F_...: linux/if_addr.h. There is no room for those above 0x80."""
_MULTICAST = 0xFF


class Local(Struct, frozen=True):
    """An address that is this host's: `prefix` 32, or less for a whole net on the loopback."""

    address: str
    prefix: int


def local_addresses(fib_trie: bytes) -> tuple[Local, ...]:
    """IPv4, once each, in the order of the file (which shows a merged trie twice)."""
    found: dict[Local, None] = {}
    address = b""
    for line in _lines(fib_trie):
        match line.split():
            case [b"|--", leaf]:
                address = leaf
            case [prefix, b"host", b"LOCAL", *_] if prefix.startswith(b"/"):
                length = _decimal(prefix[1:], 32)
                if length is not None and (text := _ipv4_text(address)):
                    found[Local(text, length)] = None
    return tuple(found)


def interface_addresses(if_inet6: bytes) -> tuple[tuple[int, str, InterfaceAddress], ...]:
    """IPv6: index and name of the interface, address with ip's words; lifetimes are not told."""
    found = []
    for line in _lines(if_inet6):
        fields = line.split()
        numbers = [_hex(field, 2, 8) for field in fields[1:5]]
        address = _ipv6(fields[0], "big") if fields else ""
        if len(fields) != 6 or not address or None in numbers:
            continue
        index, prefix, scope, flags = (number or 0 for number in numbers)
        if prefix <= 128:
            words = tuple(word for bit, word in _FLAGS if flags & bit)
            words += () if flags & _PERMANENT else ("dynamic",)
            scoped = _SCOPES.get(scope, str(scope))
            found.append(
                (index, _name(fields[5]), InterfaceAddress(address, prefix, scoped, words))
            )
    return tuple(found)


def device_names(dev: bytes) -> tuple[str, ...]:
    """Of `dev`: in the order of the kernel, without its two lines of headings."""
    lines = (line.partition(b":") for line in _lines(dev)[2:])
    return tuple(_name(name.strip()) for name, colon, _ in lines if colon and name.strip())


def device_indices(igmp: bytes) -> dict[str, int]:
    """Of `igmp`: the index of each interface that has IPv4 and is up."""
    found = {}
    for line in _lines(igmp)[1:]:
        interface, colon, _ = line.partition(b":")
        fields = interface.split()
        number = _decimal(fields[0], 1 << 31) if len(fields) == 2 else None
        if colon and number is not None and not line.startswith(b"\t"):
            found[_name(fields[1])] = number
    return found


def routes(route: bytes, order: Order = HERE) -> tuple[Route, ...]:
    """IPv4, of the table main; a route with several next hops shows its first.

    Those without a device are `blackhole` or such: which of them is told for none.
    """
    return tuple(found for line in _lines(route)[1:] if (found := _route(line, order)))


def _route(line: bytes, order: Order) -> Route | None:
    fields = line.split()
    if len(fields) != 11:
        return None
    destination, gateway, mask = (_ipv4(fields[at], order) for at in (1, 2, 7))
    flags, metric, prefix = _hex(fields[3], 1, 8), _decimal(fields[6], 1 << 32), _length(mask)
    if flags is None or metric is None or prefix is None or not destination or not gateway:
        return None
    device = "" if fields[0] == b"*" else _name(fields[0])
    return Route(
        family=4,
        destination=_cidr(destination, prefix, 32),
        device=device,
        # 0.0.0.0 stands for a gateway of IPv6, which fib_route_seq_show does not print.
        gateway=gateway if flags & _GATEWAY and gateway.strip("0.") else "",
        metric=metric or None,
        kind="unicast" if device and not flags & _REJECT else "",
    )


def routes6(ipv6_route: bytes) -> tuple[Route, ...]:
    """IPv6, of all tables: the file does not tell them apart, but for `local`'s by their kind."""
    return tuple(found for line in _lines(ipv6_route) if (found := _route6(line)))


def _route6(line: bytes) -> Route | None:
    fields = line.split()
    if len(fields) != 10:
        return None
    destination, gateway = _ipv6(fields[0], "big"), _ipv6(fields[4], "big")
    prefix, metric, flags = _hex(fields[1], 2, 2), _hex(fields[5], 8, 8), _hex(fields[8], 8, 8)
    if prefix is None or prefix > 128 or metric is None or flags is None:
        return None
    if not destination or not gateway or _is_kernels_own(flags, metric):
        return None
    kind = _kind6(destination, prefix, flags)
    return Route(
        family=6,
        destination=_cidr(destination, prefix, 128),
        device=_name(fields[9]),
        gateway=gateway if flags & _GATEWAY else "",
        metric=metric,
        kind=kind,
        table="main" if kind in ("unicast", "") else "local",
    )


def _is_kernels_own(flags: int, metric: int) -> bool:
    """The entry that stands for "no route", which no tool shows."""
    return bool(flags & _REJECT and flags & _NO_NEXTHOP and metric == 0xFFFFFFFF)


def _kind6(destination: str, prefix: int, flags: int) -> str:
    for bit, kind in ((_REJECT, ""), (_LOCAL, "local"), (_ANYCAST, "anycast")):
        if flags & bit:
            return kind
    is_multicast = prefix == 8 and destination == "ff00::"
    return "multicast" if is_multicast else "unicast"


def listening(table: bytes, protocol: str, order: Order = HERE) -> tuple[Listening, ...]:
    """Of `tcp`, `tcp6`, `udp`, `udp6`: sockets that wait; UDP's are those with a port that nobody
    connected.

    Whether one of IPv6 takes IPv4 too is not told.
    """
    wanted = _LISTEN if protocol == "tcp" else _UNCONNECTED
    lines = (line.split(None, 10) for line in _lines(table)[1:])
    return tuple(
        found
        for fields in lines
        if len(fields) >= 10 and fields[3] == wanted
        if (found := _listening(fields, protocol, order))
    )


def _listening(fields: list[bytes], protocol: str, order: Order) -> Listening | None:
    address, _, port_text = fields[1].partition(b":")
    text = _ipv6(address, order) if len(address) == 32 else _ipv4(address, order)
    port, inode = _hex(port_text, 4, 4), _decimal(fields[9], 1 << 64)
    if not text or not port or inode is None:
        return None
    return Listening(protocol, text, port, inode=inode)


def _lines(content: bytes) -> list[bytes]:
    """Whole ones: what was cut off in its last line could be read as another number."""
    return content.split(b"\n")[:-1]


def _cidr(address: str, prefix: int, whole: int) -> str:
    if prefix == 0:
        return "default"
    return address if prefix == whole else f"{address}/{prefix}"


def _words(text: bytes, order: Order) -> Iterator[int]:
    for at in range(0, len(text), 8):
        octets = bytes.fromhex(text[at : at + 8].decode("ascii"))
        yield int.from_bytes(octets, "big") if order == "big" else int.from_bytes(octets, "little")


def _packed(text: bytes, order: Order) -> bytes:
    """Raises ValueError, UnicodeDecodeError (which is one)."""
    words = tuple(_words(text, order))
    return struct.pack(f">{len(words)}I", *words)


def _ipv4(text: bytes, order: Order) -> str:
    """ "" for what is none."""
    return _address(socket.AF_INET, text, 8, order)


def _ipv6(text: bytes, order: Order) -> str:
    return _address(socket.AF_INET6, text, 32, order)


def _address(family: socket.AddressFamily, text: bytes, length: int, order: Order) -> str:
    if len(text) != length:
        return ""
    try:
        return socket.inet_ntop(family, _packed(text, order))
    except ValueError:
        return ""


def _ipv4_text(text: bytes) -> str:
    try:
        return socket.inet_ntop(socket.AF_INET, socket.inet_pton(socket.AF_INET, text.decode()))
    except (OSError, ValueError):
        return ""


def _length(mask: str) -> int | None:
    """None for one with holes."""
    if not mask:
        return None
    bits = f"{int.from_bytes(socket.inet_aton(mask), 'big'):032b}"
    ones = bits.rstrip("0")
    return None if "0" in ones else len(ones)


def _decimal(text: bytes, largest: int) -> int | None:
    """int() takes more: signs, underscores, and digits without end."""
    if not text.isdigit() or len(text) > 20 or (number := int(text)) > largest:
        return None
    return number


def _hex(text: bytes, shortest: int, longest: int) -> int | None:
    if not shortest <= len(text) <= longest or not text.isalnum():
        return None
    try:
        return int(text, 16)
    except ValueError:
        return None


def _name(text: bytes) -> str:
    """Names are octets to the kernel."""
    return text.decode("utf-8", "replace")
