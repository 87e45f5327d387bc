"""`tcp and port 53 and host 10.42.0.8` -> a classic BPF program; pure.

A small part of pcap-filter(7), with its meaning. Loads count from the network header
(SKF_NET_OFF) and the protocol is the kernel's own (SKF_AD_PROTOCOL), so that one program fits
every kind of interface. linux/filter.h, Documentation/networking/filter.rst.
"""

import ipaddress
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

from kubehop.linux.bpf import JEQ, LDB, LDH, LDW, NEXT, RET, Line, assembled
from kubehop.model.errors import UsageError

_NET = 0xFFF00000
_PROTOCOL = 0xFFFFF000
"""SKF_NET_OFF; SKF_AD_OFF + SKF_AD_PROTOCOL."""
_IP, _ARP, _IP6 = 0x0800, 0x0806, 0x86DD
_WITH_PORTS = (6, 17, 132)

_LDH_INDEXED, _LDX_HEADER, _JSET = 0x48, 0xB1, 0x45
_FRAGMENT = 0x1FFF

_SKIP = "skip"
GRAMMAR = "host ADDRESS, port N, tcp, udp, icmp, arp, ip, ip6, joined by `and`"


def program(expression: str, snaplen: int) -> bytes:
    """The array of `struct sock_filter` that keeps `snaplen` octets of the packets that are meant.

    "" means all. Raises UsageError for what is no such expression.
    """
    lines = [
        line for number, term in enumerate(_terms(expression)) for line in _named(number, term)
    ]
    lines += [Line(RET, snaplen), Line(RET, 0, label=_SKIP)]
    try:
        return assembled(lines)
    except ValueError as error:
        raise UsageError(f"--filter has too many terms: {expression[:60]!r}...") from error


def _named(number: int, lines: list[Line]) -> Iterator[Line]:
    """The lines of a term, which ends at `next` or `skip`; its labels are its own."""

    def own(label: str) -> str:
        return label if label in (NEXT, _SKIP) else f"{number}-{label}"

    for line in lines:
        yield replace(line, yes=own(line.yes), no=own(line.no), label=own(line.label))
    # Something to jump to: reads what the next term reads first, too.
    yield Line(LDH, _PROTOCOL, label=own("next"))


def _terms(expression: str) -> Iterator[list[Line]]:
    words = expression.split()
    while words:
        word = words.pop(0)
        if word in _BARE:
            yield _BARE[word]
        elif word in _WITH_ARGUMENT and words:
            yield _WITH_ARGUMENT[word](words.pop(0))
        else:
            raise UsageError(f"--filter: {word!r} is not understood; there is {GRAMMAR}")
        if words and (words.pop(0) != "and" or not words):
            raise UsageError(f"--filter: `and` joins what there is: {GRAMMAR}")


def _type(*kinds: int) -> list[Line]:
    return [Line(LDH, _PROTOCOL), *_one_of(kinds)]


def _one_of(values: tuple[int, ...], then: str = "next") -> list[Line]:
    """Go on at `then` if what was loaded is one of these, else skip the packet."""
    *some, last = values
    return [*(Line(JEQ, value, yes=then) for value in some), Line(JEQ, last, then, _SKIP)]


def _transport(four: tuple[int, ...], six: tuple[int, ...]) -> list[Line]:
    """IP's protocol, or IPv6's first next header."""
    return [
        Line(LDH, _PROTOCOL),
        Line(JEQ, _IP, no="six"),
        Line(LDB, _NET + 9),
        *_one_of(four),
        Line(JEQ, _IP6, no=_SKIP, label="six"),
        Line(LDB, _NET + 6),
        *_one_of(six),
    ]


def _port(text: str) -> list[Line]:
    if not (text.isascii() and text.isdecimal() and int(text) < 65536):
        raise UsageError(f"--filter: port {text!r} is not a number up to 65535")
    number = int(text)
    return [
        Line(LDH, _PROTOCOL),
        Line(JEQ, _IP, no="six"),
        Line(LDB, _NET + 9),
        *_one_of(_WITH_PORTS, "four"),
        Line(LDH, _NET + 6, label="four"),
        Line(_JSET, _FRAGMENT, yes=_SKIP),  # only the first fragment has ports
        Line(_LDX_HEADER, _NET),
        Line(_LDH_INDEXED, _NET),
        Line(JEQ, number, yes="next"),
        Line(_LDH_INDEXED, _NET + 2),
        *_one_of((number,)),
        Line(JEQ, _IP6, no=_SKIP, label="six"),
        Line(LDB, _NET + 6),
        *_one_of(_WITH_PORTS, "ports"),
        Line(LDH, _NET + 40, label="ports"),
        Line(JEQ, number, yes="next"),
        Line(LDH, _NET + 42),
        *_one_of((number,)),
    ]


def _host(text: str) -> list[Line]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise UsageError(f"--filter: host {text!r} is not an address") from error
    if address.version == 6:
        words = struct.unpack("!4I", address.packed)
        return [*_type_then(_IP6), *_words(8, words, "to"), *_words(24, words, _SKIP, "to")]
    number = int(address)
    return [
        Line(LDH, _PROTOCOL),
        Line(JEQ, _IP, no="arp"),
        Line(LDW, _NET + 12),
        Line(JEQ, number, yes="next"),
        Line(LDW, _NET + 16),
        *_one_of((number,)),
        Line(JEQ, _ARP, no=_SKIP, label="arp"),
        Line(LDW, _NET + 14),
        Line(JEQ, number, yes="next"),
        Line(LDW, _NET + 24),
        *_one_of((number,)),
    ]


def _type_then(kind: int) -> list[Line]:
    return [Line(LDH, _PROTOCOL), Line(JEQ, kind, no=_SKIP)]


def _words(at: int, words: tuple[int, ...], other: str, label: str = "") -> Iterator[Line]:
    """Go to the next term if an IPv6 address is there, else on at `other`."""
    for number, word in enumerate(words):
        last = number == len(words) - 1
        yield Line(LDW, _NET + at + 4 * number, label="" if number else label)
        yield Line(JEQ, word, yes="next" if last else NEXT, no=other)


_BARE: dict[str, list[Line]] = {
    "tcp": _transport((6,), (6,)),
    "udp": _transport((17,), (17,)),
    "icmp": _transport((1,), (58,)),
    "arp": _type(_ARP),
    "ip": _type(_IP),
    "ip6": _type(_IP6),
}
_WITH_ARGUMENT: dict[str, Callable[[str], list[Line]]] = {"port": _port, "host": _host}
