"""Protocol buffers' wire format, by one table per message.

Pure. https://protobuf.dev/programming-guides/encoding: fields that the table does not know, or
knows with another wire type, are skipped; of a scalar given twice the last counts; a message given
twice is merged.
"""

import enum
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from msgspec import Struct

from kubehop.sandbox.values import SourceError

T = TypeVar("T")

Pairs = Mapping[str, str]
NO_PAIRS: Pairs = MappingProxyType({})


class WireError(SourceError):
    """Octets that are no such message."""


class Wire(enum.IntEnum):
    """Wire types; those of groups are of no message in proto3."""

    VARINT = 0
    FIXED64 = 1
    LENGTH = 2
    FIXED32 = 5


class Kind(enum.Enum):
    """What a field holds. INT is int32, int64 or an enum; PAIRS is map<string, string>."""

    TEXT = enum.auto()
    MESSAGE = enum.auto()
    PAIRS = enum.auto()
    INT = enum.auto()
    UINT32 = enum.auto()
    BOOL = enum.auto()


_WIRE = {
    Kind.TEXT: Wire.LENGTH,
    Kind.MESSAGE: Wire.LENGTH,
    Kind.PAIRS: Wire.LENGTH,
    Kind.INT: Wire.VARINT,
    Kind.UINT32: Wire.VARINT,
    Kind.BOOL: Wire.VARINT,
}


class Field(Struct, frozen=True):
    """A field of a message: the attribute it goes to, and what it holds; `many` for repeated."""

    name: str
    kind: Kind = Kind.TEXT
    message: "Message[Any] | None" = None
    many: bool = False


class Message(Struct, Generic[T], frozen=True):
    """A message: the class that its values are of, with a default for each, and its fields."""

    of: type[T]
    fields: Mapping[int, Field]


def decode(message: Message[T], data: bytes) -> T:
    """The value that `data` is. Raises WireError."""
    found: dict[str, Any] = {}
    for number, wire, value in _fields(data):
        field = message.fields.get(number)
        if field is not None and _WIRE[field.kind] is wire:
            _take(field, value, found)
    for field in message.fields.values():
        if field.name in found and field.kind is Kind.MESSAGE:
            found[field.name] = _message(field, found[field.name])
    return message.of(**found)


def _take(field: Field, value: Any, found: dict[str, Any]) -> None:
    """Put one occurrence into `found`; messages are gathered as octets, to be decoded once."""
    match field.kind:
        case Kind.MESSAGE if field.many:
            found.setdefault(field.name, []).append(value)
        case Kind.MESSAGE:
            found[field.name] = found.get(field.name, b"") + value  # that is how they merge
        case Kind.PAIRS:
            entry = decode(_PAIR, value)
            found.setdefault(field.name, {})[entry.key] = entry.value
        case Kind.TEXT if field.many:
            found[field.name] = (*found.get(field.name, ()), _text(value))
        case Kind.TEXT:
            found[field.name] = _text(value)
        case Kind.INT:
            found[field.name] = value - (1 << 64) if value >> 63 else value
        case Kind.UINT32:
            found[field.name] = value & 0xFFFFFFFF
        case Kind.BOOL:
            found[field.name] = value != 0


def _message(field: Field, octets: Any) -> Any:
    assert field.message is not None
    if field.many:
        return tuple(decode(field.message, one) for one in octets)
    return decode(field.message, octets)


def _text(value: bytes) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise WireError("malformed message: a string that is no UTF-8") from error


def _fields(data: bytes) -> Iterator[tuple[int, Wire, Any]]:
    """Number, wire type and value of each field; octets, or an int for a varint."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise WireError(f"malformed message: field number {number}")
        if wire == Wire.VARINT:
            value, at = _varint(data, at)
            yield number, Wire.VARINT, value
            continue
        size, at = _size(data, at, wire)
        if size > end - at:
            raise WireError("malformed message: cut off")
        yield number, Wire(wire), data[at : at + size]
        at += size


def _size(data: bytes, at: int, wire: int) -> tuple[int, int]:
    match wire:
        case Wire.LENGTH:
            return _varint(data, at)
        case Wire.FIXED64:
            return 8, at
        case Wire.FIXED32:
            return 4, at
    raise WireError(f"malformed message: wire type {wire}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, seven in each octet; and where it ends."""
    value = 0
    for shift, octet in enumerate(data[at : at + 10]):
        value |= (octet & 0x7F) << 7 * shift
        if octet < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + shift + 1
    raise WireError("malformed message: a number that does not end")


def encode(message: Message[T], value: T) -> bytes:
    """The octets of `value`; what has its default is left out, as proto3 does."""
    parts = bytearray()
    for number, field in message.fields.items():
        _put(parts, number, field, getattr(value, field.name))
    return bytes(parts)


def _put(parts: bytearray, number: int, field: Field, value: Any) -> None:
    if _WIRE[field.kind] is Wire.VARINT:
        if value:
            parts += _varint_octets(number << 3) + _varint_octets(int(value) % (1 << 64))
        return
    for octets in _octets(field, value):
        parts += _varint_octets(number << 3 | Wire.LENGTH) + _varint_octets(len(octets)) + octets


def _octets(field: Field, value: Any) -> Iterator[bytes]:
    """Each occurrence of a field with a length."""
    if field.kind is Kind.PAIRS:
        yield from (encode(_PAIR, _Pair(*pair)) for pair in value.items())
    elif field.many:
        yield from (_one(field, each) for each in value)
    elif value is not None and value != "":
        yield _one(field, value)


def _one(field: Field, value: Any) -> bytes:
    return encode(field.message, value) if field.message else value.encode()


def _varint_octets(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


class _Pair(Struct, frozen=True):
    key: str = ""
    value: str = ""


_PAIR = Message(_Pair, {1: Field("key"), 2: Field("value")})
