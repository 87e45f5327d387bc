"""What the network said to an attempt to connect, in words; pure.

ICMP: RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7; ICMPv6: RFC 4443 3. The error queue's
`struct sock_extended_err`: linux/errqueue.h. Which errno means what: ip(7), tcp(7), udp(7).
"""

import enum
import errno
import os
import socket
import struct

from msgspec import Struct
from msgspec.structs import replace


class Result(enum.StrEnum):
    """What came of it."""

    CONNECTED = "connected"
    ANSWERED = "answered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_ROUTE = "no route"
    TIMEOUT = "timeout"
    SILENT = "silent"
    FAILED = "failed"


REACHED = (Result.CONNECTED, Result.ANSWERED)


class Icmp(Struct, frozen=True):
    """An ICMP error: `version` 4 or 6, and `sender`, the address that said so.

    `version` 0: the kernel itself; nobody answered for the address on the link.
    """

    version: int
    type: int
    code: int
    sender: str = ""
    errno: int = 0
    info: int = 0

    def __str__(self) -> str:
        if not self.version:
            return ""
        return f"{_NAMES.get((self.version, self.type, self.code)) or self._number()}"

    def _number(self) -> str:
        name = "ICMP" if self.version == 4 else "ICMPv6"
        return f"{name} type {self.type} code {self.code}"


class Answer(Struct, frozen=True):
    """An attempt and its end.

    `seconds` is how long it took, `rtt` what TCP measured; `source` is where it came from (""
    if the kernel chose nothing). `mss` is of what is sent, in octets. `sent` counts SYNs.
    """

    address: str
    port: int
    protocol: str
    result: Result = Result.FAILED
    seconds: float = 0.0
    source: str = ""
    why: str = ""
    errno: int = 0
    icmp: Icmp | None = None
    mss: int | None = None
    path_mtu: int | None = None
    rtt: float | None = None
    sent: int | None = None
    received: int | None = None

    @property
    def reached(self) -> bool:
        return self.result in REACHED


_LOCAL, _ICMP, _ICMP6 = 1, 2, 3
"""SO_EE_ORIGIN_..."""
_EXTENDED = struct.Struct("=IBBBBII")
_VERSIONS = {_LOCAL: 0, _ICMP: 4, _ICMP6: 6}

_NAMES = {
    (4, 3, 0): "ICMP network unreachable",
    (4, 3, 1): "ICMP host unreachable",
    (4, 3, 2): "ICMP protocol unreachable",
    (4, 3, 3): "ICMP port unreachable",
    (4, 3, 4): "ICMP fragmentation needed",
    (4, 3, 9): "ICMP network administratively prohibited",
    (4, 3, 10): "ICMP host administratively prohibited",
    (4, 3, 13): "ICMP communication administratively prohibited",
    (4, 11, 0): "ICMP time exceeded in transit",
    (6, 1, 0): "ICMPv6 no route to destination",
    (6, 1, 1): "ICMPv6 administratively prohibited",
    (6, 1, 2): "ICMPv6 beyond scope of source address",
    (6, 1, 3): "ICMPv6 address unreachable",
    (6, 1, 4): "ICMPv6 port unreachable",
    (6, 1, 5): "ICMPv6 source address failed ingress/egress policy",
    (6, 1, 6): "ICMPv6 reject route to destination",
    (6, 2, 0): "ICMPv6 packet too big",
    (6, 3, 0): "ICMPv6 hop limit exceeded in transit",
}
_PORT = ((4, 3, 3), (6, 1, 4))
_PROHIBITED = ((4, 3, 9), (4, 3, 10), (4, 3, 13), (6, 1, 1), (6, 1, 5))
_NO_HOST = ((4, 3, 1), (6, 1, 3))
_NOBODY = "nobody answers ARP or neighbour discovery for the address or its gateway"
_LOOP = ((4, 11, 0), (6, 3, 0))

_AT_ONCE = {
    errno.ENETUNREACH: (Result.NO_ROUTE, "no route to it in the pod's routing tables"),
    errno.EHOSTUNREACH: (Result.NO_ROUTE, "a route of kind unreachable, or a link that is down"),
    errno.EINVAL: (Result.NO_ROUTE, "a route of kind blackhole"),
    errno.EACCES: (Result.NO_ROUTE, "a route of kind prohibit, or a broadcast address"),
    errno.EADDRNOTAVAIL: (Result.NO_ROUTE, "no address to send from, or no port left"),
    errno.EPERM: (Result.FAILED, "a firewall rule of the pod's own network drops it"),
    errno.EAFNOSUPPORT: (Result.FAILED, "the kernel does not have this family"),
    errno.EMSGSIZE: (Result.FAILED, "larger than a datagram may be"),
}
"""Said by the pod's own kernel before anything was sent."""

_LATER = {
    errno.ECONNREFUSED: Result.REFUSED,
    errno.ECONNRESET: Result.REFUSED,
    errno.ENETUNREACH: Result.UNREACHABLE,
    errno.EHOSTUNREACH: Result.UNREACHABLE,
    errno.ENOPROTOOPT: Result.UNREACHABLE,
    errno.EHOSTDOWN: Result.UNREACHABLE,
    errno.ENONET: Result.UNREACHABLE,
    errno.EACCES: Result.UNREACHABLE,
    errno.EPROTO: Result.UNREACHABLE,
    errno.ETIMEDOUT: Result.TIMEOUT,
}


def error_of(data: bytes) -> Icmp | None:
    """A sock_extended_err and the address behind it; None for what is no network error."""
    if len(data) < _EXTENDED.size:
        return None
    number, origin, type, code, _, info, _ = _EXTENDED.unpack_from(data)
    if origin not in _VERSIONS:
        return None
    return Icmp(_VERSIONS[origin], type, code, _sender(data[_EXTENDED.size :]), number, info)


def said(answer: Answer, number: int, icmp: Icmp | None, at_once: bool = False) -> Answer:
    """The answer that an errno and an ICMP error make; `at_once`: before anything was sent."""
    if at_once and (icmp is None or not icmp.version) and number in _AT_ONCE:
        result, why = _AT_ONCE[number]
        return replace(answer, result=result, why=why, errno=number)
    result = _LATER.get(number, Result.FAILED)
    if icmp and icmp.version and _key(icmp) not in _PORT and result is not Result.FAILED:
        result = Result.UNREACHABLE
    why = _words(answer, number, icmp)
    return replace(answer, result=result, why=why, errno=number, icmp=icmp)


def _words(answer: Answer, number: int, icmp: Icmp | None) -> str:
    if icmp and icmp.version:
        if _key(icmp) in _NO_HOST and icmp.sender == _own(answer):
            return f"{_NOBODY}: {icmp} from the pod itself"
        sender = icmp.sender or "somebody"
        return f"{icmp} from {sender}{_meaning(answer, icmp)}"
    if number in (errno.ECONNREFUSED, errno.ECONNRESET):
        if answer.protocol == "udp":
            return f"ICMP port unreachable: nothing listens on port {answer.port}"
        return (
            f"RST from {answer.address}: nothing listens on port {answer.port} there, "
            "or a firewall resets in its name"
        )
    if number in (errno.EHOSTUNREACH, errno.EHOSTDOWN):
        return _NOBODY
    return os.strerror(number) if number else ""


def _meaning(answer: Answer, icmp: Icmp) -> str:
    key = _key(icmp)
    if key in _PORT and icmp.sender in ("", answer.address) and answer.protocol == "udp":
        return f": nothing listens on port {answer.port} there, or a firewall rejects"
    if key in _PORT:
        return ": a firewall rejects"
    if key in _PROHIBITED:
        return ": a firewall or router forbids"
    return ": a routing loop, or a very long way" if key in _LOOP else ""


def _own(answer: Answer) -> str:
    """The address that it was sent from."""
    return answer.source.rpartition(":")[0].strip("[]")


def _key(icmp: Icmp) -> tuple[int, int, int]:
    return icmp.version, icmp.type, icmp.code


def _sender(sockaddr: bytes) -> str:
    """The address in a sockaddr; "" if there is none."""
    if len(sockaddr) < 8:
        return ""
    (family,) = struct.unpack_from("=H", sockaddr)
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, sockaddr[4:8])
    if family == socket.AF_INET6 and len(sockaddr) >= 24:
        return socket.inet_ntop(socket.AF_INET6, sockaddr[8:24])
    return ""
