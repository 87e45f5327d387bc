"""Elements of maps and sets as netlink messages, made once for all namespaces that get them.

Of the time that libnftables takes to load a map nine tenths are reading the text. Most nodes of
a lab have the same maps, so the messages of a text are kept and sent again. What a text says
besides plain elements (intervals, rules) is left to libnftables.
Source: linux/netfilter/nf_tables.h, nfnetlink.h.
"""

import re
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from kubehop.linux.netlink import ACK, CREATE, REQUEST, attribute, message, nested

PROTOCOL = 12
"""NETLINK_NETFILTER."""
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NFTABLES, _NEW_ELEMENT = 10, 12
"""NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWSETELEM."""
_HEADER = struct.Struct("!BBH")
_TABLE, _SET, _ELEMENTS = 1, 2, 3
"""NFTA_SET_ELEM_LIST_TABLE, _SET and _ELEMENTS."""
_LIST_ELEMENT, _KEY, _DATA = 1, 1, 2
_VALUE, _VERDICT, _CODE, _CHAIN = 1, 2, 1, 2
_DROP, _GOTO = 0, -4 & 0xFFFFFFFF

MESSAGE = 60_000
"""Octets of elements in one message: the length of an attribute has 16 bits."""
BATCH = 180_000
"""Octets of one transaction: an ordinary user's send buffer takes 208 KiB."""

Types = Mapping[str, tuple[str, ...]]
"""By "FAMILY TABLE NAME", the words of a set's key, and of its data behind a ":"."""
Encode = Callable[[str], bytes]

_FAMILIES = {"ip": socket.AF_INET, "ip6": socket.AF_INET6}
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_BLOCK = re.compile(r"table (\S+) (\S+) \{\n(.*?)\n\}", re.DOTALL)
_DECLARED = re.compile(r"\t(?:set|map) (\S+) \{\n\t\ttype ([^\n]+)\n\t\}")
_STATEMENT = re.compile(r"add element (\S+ \S+ \S+) \{ (.*) \}\n")


def types_in(frame: str) -> Types:
    """The sets that a text declares, but for those with flags: intervals and timeouts."""
    return {
        f"{family} {table} {name}": tuple(words.split())
        for family, table, body in _BLOCK.findall(frame)
        for name, words in _DECLARED.findall(body)
    }


@dataclass(frozen=True, slots=True)
class Loading:
    """A text: transactions as octets, each with the number of the message that is answered,
    and what of it libnftables has to do afterwards."""

    batches: tuple[tuple[bytes, int], ...]
    rest: str


@lru_cache(maxsize=16)
def loading(text: str, frame: str) -> Loading:
    """How to load a text of `add element` statements into the sets that `frame` declares."""
    types = _types(frame)
    messages: list[bytes] = []
    rest = []
    for line in text.splitlines(keepends=True):
        found = _STATEMENT.fullmatch(line)
        words = types.get(found[1]) if found else None
        if found is None or words is None:
            rest.append(line)
        else:
            messages += _messages(found[1], words, found[2].split(", "))
    return Loading(tuple(_batches(messages)), "".join(rest))


_types = lru_cache(maxsize=8)(types_in)


def _batches(messages: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Bodies of messages as transactions, as many in each as fit."""
    some: list[bytes] = []
    for body in messages:
        if some and sum(map(len, some)) + len(body) > BATCH:
            yield _batch(some)
            some = []
        some.append(body)
    if some:
        yield _batch(some)


def _batch(bodies: Sequence[bytes]) -> tuple[bytes, int]:
    numbers = count(1)
    edge = _HEADER.pack(socket.AF_UNSPEC, 0, _NFTABLES)
    kind = _NFTABLES << 8 | _NEW_ELEMENT
    last = len(bodies) + 1
    parts = [message(_BATCH_BEGIN, REQUEST, next(numbers), edge)]
    for body in bodies:
        number = next(numbers)
        flags = REQUEST | CREATE | (ACK if number == last else 0)
        parts.append(message(kind, flags, number, body))
    parts.append(message(_BATCH_END, REQUEST, next(numbers), edge))
    return b"".join(parts), last


def _messages(name: str, words: tuple[str, ...], elements: Sequence[str]) -> Iterator[bytes]:
    """Bodies of NEWSETELEM messages for the elements of one set."""
    family, table, called = name.split(" ")
    head = _HEADER.pack(_FAMILIES[family], 0, 0)
    head += attribute(_TABLE, table.encode() + b"\0") + attribute(_SET, called.encode() + b"\0")
    colon = words.index(":") if ":" in words else len(words)
    key, data = words[:colon:2], words[colon + 1 :: 2]
    some: list[bytes] = []
    size = 0
    for element in elements:
        octets = _element(element, key, data)
        if size + len(octets) > MESSAGE:
            yield head + nested(_ELEMENTS, *some)
            some, size = [], 0
        some.append(octets)
        size += len(octets)
    yield head + nested(_ELEMENTS, *some)


def _element(text: str, key: tuple[str, ...], data: tuple[str, ...]) -> bytes:
    """`KEY` or `KEY : VALUE`."""
    left, _, right = text.partition(" : ")
    parts = nested(_KEY, attribute(_VALUE, _concatenated(left, key)))
    if data == ("verdict",):
        parts += nested(_DATA, _verdict(right))
    elif data:
        parts += nested(_DATA, attribute(_VALUE, _concatenated(right, data)))
    return nested(_LIST_ELEMENT, parts)


def _concatenated(text: str, types: tuple[str, ...]) -> bytes:
    """Fields one after the other, each padded to 32 bits."""
    fields = text.split(" . ")
    return b"".join(_ENCODE[type](field) for field, type in zip(fields, types, strict=True))


_ENCODE: dict[str, Encode] = {
    "ipv4_addr": socket.inet_aton,
    "ipv6_addr": lambda text: socket.inet_pton(socket.AF_INET6, text),
    "inet_proto": lambda text: bytes((_PROTOCOLS[text], 0, 0, 0)),
    "inet_service": lambda text: int(text).to_bytes(2, "big") + b"\0\0",
    "mark": lambda text: struct.pack("=I", int(text, 0)),
}


def _verdict(text: str) -> bytes:
    """`drop` or `goto CHAIN`."""
    word, _, chain = text.partition(" ")
    code = struct.pack("!I", _GOTO if word == "goto" else _DROP)
    named = attribute(_CHAIN, chain.encode() + b"\0") if chain else b""
    return nested(_VERDICT, attribute(_CODE, code), named)
