"""Protocol buffers' wire format, by one table per message.

Pure. https://protobuf.dev/programming-guides/encoding: fields that the table does not know, or
knows with another wire type, are skipped; of a scalar given twice the last counts; a message given
twice is merged.
"""

import enum
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from msgspec import Struct

from kubehop.sandbox.values import SourceError

T = TypeVar("T")

Pairs = Mapping[str, str]
NO_PAIRS: Pairs = MappingProxyType({})

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
"""Wire types; 3 and 4 are groups, which proto3 has not."""
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_LONGEST = 10
"""Octets of a number of 64 bits, seven in each."""
_MOST_FIELD = 1 << 29


class WireError(SourceError):
    """Octets that are no such message."""


class Kind(enum.IntEnum):
    """What a field holds. PAIRS is map<string, string>; INT is int32, int64 or an enum.

    The order is that of `_TAKE`; those from INT on are varints, the others have a length.
    """

    TEXT = 0
    MESSAGE = 1
    MESSAGES = 2
    PAIRS = 3
    INT = 4
    UINT32 = 5
    BOOL = 6


class Field(Struct, frozen=True):
    """A field of a message: the attribute it goes to, and what it holds."""

    name: str
    kind: Kind = Kind.TEXT
    message: "Message[Any] | None" = None


class Message(Struct, Generic[T], frozen=True):
    """A message: the class that its values are of, with a default for each, and its fields."""

    of: type[T]
    fields: Mapping[int, Field]


def decode(message: Message[T], data: bytes) -> T:
    """The value that `data` is. Raises WireError."""
    found: dict[str, Any] = {}
    fields = message.fields
    for number, value in _fields(data):
        field = fields.get(number)
        if field is not None and (field.kind >= Kind.INT) is (type(value) is int):
            _TAKE[field.kind](found, field, value)
    for field in fields.values():
        if field.message is not None and field.name in found:
            found[field.name] = _messages(field.kind, field.message, found[field.name])
    return message.of(**found)


def _take_text(found: dict[str, Any], field: Field, value: Any) -> None:
    found[field.name] = _text(value)


def _take_message(found: dict[str, Any], field: Field, value: Any) -> None:
    """Octets one after the other are both messages merged; decoded when all have come."""
    found[field.name] = found.get(field.name, b"") + value


def _take_messages(found: dict[str, Any], field: Field, value: Any) -> None:
    found.setdefault(field.name, []).append(value)


def _take_pair(found: dict[str, Any], field: Field, value: Any) -> None:
    pair = {1: b"", 2: b""}
    for number, part in _fields(value):
        if isinstance(part, bytes):
            pair[number] = part
    found.setdefault(field.name, {})[_text(pair[1])] = _text(pair[2])


def _take_int(found: dict[str, Any], field: Field, value: Any) -> None:
    """Negative numbers are sent as if they had 64 bits."""
    found[field.name] = value - (1 << 64) if value >> 63 else value


def _take_uint32(found: dict[str, Any], field: Field, value: Any) -> None:
    found[field.name] = value & 0xFFFFFFFF


def _take_bool(found: dict[str, Any], field: Field, value: Any) -> None:
    found[field.name] = value != 0


_TAKE: tuple[Callable[[dict[str, Any], Field, Any], None], ...] = (
    _take_text,
    _take_message,
    _take_messages,
    _take_pair,
    _take_int,
    _take_uint32,
    _take_bool,
)


def _messages(kind: Kind, message: Message[Any], octets: Any) -> Any:
    if kind is Kind.MESSAGES:
        return tuple(decode(message, one) for one in octets)
    return decode(message, octets)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise WireError("malformed message: a string that is no UTF-8") from error


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field; an int for a varint. One octet is read without a call."""
    at, end = 0, len(data)
    while at < end:
        key = data[at]
        at += 1
        if key > 0x7F:
            key, at = _varint(data, at - 1)
        number, wire = key >> 3, key & 7
        if not 0 < number < _MOST_FIELD:
            raise WireError(f"malformed message: field number {number}")
        size = _FIXED.get(wire)
        if size is None:
            size = data[at] if at < end else 0x80
            at += 1
            if size > 0x7F:
                size, at = _varint(data, at - 1)
            if wire == _VARINT:
                yield number, size
                continue
            if wire != _LENGTH:
                raise WireError(f"malformed message: wire type {wire}")
        if size > end - at:
            raise WireError("malformed message: cut off")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, and where it ends."""
    value = 0
    for index, octet in enumerate(data[at : at + _LONGEST]):
        value |= (octet & 0x7F) << 7 * index
        if octet < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + index + 1
    raise WireError("malformed message: a number that does not end")


def encode(message: Message[T], value: T) -> bytes:
    """The octets of `value`; what has its default is left out, as proto3 does."""
    return b"".join(
        octets
        for number, field in message.fields.items()
        for octets in _put(number, field, getattr(value, field.name))
    )


def _put(number: int, field: Field, value: Any) -> Iterator[bytes]:
    """A field with its key, for each time that it is given."""
    if field.kind < Kind.INT:
        for octets in _occurrences(field, value):
            yield _number(number << 3 | _LENGTH) + _number(len(octets)) + octets
    elif value:
        yield _number(number << 3 | _VARINT) + _number(int(value) % (1 << 64))


def _occurrences(field: Field, value: Any) -> Iterator[bytes]:
    if field.kind is Kind.PAIRS:
        yield from (encode(_PAIR, _Pair(*pair)) for pair in value.items())
    elif field.message is not None and value is not None:
        values = value if field.kind is Kind.MESSAGES else (value,)
        yield from (encode(field.message, each) for each in values)
    elif value:
        yield value.encode()


def _number(value: int) -> bytes:
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
