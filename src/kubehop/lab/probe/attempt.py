"""One connection of a probe: a socket, and the steps that it goes through."""

import errno
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from kubehop.lab.probe.answer import Answer, http_body, parse_answer
from kubehop.lab.probe.filter import MAGIC
from kubehop.lab.probe.values import Probe
from kubehop.trace.values import Verdict

_TCP_REPAIR, _TCP_REPAIR_QUEUE, _TCP_QUEUE_SEQ, _SEND_QUEUE = 19, 20, 21, 2
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_IP_FREEBIND = 15
_LINGER_OFF = struct.pack("ii", 1, 0)
_EXTENDED = struct.Struct("=I")
"""How `struct sock_extended_err` begins (linux/errqueue.h)."""
_REQUEST = b"GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"
ERRORS = {
    errno.ECONNREFUSED: Verdict.REJECTED,
    errno.ECONNRESET: Verdict.REJECTED,
    errno.EHOSTUNREACH: Verdict.UNROUTED,
    errno.ENETUNREACH: Verdict.UNROUTED,
}
"""What the errors of a connection say about its packet; any other is an error of ours."""


@dataclass(slots=True)
class Attempt:
    """A connection under way. `number` is the initial sequence number, or in the datagram."""

    probe: Probe
    index: int
    number: int
    deadline: float = 0.0
    verdict: Verdict | None = None
    answer: Answer | None = None
    data: bytearray = field(default_factory=bytearray)
    sock: socket.socket | None = None
    asked: bool = False

    def start(self) -> None:
        """Connect, or connect and send the datagram; call in the probe's namespace."""
        probe = self.probe
        family = socket.AF_INET6 if ":" in probe.destination else socket.AF_INET
        tcp = probe.protocol == "TCP"
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        made = self.sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        if probe.source:
            made.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            made.bind((probe.source, 0))
        if tcp:
            _begin_at(made, self.number)
        made.setsockopt(*_recverr(family), 1)
        self._doing(self._connect)

    def _connect(self) -> None:
        assert self.sock is not None
        error = self.sock.connect_ex((self.probe.destination, self.probe.port))
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, errno.errorcode.get(error, ""))
        if self.probe.protocol != "TCP":
            self.asked = True
            # A drop of the node's own output is told to the sender as EPERM (nf_hook_slow), and
            # so is a reject, which sends its ICMP error besides.
            with suppress(PermissionError):
                self.sock.send(MAGIC + self.number.to_bytes(4, "big"))

    @property
    def waits_for(self) -> int:
        """The events of poll(2) that let it go on."""
        return select.EPOLLIN if self.asked else select.EPOLLOUT

    def go_on(self, events: int) -> None:
        """One step, after the kernel said with `events` that there is one."""
        self._doing(self._fail if events & select.EPOLLERR else self._step)

    def _fail(self) -> None:
        assert self.sock is not None
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or self._told_aside()
        if error:
            raise OSError(error, errno.errorcode.get(error, ""))

    def _step(self) -> None:
        assert self.sock is not None
        if not self.asked:
            self.asked = True
            self.sock.send(_REQUEST)
            return
        got = self.sock.recv(65536)
        if self.probe.protocol != "TCP":
            self._end(Verdict.DELIVERED, parse_answer(got))
            return
        if not got:
            raise ValueError(f"{self.probe}: the connection ended after {bytes(self.data)!r}")
        self.data += got
        body = http_body(bytes(self.data))
        if body is not None:
            self._end(Verdict.DELIVERED, parse_answer(body))

    def _told_aside(self) -> int:
        """The error number of an ICMP message that came while connect() had the socket locked.

        The kernel keeps it for itself then (sk_err_soft): a SYN that goes through veths is
        answered before connect() returns. The queue of errors has it all the same.
        """
        assert self.sock is not None
        try:
            _, told, _, _ = self.sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            return 0
        return next((_EXTENDED.unpack_from(data)[0] for _, _, data in told), 0)

    def _doing(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BlockingIOError:
            return
        except OSError as error:
            verdict = ERRORS.get(error.errno or 0)
            if verdict is None:
                error.add_note(str(self.probe))
                raise
            self._end(verdict)

    def _end(self, verdict: Verdict, answer: Answer | None = None) -> None:
        self.verdict, self.answer = verdict, answer
        self.close()

    def close(self) -> None:
        """End it for both sides at once: no TIME_WAIT keeps the port."""
        if self.sock is None:
            return
        if self.probe.protocol == "TCP":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        self.sock.close()
        self.sock = None


def _begin_at(made: socket.socket, number: int) -> None:
    """Choose the initial sequence number: what TCP_REPAIR sets while closed, connect() keeps.

    Source: `tcp_v4_connect` and `tcp_repair_set` of Linux; needs CAP_NET_ADMIN in the
    namespace.
    """
    made.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
    made.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR_QUEUE, _SEND_QUEUE)
    made.setsockopt(socket.IPPROTO_TCP, _TCP_QUEUE_SEQ, struct.pack("=I", number))
    made.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 0)


def _recverr(family: int) -> tuple[int, int]:
    """The option by which a socket hears of unreachable hosts, in a queue of its own (ip(7))."""
    if family == socket.AF_INET6:
        return socket.IPPROTO_IPV6, _IPV6_RECVERR
    return socket.IPPROTO_IP, _IP_RECVERR
