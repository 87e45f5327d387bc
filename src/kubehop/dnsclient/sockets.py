"""One query on one socket: sent, and read back without ever blocking."""

import contextlib
import errno
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubehop.dns.lookup.protocol import Query, Silence, Transport
from kubehop.dns.message import Reply
from kubehop.dns.names import folded
from kubehop.dns.wire import reply as wire
from kubehop.dns.wire.errors import WireError

RD, AD = 0x0100, 0x0020
_REFUSED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE})
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EINVAL})
MAX_MESSAGE = 65535

Endpoint = tuple[str, int]
"""Address and port that stand for a nameserver."""


@dataclass(slots=True)
class Exchange:
    """A query under way. `poll` says what came: None as long as nothing did."""

    query: Query
    endpoint: Endpoint
    sock: socket.socket = field(init=False)
    _id: bytes = field(init=False, default_factory=lambda: secrets.token_bytes(2))
    _unsent: bytes = field(init=False)
    _read: bytes = field(init=False, default=b"")
    _failed: Silence | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        is_tcp = self.query.transport is Transport.TCP
        message = _message(self._id, self.query)
        self._unsent = len(message).to_bytes(2, "big") + message if is_tcp else message
        family = socket.AF_INET6 if ":" in self.endpoint[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        with self._noting_errors():
            self.sock.connect(self.endpoint)
        self._send()

    @property
    def wants_to_write(self) -> bool:
        return bool(self._unsent) and self._failed is None

    def poll(self) -> Reply | Silence | None:
        """Go on as far as the socket allows; the reply, UNREACHABLE, or None for not yet."""
        self._send()
        with self._noting_errors():
            while self._failed is None:
                found = self._receive()
                if found is not None:
                    return found
        return self._failed

    def close(self) -> None:
        self.sock.close()

    def _send(self) -> None:
        with self._noting_errors():
            if self.wants_to_write:
                sent = self.sock.send(self._unsent)
                self._unsent = self._unsent[sent:]

    def _receive(self) -> Reply | None:
        octets = self.sock.recv(MAX_MESSAGE)
        if self.query.transport is Transport.UDP:
            return self._understood(octets)
        if not octets:
            self._failed = Silence.UNREACHABLE
            return None
        self._read += octets
        length = int.from_bytes(self._read[:2], "big") if len(self._read) > 1 else MAX_MESSAGE
        return (
            self._understood(self._read[2 : 2 + length]) if len(self._read) > length + 1 else None
        )

    def _understood(self, message: bytes) -> Reply | None:
        """The reply if it is one to this query: id and question must match (RFC 5452 4)."""
        try:
            received = wire.parse(message)
        except WireError:
            return None
        asked, told = self.query.question, received.question
        if received.id != self._id or told is None:
            return None
        same = folded(told.name) == folded(asked.name) and told.type == asked.type
        return received.reply if same else None

    @contextlib.contextmanager
    def _noting_errors(self) -> Iterator[None]:
        """Not ready is no error; refused, reset or no route is UNREACHABLE."""
        try:
            yield
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            if error.errno not in _REFUSED | _NO_WAY:
                raise
            self._failed = Silence.UNREACHABLE


def _message(identifier: bytes, query: Query) -> bytes:
    opt = b""
    if query.payload:
        opt = b"\0" + (41).to_bytes(2, "big") + query.payload.to_bytes(2, "big") + bytes(6)
    return wire.ask(identifier, query.question, RD | (AD if query.ad else 0), opt)
