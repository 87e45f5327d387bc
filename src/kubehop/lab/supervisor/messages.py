"""Messages between a lab and its users: JSON with its length in front.

A request is one object with `do` and its arguments. The reply is any number of objects with
`progress`, and one with `result` or `error`.
"""

import json
import socket
import struct
import time
from typing import Any

from kubehop.model.errors import KubehopError, UsageError

LIMIT = 64 << 20
"""Octets of one message: manifests of a large cluster."""
_LENGTH = struct.Struct("!I")

Message = dict[str, Any]


class MalformedError(KubehopError):
    """What came is no message."""


def send(sock: socket.socket, message: Message) -> None:
    """Send one. Raises OSError if the other side is gone."""
    octets = json.dumps(message).encode()
    if len(octets) > LIMIT:
        raise UsageError(
            f"{len(octets) >> 20} MB are more than the {LIMIT >> 20} MB that a lab takes at a time"
        )
    sock.sendall(_LENGTH.pack(len(octets)) + octets)


def receive(sock: socket.socket, seconds: float | None = None) -> Message | None:
    """The next one, None at the end; `seconds` for all of it, however it trickles in.

    Raises MalformedError, OSError, TimeoutError.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    head = _exactly(sock, _LENGTH.size, deadline)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise MalformedError("a message that ends in its length")
    (length,) = _LENGTH.unpack(head)
    if length > LIMIT:
        raise MalformedError(f"a message of {length} octets")
    body = _exactly(sock, length, deadline)
    if len(body) != length:
        raise MalformedError(f"{len(body)} octets of a message of {length}")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedError("a message that is no JSON") from error
    if not isinstance(message, dict):
        raise MalformedError("a message that is no object")
    return message


def _exactly(sock: socket.socket, length: int, deadline: float | None) -> bytes:
    """So many octets, or what there was when the other side ended."""
    found = bytearray()
    while len(found) < length:
        if deadline is not None:
            sock.settimeout(max(0.001, deadline - time.monotonic()))
        more = sock.recv(min(length - len(found), 1 << 20))
        if not more:
            break
        found += more
    return bytes(found)
