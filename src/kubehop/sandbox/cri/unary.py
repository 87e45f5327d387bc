"""One unary call: the request's octets, and its answer as that comes in.

Pure. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from collections.abc import Sequence

from kubehop.sandbox.cri.status import Code, GrpcError, ended

LARGEST = 16 << 20
"""Octets of one message; the limit of containerd, CRI-O and the kubelet."""
_PREFIX = 5
"""A flag that says whether the message is compressed, and its length."""

Headers = Sequence[tuple[bytes, bytes]]


def framed(message: bytes) -> bytes:
    """`message` as it goes into DATA frames: not compressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def request_headers(method: str, timeout: float) -> list[tuple[bytes, bytes]]:
    """Headers of a call of `method`, "/package.Service/Method"; `timeout` in seconds."""
    milliseconds = min(max(int(timeout * 1000), 1), 99_999_999)
    return [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", method.encode()),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", b"kubehop"),
        (b"te", b"trailers"),
        (b"grpc-timeout", b"%dm" % milliseconds),
    ]


class Answer:
    """Takes an answer's headers, data and trailers as they arrive; `result` when it has ended."""

    __slots__ = ("_body", "_headers")

    def __init__(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()

    def headers(self, headers: Headers) -> None:
        """Headers or trailers; the two say different things, so that one mapping will do."""
        self._headers.update(headers)

    def data(self, data: bytes) -> None:
        """More of the body. Raises GrpcError if there is more than one message may have."""
        self._body += data
        if len(self._body) > LARGEST + _PREFIX or self._announced() > LARGEST:
            raise GrpcError(Code.RESOURCE_EXHAUSTED, f"an answer of more than {LARGEST} octets")

    def result(self) -> bytes | GrpcError:
        """The message, or how the call failed."""
        return ended(self._headers) or self._message()

    def _announced(self) -> int:
        return int.from_bytes(self._body[1:_PREFIX], "big") if len(self._body) >= _PREFIX else 0

    def _message(self) -> bytes | GrpcError:
        if len(self._body) != _PREFIX + self._announced():
            return GrpcError(Code.INTERNAL, "the answer is not one whole message")
        if self._body[0] != 0:
            return GrpcError(Code.INTERNAL, "the answer is compressed, which was not asked for")
        return bytes(memoryview(self._body)[_PREFIX:])
