"""Protobuf's wire format, as little of it as a kubelet's requests need.

A message is written as {field number: value}: int (also bool), str, bytes, another message, a list
of any of these for a repeated field, and `Map` for a map of strings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, Union

Value: TypeAlias = Union[int, str, bytes, "Message", "Map", Sequence["Value"]]
Message: TypeAlias = Mapping[int, Value]


@dataclass(frozen=True, slots=True)
class Map:
    """map<string, string>: a repeated message of key 1 and value 2."""

    entries: Mapping[str, str]


def encoded(message: Message) -> bytes:
    return b"".join(_field(number, value) for number, value in message.items())


def _field(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if isinstance(value, Map):
        return _field(number, [{1: key, 2: each} for key, each in value.entries.items()])
    if not isinstance(value, str | bytes | Mapping):
        return b"".join(_field(number, each) for each in value)
    content = _content(value)
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _content(value: str | bytes | Message) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else encoded(value)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64-bit complement."""
    number &= (1 << 64) - 1
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*made, number))


def decoded(wire: bytes) -> dict[int, list[int | bytes]]:
    """Field number -> its values in order; what has a length stays bytes."""
    found: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(wire):
        key, at = _read(wire, at)
        value: int | bytes
        if key & 7 == 0:
            value, at = _read(wire, at)
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            size, at = _read(wire, at)
            value, at = wire[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def _read(wire: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (wire[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not wire[at - 1] & 0x80:
            return number, at


def inner(message: Mapping[int, list[int | bytes]], number: int) -> dict[int, list[int | bytes]]:
    """A message field, an empty one if it is absent."""
    return messages(message, number)[-1] if number in message else {}


def messages(
    message: Mapping[int, list[int | bytes]], number: int
) -> list[dict[int, list[int | bytes]]]:
    """The messages of a repeated field."""
    return [decoded(each) for each in message.get(number, []) if isinstance(each, bytes)]


def number(message: Mapping[int, list[int | bytes]], field: int) -> int:
    """A number field, 0 if it is absent."""
    value = message.get(field, [0])[-1]
    assert isinstance(value, int)
    return value


def text(message: Mapping[int, list[int | bytes]], number: int) -> str:
    """A string field, "" if it is absent."""
    value = message.get(number, [b""])[-1]
    assert isinstance(value, bytes)
    return value.decode()
