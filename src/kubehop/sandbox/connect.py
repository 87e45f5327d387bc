"""Connect by TCP, or send a datagram by UDP, where the calling thread is, and say what came of it.

What the network said is read from the socket's error queue (ip(7), IP_RECVERR): the ICMP message
and who sent it. TCP has it for a SYN since Linux 5.9; before, the errno alone tells.
"""

import errno
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kubehop.sandbox.answers import Answer, Icmp, Result, error_of, said

DATAGRAM = b"kubehop\n"
_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR, IPV6_RECVERR: linux/in.h, linux/in6.h."""
_INFO = struct.Struct("=8B24I")
"""struct tcp_info up to tcpi_rcv_space, linux/tcp.h."""
_RETRANSMITS, _SEND_MSS, _PATH_MTU, _RTT = 2, 8 + 2, 8 + 13, 8 + 15
_MOST = 65535
_NONE = ("0.0.0.0", "::")  # noqa: S104  what getsockname(2) says of a socket without one


class Target(Struct, frozen=True):
    """An address to try: `address` as printed, `sockaddr` as the kernel takes it."""

    address: str
    port: int
    sockaddr: tuple[Any, ...]

    @property
    def family(self) -> int:
        return socket.AF_INET6 if len(self.sockaddr) > 2 else socket.AF_INET


def target(address: str, port: int) -> Target | None:
    """An address, with the scope of an interface that is here; None if it is none."""
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError, ValueError):
        return None
    sockaddr = found[0][4]
    return Target(str(sockaddr[0]), port, sockaddr)


def source_of(aim: Target) -> str | None:
    """The address that it would be sent from, as the kernel chooses; None if it cannot be sent.

    Nothing is sent: connecting a socket of UDP asks the routing tables alone.
    """
    with suppress(OSError), socket.socket(aim.family, socket.SOCK_DGRAM) as sock:
        sock.connect(aim.sockaddr)
        return str(sock.getsockname()[0])
    return None


def connect(aim: Target, seconds: float) -> Answer:
    """Try to connect by TCP for so long. Never raises for what the network does."""
    return _tried(aim, socket.SOCK_STREAM, seconds, _tcp)


def send_datagram(aim: Target, seconds: float, datagram: bytes = DATAGRAM) -> Answer:
    """Send one by UDP and wait for so long for whatever comes back."""
    return _tried(aim, socket.SOCK_DGRAM, seconds, partial(_udp, datagram=datagram))


_Try = Callable[[socket.socket, Answer, float], Answer]


def _tried(aim: Target, kind: socket.SocketKind, seconds: float, how: _Try) -> Answer:
    protocol = "tcp" if kind == socket.SOCK_STREAM else "udp"
    answer = Answer(aim.address, aim.port, protocol)
    start = time.monotonic()
    try:
        with socket.socket(aim.family, kind) as sock:
            sock.setblocking(False)
            with suppress(OSError):
                sock.setsockopt(*_RECVERR[socket.AddressFamily(aim.family)], 1)
            number = sock.connect_ex(aim.sockaddr)
            here = replace(answer, source=_source(sock))
            if number not in (0, errno.EINPROGRESS):
                found = said(here, number, _queued(sock), at_once=True)
            else:
                found = how(sock, here, start + seconds)
    except OSError as error:  # no such family, no socket left
        found = said(answer, error.errno or 0, None, at_once=True)
    return replace(found, seconds=round(time.monotonic() - start, 6))


def _tcp(sock: socket.socket, answer: Answer, until: float) -> Answer:
    if not _waited(sock, select.POLLOUT, until):
        sent = _info(sock)[_RETRANSMITS] + 1
        return replace(answer, result=Result.TIMEOUT, sent=sent, why=f"no answer to {sent} SYN")
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        return said(answer, number, _queued(sock))
    info = _info(sock)
    return replace(
        answer,
        result=Result.CONNECTED,
        source=_source(sock),
        mss=info[_SEND_MSS],
        path_mtu=info[_PATH_MTU],
        rtt=info[_RTT] / 1e6,
    )


def _udp(sock: socket.socket, answer: Answer, until: float, datagram: bytes) -> Answer:
    try:
        sock.send(datagram)
    except OSError as error:
        return said(answer, error.errno or 0, _queued(sock), at_once=True)
    while _waited(sock, select.POLLIN, until):
        try:
            octets = sock.recv(_MOST)
        except BlockingIOError:  # a datagram with a wrong checksum
            continue
        except OSError as error:
            return said(answer, error.errno or 0, _queued(sock))
        why = f"{len(octets)} octets came back"
        return replace(answer, result=Result.ANSWERED, received=len(octets), why=why)
    why = "no answer and no ICMP error: arrived and ignored, or dropped on the way there or back"
    return replace(answer, result=Result.SILENT, why=why)


def _waited(sock: socket.socket, what: int, until: float) -> bool:
    """Whether it is ready, or has an error, by then."""
    poll = select.poll()
    poll.register(sock, what)
    left = max(0.0, until - time.monotonic())
    return bool(poll.poll(left * 1000))


def _queued(sock: socket.socket) -> Icmp | None:
    """The ICMP error that waits in the error queue."""
    with suppress(OSError):
        _, ancillary, _, _ = sock.recvmsg(_MOST, 512, socket.MSG_ERRQUEUE)
        for level, type, data in ancillary:
            if (level, type) in _RECVERR.values() and (found := error_of(data)):
                return found
    return None


def _source(sock: socket.socket) -> str:
    """The address and port that it is sent from, "" before the kernel has chosen them."""
    with suppress(OSError):
        host, port = sock.getsockname()[:2]
        if port and host not in _NONE:
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return ""


def _info(sock: socket.socket) -> tuple[int, ...]:
    data = b""
    with suppress(OSError):
        data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    return _INFO.unpack(data.ljust(_INFO.size, b"\0"))
