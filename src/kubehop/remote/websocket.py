"""`pods/exec` over a WebSocket: Kubernetes' channel protocol v5, else v4.

The connection itself is urllib3's, made as for every other request: TLS, client certificate,
proxy. So the library that speaks WebSocket decides nothing about who is spoken to.
Protocol: k8s.io/apimachinery `pkg/util/remotecommand/constants.go`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from kubehop.live.access import Access
from kubehop.live.api import reason, refused_credentials
from kubehop.model.errors import ClusterError
from kubehop.remote.requests import status_message

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDOUT, _STDERR, _STATUS = 1, 2, 3
_SKIPPED = frozenset({"accept-encoding"})  # of bodies, and there is none


@dataclass(frozen=True, slots=True)
class ExecLimits:
    """How long a program in a container may take, in seconds, and how much it may say, in bytes."""

    seconds: float = 15
    connect_seconds: float = 5
    output_bytes: int = 4 << 20
    error_bytes: int = 1 << 14


DEFAULT = ExecLimits()


@dataclass(frozen=True, slots=True)
class Executed:
    """What a program in a container wrote, and how it ended.

    `code` is its exit code; None if it could not be started or did not end in time, and `why`
    says so. `cut`: it wrote more than was taken, and was left; `late`: it did not end in time.
    """

    stdout: bytes
    stderr: bytes
    code: int | None
    why: str = ""
    cut: bool = False
    late: bool = False


class RefusedUpgradeError(ClusterError):
    """The server does not open a WebSocket; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Cause(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct):
    causes: tuple[_Cause, ...] = ()


class _Status(msgspec.Struct):
    status: str = ""
    message: str = ""
    reason: str = ""
    details: _Details | None = None


def execute(
    access: Access,
    path: str,
    limits: ExecLimits = DEFAULT,
    clock: Callable[[], float] = time.monotonic,
) -> Executed:
    """Run what `path` (.../exec?command=...&stdout=true&stderr=true) says, until it ends.

    Raises RefusedUpgradeError, or ClusterError when the connection fails.
    """
    deadline = clock() + limits.seconds
    with _connected(access, path, limits) as socket:
        return _Reading(limits).until_end(_messages(socket, deadline, clock))


class _Reading:
    """Collects the channels of one program."""

    def __init__(self, limits: ExecLimits) -> None:
        self._limits = {
            _STDOUT: limits.output_bytes,
            _STDERR: limits.error_bytes,
            _STATUS: 1 << 16,
        }
        self._seconds = limits.seconds
        self._channels = {channel: bytearray() for channel in self._limits}

    def until_end(self, messages: Iterator[bytes | None]) -> Executed:
        for message in messages:
            if message is None:
                return self._result(None, f"no answer within {self._seconds:g} s", late=True)
            if self._take(message) and message[0] == _STDOUT:
                most = self._limits[_STDOUT]
                return self._result(None, f"wrote more than {most} bytes", cut=True)
        return self._result(*_ending(bytes(self._channels[_STATUS])))

    def _take(self, message: bytes) -> bool:
        """Keep what fits; whether something did not. v5's "channel closed" (255) has no data."""
        content = self._channels.get(message[0])
        if content is None:
            return False
        room = self._limits[message[0]] - len(content)
        content += message[1 : 1 + room]
        return len(message) - 1 > room

    def _result(
        self, code: int | None, why: str, *, cut: bool = False, late: bool = False
    ) -> Executed:
        stdout, stderr = (bytes(self._channels[channel]) for channel in (_STDOUT, _STDERR))
        return Executed(stdout, stderr, code, why, cut, late)


def _ending(body: bytes) -> tuple[int | None, str]:
    """Exit code and reason from channel 3's metav1.Status."""
    if not body:
        return None, "the connection ended before the program did"
    try:
        status = msgspec.json.decode(body, type=_Status)
    except msgspec.MsgspecError:
        return None, "ended with a status that cannot be read"
    if status.status == "Success":
        return 0, ""
    causes = status.details.causes if status.details else ()
    code = next((cause.message for cause in causes if cause.reason == "ExitCode"), "")
    if code.isdecimal() and code.isascii() and len(code) <= 3:
        return int(code), status.message
    return None, status.message or status.reason or "failed"


def _messages(socket: Any, deadline: float, clock: Callable[[], float]) -> Iterator[bytes | None]:
    """Data messages until the server closes; None when the time is over."""
    import websocket

    while True:
        left = deadline - clock()
        if left <= 0:
            yield None
            return
        socket.settimeout(left)
        try:
            kind, data = socket.recv_data()
        except websocket.WebSocketTimeoutException:
            yield None
            return
        except (websocket.WebSocketConnectionClosedException, OSError):
            return  # without a status on channel 3 it is said that the end is missing
        except websocket.WebSocketException as error:
            raise ClusterError(f"exec: not a WebSocket any more: {error}") from error
        if kind == websocket.ABNF.OPCODE_CLOSE:
            return
        if data:
            yield bytes(data)


@contextmanager
def _connected(access: Access, path: str, limits: ExecLimits) -> Iterator[Any]:
    import urllib3
    import websocket

    where = f"{access.host}: exec"
    try:
        connection = _connection(access, limits.connect_seconds)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ClusterError(f"{where}: {reason(error)}") from error
    try:
        socket: Any = websocket.WebSocket()
        connection.sock.settimeout(limits.seconds)
        try:
            socket.connect(_address(access, path), **_options(access, connection.sock))
        except websocket.WebSocketBadStatusException as error:
            raise _refusal(access, where, error) from error
        except (websocket.WebSocketException, OSError) as error:
            raise ClusterError(f"{where}: no WebSocket: {error}") from error
        try:
            yield socket
        finally:
            with suppress(websocket.WebSocketException, OSError):
                socket.close(timeout=1)
    finally:
        connection.close()


def _connection(access: Access, seconds: float) -> Any:
    """A new connection to the server, of the pool's making and not of the pool.

    A server without TLS behind a proxy gets a tunnel too: an Upgrade goes no other way.
    """
    import urllib3

    pool = access.pool.connection_from_url(access.server)
    connection = pool._new_conn()
    connection.timeout = seconds
    if pool.proxy is None:
        connection.connect()
    elif access.server.startswith("https:"):
        pool._prepare_proxy(connection)
    else:
        server = urllib3.util.parse_url(access.server)
        connection.set_tunnel(server.host, server.port or 80, headers=pool.proxy_headers)
        connection.connect()
    return connection


def _address(access: Access, path: str) -> str:
    """`ws...` for the request line and Host; credentials in the server's URL stay out of it."""
    return "ws" + access.host.removeprefix("http") + path


def _options(access: Access, sock: Any) -> dict[str, Any]:
    """No redirect is followed: it would carry the credentials to somebody else."""
    headers: Sequence[tuple[str, str]] = access.headers.iteritems()
    return {
        "socket": sock,
        "header": [f"{k}: {v}" for k, v in headers if k.lower() not in _SKIPPED],
        "subprotocols": list(PROTOCOLS),
        "suppress_origin": True,
        "redirect_limit": 0,
    }


def _refusal(access: Access, where: str, error: Any) -> ClusterError:
    if error.status_code == 401:
        return refused_credentials(access)
    message = status_message(error.resp_body or b"") or "no WebSocket"
    return RefusedUpgradeError(
        f"{where}: answered {error.status_code}: {message}", int(error.status_code)
    )
