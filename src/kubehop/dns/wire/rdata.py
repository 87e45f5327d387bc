"""Record data between octets and presentation form, one table row a type.

The types that clusters use are written here, field by field; for rarer ones dnspython knows
both forms (and RFC 3597's for those that nobody knows).
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address

from kubehop.dns.wire import names
from kubehop.dns.wire.errors import WireError
from kubehop.dns.wire.strings import read_strings, write_strings
from kubehop.dns.wire.types import type_name
from kubehop.dns.wire.writer import Writer


@dataclass(frozen=True, slots=True)
class Field:
    """A part of record data: how a word is written, how it is read at an offset before an end."""

    write: Callable[[Writer, str], None]
    read: Callable[[bytes, int, int], tuple[str, int]]


def _number(octets: int) -> Field:
    def write(out: Writer, word: str) -> None:
        out.octets += int(word).to_bytes(octets, "big")

    def read(message: bytes, at: int, end: int) -> tuple[str, int]:
        if at + octets > end:
            raise WireError("record data is too short")
        return str(int.from_bytes(message[at : at + octets], "big")), at + octets

    return Field(write, read)


def _address(pack: Callable[[str], bytes], show: Callable[[bytes], str], octets: int) -> Field:
    def write(out: Writer, word: str) -> None:
        out.octets += pack(word)

    def read(message: bytes, at: int, end: int) -> tuple[str, int]:
        if at + octets > end:
            raise WireError("an address is too short")
        return show(message[at : at + octets]), at + octets

    return Field(write, read)


def _pack_ipv4(word: str) -> bytes:
    """As `ipaddress` does it, in a fifth of the time."""
    parts = word.split(".")
    if len(parts) != 4 or not all(part.isdecimal() and part.isascii() for part in parts):
        raise ValueError(word)
    return bytes(map(int, parts))


def _name(compress: bool) -> Field:
    def write(out: Writer, word: str) -> None:
        out.name(word, compress)

    def read(message: bytes, at: int, end: int) -> tuple[str, int]:
        return names.unpack(message, at)

    return Field(write, read)


U16, U32 = _number(2), _number(4)
IPV4 = _address(_pack_ipv4, lambda packed: ".".join(map(str, packed)), 4)
IPV6 = _address(lambda word: IPv6Address(word).packed, lambda p: str(IPv6Address(p)), 16)
NAME, WHOLE_NAME = _name(compress=True), _name(compress=False)

FIELDS: dict[str, tuple[Field, ...]] = {
    "A": (IPV4,),
    "AAAA": (IPV6,),
    "CNAME": (NAME,),
    "NS": (NAME,),
    "PTR": (NAME,),
    "MX": (U16, NAME),
    "SRV": (U16, U16, U16, WHOLE_NAME),  # RFC 2782: its target is not compressed
    "SOA": (NAME, NAME, U32, U32, U32, U32, U32),
}
STRINGS = frozenset({"TXT", "HINFO"})
"""Character strings (RFC 1035 3.3): any number of words, quoted or not."""


def write(out: Writer, type: str, data: str) -> None:
    """Append record data that is given in presentation form; raises WireError."""
    fields = FIELDS.get(type)
    if fields is None:
        out.octets += write_strings(data) if type in STRINGS else _rare_to_wire(type, data)
        return
    words = data.split()
    if len(words) != len(fields):
        raise WireError(f"no record data of type {type}: {data}")
    try:
        for field, word in zip(fields, words, strict=True):
            field.write(out, word)
    except (ValueError, OverflowError) as error:
        raise WireError(f"no record data of type {type}: {data}") from error


def read(message: bytes, at: int, end: int, type: int) -> str:
    """Record data between two offsets of a message, in presentation form; raises WireError."""
    name = type_name(type)
    if name in STRINGS:
        return read_strings(message[at:end])
    fields = FIELDS.get(name)
    if fields is None:
        return _rare_to_text(message, at, end, type)
    words = []
    for field in fields:
        word, at = field.read(message, at, end)
        words.append(word)
    if at != end:
        raise WireError(f"record data of type {name} has another length than it says")
    return " ".join(words)


def _rare_to_wire(type: str, data: str) -> bytes:
    import dns.exception
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype

    try:
        octets = dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.from_text(type), data
        ).to_wire()
    except (dns.exception.DNSException, ValueError) as error:
        raise WireError(f"no record data of type {type}: {data}") from error
    return octets or b""


def _rare_to_text(message: bytes, at: int, end: int, type: int) -> str:
    import dns.exception
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype

    try:
        return dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(type), message, at, end - at
        ).to_text()
    except (dns.exception.DNSException, ValueError, IndexError) as error:
        raise WireError(f"record data of type {type_name(type)} cannot be read") from error
