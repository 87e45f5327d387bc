"""Requests of HTTP/1.x as octets on the way to values (RFC 9112). No sockets here."""

import re
from dataclasses import dataclass

MOST_HEAD = 8 << 10
"""Octets of a request line and its header fields together."""

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-\xff]+) HTTP/([0-9])\.([0-9])")
_BEGIN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `target` is as it came: "/json?probe=1"; `host` and `accept` "" if not sent.

    `keep` is whether the client goes on with the connection after the answer.
    """

    method: str
    target: str
    host: str = ""
    accept: str = ""
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is no request, or none that is understood: a status, and the connection ends."""

    status: int


class Requests:
    """The requests of one connection, one after the other; bodies are let go as they come.

    Keeps at most MOST_HEAD octets and what was fed since `next` last returned None.
    """

    __slots__ = ("_in", "_skip", "_waiting")

    def __init__(self) -> None:
        self._in = bytearray()
        self._skip = 0
        self._waiting: Request | None = None

    def feed(self, octets: bytes) -> None:
        """Take what came."""
        self._in += octets

    def next(self) -> Request | Refusal | None:
        """The next request whose body has come too; None until then.

        After a Refusal, or a Request that does not `keep`, there is nothing more to ask for.
        """
        if self._waiting is None:
            found = self._head()
            if not isinstance(found, Request):
                return found
            self._waiting = found
        passed = min(self._skip, len(self._in))
        self._skip -= passed
        del self._in[:passed]
        if self._skip:
            return None
        found, self._waiting = self._waiting, None
        return found

    def _head(self) -> Request | Refusal | None:
        """The next request line with its fields; `_skip` is then the length of the body."""
        if self._in.startswith((b"\r", b"\n")):  # RFC 9112 2.2: empty lines before are ignored
            self._in = self._in.lstrip(b"\r\n")
        if self._in and not _BEGIN.match(self._in):
            return Refusal(400)  # TLS, for one: its client would wait for more
        end = _HEAD_END.search(self._in, 0, MOST_HEAD)
        if end is None:
            return Refusal(431) if len(self._in) >= MOST_HEAD else None
        lines = bytes(self._in[: end.start()]).replace(b"\r\n", b"\n").split(b"\n")
        del self._in[: end.end()]
        return self._request(lines[0], lines[1:])

    def _request(self, line: bytes, lines: list[bytes]) -> Request | Refusal:
        words = _LINE.fullmatch(line)
        if words is None:
            return Refusal(400)
        if words[3] != b"1":
            return Refusal(505)
        fields: dict[bytes, bytes] = {}
        for text in lines:
            field = _FIELD.fullmatch(text)
            if field is None:
                return Refusal(400)
            name = field[1].lower()
            fields[name] = b", ".join((fields[name], field[2])) if name in fields else field[2]
        length = fields.get(b"content-length", b"0")
        if not _LENGTH.fullmatch(length):
            return Refusal(400)
        self._skip = int(length)
        # What follows a body of unknown length, or one that may not come, is not looked at.
        open_ended = fields.keys() & {b"transfer-encoding", b"expect"}
        if open_ended:
            self._skip = 0
        return Request(
            method=words[1].decode("ascii"),
            target=words[2].decode("latin-1"),
            host=fields.get(b"host", b"").decode("latin-1"),
            accept=fields.get(b"accept", b"").decode("latin-1"),
            keep=not open_ended and _keeps(words[4], fields.get(b"connection", b"")),
        )


def _keeps(minor: bytes, connection: bytes) -> bool:
    """RFC 9112 9.3: HTTP/1.1 goes on unless told otherwise, HTTP/1.0 only if told."""
    options = {option.strip() for option in connection.lower().split(b",")}
    return b"close" not in options and (minor != b"0" or b"keep-alive" in options)
