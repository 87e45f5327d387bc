"""How a gRPC call ended: codes, and what they are made from.

Pure. https://github.com/grpc/grpc/blob/master/doc/statuscodes.md, PROTOCOL-HTTP2.md and
http-grpc-status-mapping.md beside it.
"""

import enum
import re
from collections.abc import Mapping

from kubehop.model.errors import KubehopError, printable


class Code(enum.IntEnum):
    """The status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class GrpcError(KubehopError):
    """A call that did not end with OK; `message` is the other side's, or ours."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code, self.message = code, message

    def __str__(self) -> str:
        return printable(super().__str__())


_OF_HTTP = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}
_OF_RESET = {
    0x7: Code.UNAVAILABLE,  # REFUSED_STREAM
    0x8: Code.CANCELLED,  # CANCEL
    0xB: Code.RESOURCE_EXHAUSTED,  # ENHANCE_YOUR_CALM
    0xC: Code.PERMISSION_DENIED,  # INADEQUATE_SECURITY
}
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
_MESSAGE_LENGTH = 500
"""A message for one line; runtimes put whole errors of errors in it."""


def reset(code: int) -> GrpcError:
    """The error for RST_STREAM with HTTP/2's error `code`."""
    return GrpcError(_OF_RESET.get(code, Code.INTERNAL), f"stream reset with code {code}")


def ended(headers: Mapping[bytes, bytes]) -> GrpcError | None:
    """The error that headers and trailers of a finished answer tell; None for OK."""
    status = headers.get(b"grpc-status")
    if status is None:
        return _without_status(headers)
    code = _code(status)
    if code is Code.OK:
        return None
    return GrpcError(code, _message(headers.get(b"grpc-message", b"")))


def _code(status: bytes) -> Code:
    try:
        return Code(int(status))
    except ValueError:
        return Code.UNKNOWN


def _message(encoded: bytes) -> str:
    """Percent-decoded; what is no UTF-8 after that is replaced, as the specification asks."""
    octets = _ENCODED.sub(lambda found: bytes((int(found[1], 16),)), encoded)
    return octets.decode(errors="replace")[:_MESSAGE_LENGTH]


def _without_status(headers: Mapping[bytes, bytes]) -> GrpcError:
    status = headers.get(b":status", b"")
    if status in (b"", b"200"):
        return GrpcError(Code.UNKNOWN, "the answer has no grpc-status")
    number = int(status) if status.isdigit() and len(status) < 4 else 0
    code = _OF_HTTP.get(number, Code.UNKNOWN)
    return GrpcError(code, f"HTTP status {status.decode(errors='replace')}")
