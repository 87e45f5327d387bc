"""Pieces that the parsers share: C's number parsing, addresses, lines."""

import ipaddress
import re
from dataclasses import dataclass, field

from kubehop.dns.resolv.values import Note, Option

C_SPACE = " \t\n\v\f\r"
"""isspace() in the C locale."""
NAMESERVERS = 3
"""MAXNS: what nearly every resolver takes (resolv.h)."""

_ATOI = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
_DIGITS = re.compile(r"[0-9]+")
_ATON_PART = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")
INT_MAX = 2**31 - 1


@dataclass(slots=True)
class Draft:
    """What a parser has found so far; its own, never handed out."""

    nameservers: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    ndots: int = 1
    timeout: int = 5
    attempts: int = 2
    options: set[Option] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)

    def note(self, line: int, text: str) -> None:
        self.notes.append(Note(line, text))


def octets(text: str) -> int:
    """Length in octets, as a C program counts."""
    return len(text.encode("utf-8", "surrogatepass"))


def atoi(text: str) -> int:
    """atoi(): leading white space, a sign, digits; 0 for anything else."""
    found = _ATOI.match(text)
    return max(-INT_MAX, min(int(found[1][:12]), INT_MAX)) if found else 0


def leading_digits(text: str) -> int | None:
    """The number that `text` begins with, None if it begins with something else."""
    found = _DIGITS.match(text)
    return min(int(found[0][:20]), INT_MAX) if found else None


def lines(text: str) -> list[tuple[int, str]]:
    """The lines of a file, numbered from 1, without their newline."""
    return list(enumerate(text.removesuffix("\n").split("\n"), 1)) if text else []


def words(text: str) -> list[str]:
    """Split at C's white space: str.split() would split at more."""
    return [word for word in re.split(r"[ \t\n\v\f\r]+", text) if word]


def aton(text: str) -> str | None:
    """inet_aton(): `127.1`, `0x7f.1` and `1.2.3.4` are addresses; None for anything else."""
    parts = text.split(".")
    if len(parts) > 4 or not all(_ATON_PART.fullmatch(part) for part in parts):
        return None
    numbers = [_aton_number(part) for part in parts]
    last = 256 ** (5 - len(numbers))
    if any(n > 255 for n in numbers[:-1]) or numbers[-1] >= last:
        return None
    value = numbers[-1] + sum(n << (8 * (3 - i)) for i, n in enumerate(numbers[:-1]))
    return str(ipaddress.IPv4Address(value))


def _aton_number(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part, 16)
    return int(part, 8) if part.startswith("0") else int(part[:12])


def dotted_quad(text: str) -> str | None:
    """inet_pton(AF_INET): four decimal parts."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        return None


def ipv6(text: str) -> str | None:
    """An IPv6 address, with its zone after `%` if it has one."""
    address, percent, zone = text.partition("%")
    try:
        return f"{ipaddress.IPv6Address(address)}{percent}{zone}"
    except ValueError:
        return None


def domain_of(hostname: str) -> list[str]:
    """The search list that resolvers make of a hostname when the file has none."""
    domain = hostname.partition(".")[2]
    return [domain] if domain else []
