"""A server's side of a WebSocket (RFC 6455): the handshake and frames, no more than exec needs."""

import base64
import hashlib
import struct
from email.message import Message
from typing import BinaryIO

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE, PING = 2, 8, 9


def accept(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()


def chosen(headers: Message, supported: tuple[str, ...]) -> str | None:
    """The first of the client's protocols that the server has too."""
    offered = [each.strip() for each in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    return next((each for each in offered if each in supported), None)


def frame(kind: int, data: bytes, last: bool = True) -> bytes:
    head = bytes([kind | (0x80 if last else 0)])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    if len(data) < 1 << 16:
        return head + b"\x7e" + struct.pack(">H", len(data)) + data
    return head + b"\x7f" + struct.pack(">Q", len(data)) + data


def read_frame(stream: BinaryIO) -> tuple[int, bytes]:
    """A client's frame, which must be masked. Raises EOFError at the end."""
    head = stream.read(2)
    if len(head) < 2:
        raise EOFError
    length = head[1] & 0x7F
    if length == 126:
        length = struct.unpack(">H", stream.read(2))[0]
    elif length == 127:
        length = struct.unpack(">Q", stream.read(8))[0]
    assert head[1] & 0x80, "a client's frame must be masked"
    mask, data = stream.read(4), stream.read(length)
    return head[0] & 0x0F, bytes(octet ^ mask[at % 4] for at, octet in enumerate(data))
