"""What a Listener says, as values and octets. No sockets here."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kubehop.lab.plan.values import Listener, Role
from kubehop.lab.servers.requests import Refusal, Request
from kubehop.service.health import HealthCheck

TEXT, JSON = "text/plain; charset=utf-8", "application/json"
OURS = b"pod:"
"""What every datagram of ours begins with: it is never answered, else two would talk for ever."""

_PROBE = re.compile(r"[?&]probe=([A-Za-z0-9._~-]{1,64})(?:[&#]|$)")
_PROBE_DATAGRAM = re.compile(rb"probe:([A-Za-z0-9._~-]{1,64})")
_VISIBLE = re.compile(r"[!-~]{1,255}")
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


@dataclass(frozen=True, slots=True)
class Ends:
    """Of a connection or a datagram: the address that it came to, and whom it came from.

    Both as "10.0.0.1:80" or "[fd00::1]:80".
    """

    local: str
    peer: str


@dataclass(frozen=True, slots=True)
class Response:
    """What an HTTP request gets; `fields` are header fields beside the usual ones."""

    status: int
    body: str = ""
    type: str = TEXT
    fields: dict[str, str] = field(default_factory=dict)

    def octets(self, method: str, keep: bool) -> bytes:
        """As it goes over the wire; no body for HEAD."""
        body = self.body.encode()
        head = {
            "Content-Type": self.type,
            "Content-Length": str(len(body)),
            "Connection": "keep-alive" if keep else "close",
            **self.fields,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        start = f"HTTP/1.1 {self.status} {_REASONS[self.status]}\r\n"
        return f"{start}{lines}\r\n".encode("ascii") + (b"" if method == "HEAD" else body)


Page = Callable[[Listener, Request, Ends], Response]


def respond(listener: Listener, asked: Request | Refusal, ends: Ends) -> Response:
    """What the listener says to a request."""
    if isinstance(asked, Refusal):
        return Response(asked.status, f"{_REASONS[asked.status]}\n")
    if asked.method == "CONNECT":  # a 200 would open a tunnel
        return Response(405, f"{_REASONS[405]}\n")
    return PAGES[listener.role](listener, asked, ends)


def datagram(listener: Listener, asked: bytes, ends: Ends) -> bytes | None:
    """What the listener says to a datagram; None if it says nothing."""
    if asked.startswith(OURS):
        return None
    probe = _PROBE_DATAGRAM.match(asked)
    return _lines(_who(listener, ends, probe[1].decode() if probe else "")).encode()


# Pages


def _echo(listener: Listener, asked: Request, ends: Ends) -> Response:
    """Who answers, and whom it sees; text, or the same as JSON."""
    probe = _PROBE.search(asked.target)
    said = dict(_who(listener, ends, probe[1] if probe else ""))
    if _VISIBLE.fullmatch(asked.host):
        said["host"] = asked.host
    if _path(asked.target) == "/json" or JSON in asked.accept.lower():
        return Response(200, f"{json.dumps(said, indent=2)}\n", JSON)
    return Response(200, _lines(said.items()))


def _health(listener: Listener, _asked: Request, _ends: Ends) -> Response:
    """As kube-proxy's `service_health.go`: whatever the path."""
    answer = HealthCheck.of(listener.endpoints)
    namespace, _, name = listener.service.partition("/")
    said = {
        "service": {"namespace": namespace, "name": name},
        "localEndpoints": answer.local_endpoints,
        "serviceProxyHealthy": True,
    }
    fields = {
        "X-Content-Type-Options": "nosniff",
        "X-Load-Balancing-Endpoint-Weight": str(answer.local_endpoints),
    }
    return Response(answer.status, f"{json.dumps(said, indent=2)}\n", JSON, fields)


def _proxy_health(_listener: Listener, asked: Request, _ends: Ends) -> Response:
    """As kube-proxy's `proxy_health.go`, of one that is always in step."""
    path = _path(asked.target)
    if path not in ("/healthz", "/livez"):
        return Response(404, "404 page not found\n")
    now = str(datetime.now(UTC))
    said: dict[str, object] = {"lastUpdated": now, "currentTime": now}
    if path == "/healthz":
        said["nodeEligible"] = True
    fields = {"X-Content-Type-Options": "nosniff"}
    return Response(200, json.dumps(said), JSON, fields)


PAGES: dict[Role, Page] = {
    Role.ECHO: _echo,
    Role.HEALTH: _health,
    Role.PROXY_HEALTH: _proxy_health,
}


def _who(listener: Listener, ends: Ends, probe: str) -> Iterator[tuple[str, str]]:
    yield "pod", listener.pod
    yield "node", listener.node
    yield "local", ends.local
    yield "peer", ends.peer
    if probe:
        yield "probe", probe


def _lines(said: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in said)


def _path(target: str) -> str:
    """The path of a request target, absolute form included (RFC 9112 3.2)."""
    if "://" in target:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    return target.partition("?")[0]
