"""Netlink: many requests in one send, one acknowledgement for all of them.

linux/netlink.h. The kernel works through all messages of a send in order and goes on after one
that fails; it answers those that failed and those that ask for it. So only the last one asks.
"""

import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice

from msgspec import Struct

from kubehop.linux.fds import socket_out_of_the_way
from kubehop.model.errors import ClusterError

REQUEST, MULTI, ACK = 1, 2, 4
ROOT_MATCH = 0x300
"""NLM_F_DUMP."""
REPLACE, EXCL, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800

NESTED = 0x8000
ERROR, DONE = 2, 3

_SOL_NETLINK, _CAP_ACK, _EXT_ACK = 270, 10, 11
_ACK_CAPPED, _ACK_HAS_ATTRIBUTES = 0x100, 0x200
_MESSAGE_ATTRIBUTE = 1
"""NLMSGERR_ATTR_MSG: what the kernel has to say, in words."""

BATCH = 64
"""Requests in one send: more is no faster and could outgrow the socket's buffer."""
_QUESTIONS = 16
"""The same where each is answered: the answers wait in the socket's buffer."""
_BUFFER = 1 << 18

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")


class Request(Struct, frozen=True):
    """One message: its type and flags, what follows the header, and what it is about.

    Errors in `tolerated` (errno) mean that there is nothing left to do.
    """

    type: int
    flags: int
    body: bytes
    about: object = ""
    tolerated: frozenset[int] = frozenset()


class Failure(Struct, frozen=True):
    """What the kernel refused, and why."""

    request: Request
    errno: int
    words: str

    def __str__(self) -> str:
        said = f" ({self.words})" if self.words else ""
        return f"the kernel refused {self.request.about}: {os.strerror(self.errno)}{said}"


def attribute(type: int, payload: bytes) -> bytes:
    """One attribute, padded."""
    return _ATTRIBUTE.pack(4 + len(payload), type) + payload + b"\0" * (-len(payload) % 4)


def nested(type: int, *attributes: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(type | NESTED, b"".join(attributes))


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes in `data`: type without its flags, payload. Stops at what is none."""
    at = 0
    while at + 4 <= len(data):
        length, type = _ATTRIBUTE.unpack_from(data, at)
        if length < 4 or at + length > len(data):
            return
        yield type & 0x3FFF, data[at + 4 : at + length]
        at += length + (-length % 4)


def netlink_socket(protocol: int) -> socket.socket:
    """A bound socket in the network namespace of the calling thread, where it stays."""
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    made = socket_out_of_the_way(socket.socket(socket.AF_NETLINK, kind, protocol))
    made.bind((0, 0))
    for option in (_CAP_ACK, _EXT_ACK):
        made.setsockopt(_SOL_NETLINK, option, 1)
    return made


class Netlink:
    """A socket of one netlink protocol, in the network namespace where it was made.

    One `made` elsewhere, by `netlink_socket`, belongs to this from now on.
    """

    def __init__(
        self, protocol: int = socket.NETLINK_ROUTE, made: socket.socket | None = None
    ) -> None:
        self.protocol = protocol
        self._numbers = count(1)
        self._socket = made or netlink_socket(protocol)

    def close(self) -> None:
        self._socket.close()

    def run(self, requests: Iterable[Request]) -> None:
        """Have all of them done. Raises ClusterError with the first that failed."""
        for failure in self.failures(requests):
            raise ClusterError(str(failure))

    def failures(self, requests: Iterable[Request]) -> list[Failure]:
        """Have all of them done; those that failed, without what they tolerate."""
        waiting, found = iter(requests), []
        while batch := list(islice(waiting, BATCH)):
            found += self._batch(batch, [])
        return found

    def transact(self, octets: bytes, last: int, about: object) -> None:
        """Send messages made elsewhere; the one with the number `last` asks for an answer.

        Raises ClusterError with what the kernel refused.
        """
        self._socket.send(octets)
        for type, sequence, body in self._messages():
            (code,) = struct.unpack_from("=i", body) if type == ERROR else (0,)
            if code:
                raise ClusterError(str(Failure(Request(type, 0, b"", about), -code, _words(body))))
            if sequence == last:
                return

    def answers(self, requests: Iterable[Request]) -> list[bytes]:
        """What follows the headers of the answers, one a request; those that fail have none."""
        waiting, found = iter(requests), list[bytes]()
        while batch := list(islice(waiting, _QUESTIONS)):
            self._batch(batch, found)
        return found

    def dump(self, request: Request) -> Iterator[tuple[int, bytes]]:
        """All messages of the answer to a dump: type, what follows the header."""
        number = next(self._numbers)
        flags = REQUEST | ROOT_MATCH | request.flags
        self._socket.send(_encoded(request, flags, number))
        for type, sequence, body in self._messages():
            if sequence != number:
                continue
            if type in (DONE, ERROR):
                (code,) = struct.unpack_from("=i", body) if len(body) >= 4 else (0,)
                if code:
                    raise ClusterError(str(Failure(request, -code, "")))
                return
            yield type, body

    def _batch(self, requests: Sequence[Request], answers: list[bytes]) -> list[Failure]:
        first = next(self._numbers)
        numbers = [first, *islice(self._numbers, len(requests) - 1)]
        flags = [request.flags | REQUEST for request in requests]
        flags[-1] |= ACK
        self._socket.send(b"".join(map(_encoded, requests, flags, numbers)))
        found = []
        for type, sequence, body in self._messages():
            if not first <= sequence <= numbers[-1]:
                continue
            if type != ERROR:
                answers.append(body)
                continue
            request = requests[sequence - first]
            (code,) = struct.unpack_from("=i", body)
            if code and -code not in request.tolerated:
                found.append(Failure(request, -code, _words(body)))
            if sequence == numbers[-1]:
                break
        return found

    def _messages(self) -> Iterator[tuple[int, int, bytes]]:
        """What arrives, without end: type, sequence number, what follows the header."""
        while True:
            data, at = self._socket.recv(_BUFFER), 0
            while at + _HEADER.size <= len(data):
                length, type, flags, sequence, _ = _HEADER.unpack_from(data, at)
                body = data[at + _HEADER.size : at + length]
                if type == ERROR and flags & _ACK_HAS_ATTRIBUTES:
                    body = _without_request(body, flags)
                yield type, sequence, body
                at += max(length + (-length % 4), _HEADER.size)


def message(type: int, flags: int, number: int, body: bytes) -> bytes:
    """One message, padded."""
    length = _HEADER.size + len(body)
    return _HEADER.pack(length, type, flags, number, 0) + body + b"\0" * (-length % 4)


def _encoded(request: Request, flags: int, number: int) -> bytes:
    return message(request.type, flags, number, request.body)


def _without_request(body: bytes, flags: int) -> bytes:
    """An error's body without the copy of the request: the code, a header, attributes."""
    if flags & _ACK_CAPPED:
        return body
    (length,) = struct.unpack_from("=I", body, 4)
    return body[: 4 + _HEADER.size] + body[4 + length + (-length % 4) :]


def _words(body: bytes) -> str:
    for type, payload in attributes(body[4 + _HEADER.size :]):
        if type == _MESSAGE_ATTRIBUTE:
            return payload.rstrip(b"\0").decode(errors="replace")
    return ""
