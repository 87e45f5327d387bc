"""Answers of HTTP/1.1, read strictly (RFC 9112); no sockets.

http.client would do, but takes 18 ms to import, lets two lengths pass, and waits for ever where
octets trickle in.
Refused: a body whose end can be read in two ways, lines that do not end in CRLF, anything larger
than its limit.
"""

import re
from collections.abc import Callable

from msgspec import Struct

HEAD_LIMIT, BODY_LIMIT = 64 << 10, 64 << 20
"""Octets; a thousand containers are 3 MB."""
_STATUS = re.compile(rb"HTTP/1\.([01]) ([2-5][0-9]{2})(?: [^\r\n\0]*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?")
_NO_BODY = (204, 304)


class MalformedError(Exception):
    """What came is no answer of HTTP, or too much of it."""


class Answer(Struct, frozen=True):
    """`keeps` is whether the connection may be used again."""

    status: int
    body: bytes
    keeps: bool


class Incoming:
    """Octets that arrive: `more` returns some of them, b"" at the end."""

    def __init__(self, more: Callable[[], bytes]) -> None:
        self._more = more
        self._held = bytearray()

    @property
    def is_empty(self) -> bool:
        return not self._held

    def line(self, limit: int) -> bytes:
        """Up to CRLF, without it."""
        searched = 0
        while (end := self._held.find(b"\n", searched)) < 0:
            searched = len(self._held)
            if searched > limit:
                raise MalformedError("a line without end")
            self._fill()
        found = bytes(self._held[: end + 1])
        if len(found) > limit or not found.endswith(b"\r\n"):
            raise MalformedError("a line that does not end in CRLF, or is too long")
        del self._held[: end + 1]
        return found[:-2]

    def exactly(self, length: int) -> bytes:
        while len(self._held) < length:
            self._fill()
        found = bytes(self._held[:length])
        del self._held[:length]
        return found

    def rest(self, limit: int) -> bytes:
        """Up to the end of the connection."""
        more = b"."
        while more and len(self._held) <= limit:
            more = self._more()
            self._held += more
        if len(self._held) > limit:
            raise MalformedError(_too_large(limit))
        found = bytes(self._held)
        self._held.clear()
        return found

    def _fill(self) -> None:
        more = self._more()
        if not more:
            raise MalformedError("it ends in the middle")
        self._held += more


def read_answer(incoming: Incoming, limit: int = BODY_LIMIT) -> Answer:
    """The answer to a GET. Raises MalformedError, and what `more` raises."""
    status_line = incoming.line(HEAD_LIMIT)
    found = _STATUS.fullmatch(status_line)
    if not found:
        raise MalformedError("no answer of HTTP/1.1")
    status = int(found[2])
    headers = _headers(incoming)
    chunked, length = _framing(headers)
    keeps = found[1] == b"1" and b"close" not in _words(headers, b"connection")
    if status in _NO_BODY:
        return Answer(status, b"", keeps)
    if chunked:
        return Answer(status, _chunks(incoming, limit), keeps)
    if length is None:
        return Answer(status, incoming.rest(limit), False)
    if length > limit:
        raise MalformedError(_too_large(limit))
    return Answer(status, incoming.exactly(length), keeps)


def _headers(incoming: Incoming) -> dict[bytes, list[bytes]]:
    """By name in lower case; also what follows the last chunk."""
    headers: dict[bytes, list[bytes]] = {}
    left = HEAD_LIMIT
    while line := incoming.line(left):
        left -= len(line) + 2
        found = _HEADER.fullmatch(line)
        if not found:
            raise MalformedError("a header that is none")
        headers.setdefault(found[1].lower(), []).append(found[2])
    return headers


def _framing(headers: dict[bytes, list[bytes]]) -> tuple[bool, int | None]:
    """Whether it comes in chunks, and its length; RFC 9112 section 6.3."""
    encodings, lengths = headers.get(b"transfer-encoding"), headers.get(b"content-length")
    if encodings:
        if lengths or [value.lower() for value in encodings] != [b"chunked"]:
            raise MalformedError("a body whose end can be read in two ways")
        return True, None
    if not lengths:
        return False, None
    if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
        raise MalformedError("a body whose end can be read in two ways")
    return False, int(lengths[0])


def _words(headers: dict[bytes, list[bytes]], name: bytes) -> set[bytes]:
    return {word.strip().lower() for value in headers.get(name, ()) for word in value.split(b",")}


def _chunks(incoming: Incoming, limit: int) -> bytes:
    body = bytearray()
    while True:
        found = _CHUNK.fullmatch(incoming.line(HEAD_LIMIT))
        if not found:
            raise MalformedError("a chunk without a length")
        length = int(found[1], 16)
        if not length:
            _headers(incoming)
            return bytes(body)
        if len(body) + length > limit:
            raise MalformedError(_too_large(limit))
        body += incoming.exactly(length)
        if incoming.exactly(2) != b"\r\n":
            raise MalformedError("a chunk longer than its length")


def _too_large(limit: int) -> str:
    return f"more than {limit} octets"
