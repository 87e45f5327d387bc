"""Packet sockets: made in the namespace where the calling thread is, read without blocking.

packet(7). The kernel drops what nobody reads in time and counts it.
"""

import ctypes
import errno
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from kubehop.model.errors import KubehopError, UsageError
from kubehop.sandbox.capture import pcap
from kubehop.sandbox.namespace import NotAllowedError

ANY = "any"
_EVERYTHING = 0x0003
"""ETH_P_ALL."""
_SOL_PACKET, _STATISTICS, _AUXDATA = 263, 6, 8
_TIMESTAMP, _BUFFER_FORCED = 35, 33
"""SO_TIMESTAMPNS, SO_RCVBUFFORCE."""
_ATTACH_FILTER = 26
_BUFFER = 8 << 20
_AUX = struct.Struct("=IIIHHHH")
_VLAN, _VLAN_TPID, _DOT1Q = 0x10, 0x40, 0x8100
_TIME = struct.Struct("=qq") if ctypes.sizeof(ctypes.c_long) == 8 else struct.Struct("=ll")
_ANCILLARY = socket.CMSG_SPACE(_AUX.size) + socket.CMSG_SPACE(_TIME.size)
_ADDRESS = struct.Struct("=HHi12x")
"""struct sockaddr_ll, for bind(2)."""
_OUTGOING, _LOOPBACK = 4, 772

_libc = ctypes.CDLL(None, use_errno=True)


class InterfaceGoneError(KubehopError):
    """The interface that is captured has been removed."""


@dataclass(slots=True)
class Taps:
    """A packet socket on one interface, or on all of them; `link` is its pcap link type."""

    sock: socket.socket
    interface: str
    link: int
    snaplen: int
    _indices: dict[str, int]
    _received: int = 0
    _dropped: int = 0

    def read(self, most: int) -> Iterator[pcap.Packet]:
        """What has arrived, up to so many packets. Raises InterfaceGoneError."""
        for _ in range(most):
            try:
                octets, ancillary, _, address = self.sock.recvmsg(self.snaplen, _ANCILLARY)
            except BlockingIOError:
                return
            except OSError as error:
                self._went_down(error)
                return
            packet = self._packet(octets, ancillary, address)
            # On lo each packet is seen twice; once is enough, as with tcpdump.
            if packet.kind != _OUTGOING or packet.hardware != _LOOPBACK:
                yield packet

    def counts(self) -> tuple[int, int]:
        """Packets that passed the filter and packets dropped of them, by the kernel's count."""
        with suppress(OSError):
            data = self.sock.getsockopt(_SOL_PACKET, _STATISTICS, 8)
            received, dropped = struct.unpack("=II", data)
            self._received += received
            self._dropped += dropped
        return self._received, self._dropped

    def close(self) -> None:
        self.sock.close()

    def _went_down(self, error: OSError) -> None:
        if error.errno not in (errno.ENETDOWN, errno.ENODEV, errno.ENXIO):
            raise error
        if self.interface != ANY and not _index(self.interface):
            raise InterfaceGoneError(f"interface {self.interface} is gone") from error

    def _packet(
        self, octets: bytes, ancillary: list[tuple[int, int, bytes]], address: object
    ) -> pcap.Packet:
        assert isinstance(address, tuple)
        name, protocol, kind, hardware, sender = address
        seen, length, tag = time.time_ns(), len(octets), None
        for level, type, data in ancillary:
            if (level, type) == (socket.SOL_SOCKET, _TIMESTAMP) and len(data) >= _TIME.size:
                seconds, nanoseconds = _TIME.unpack_from(data)
                seen = seconds * 10**9 + nanoseconds
            elif (level, type) == (_SOL_PACKET, _AUXDATA) and len(data) >= _AUX.size:
                status, length, _, _, _, tci, tpid = _AUX.unpack_from(data)
                if status & _VLAN:
                    tag = (tpid if status & _VLAN_TPID else _DOT1Q, tci)
        index = self._indices.get(name) or self._indices.setdefault(name, _index(name))
        return pcap.Packet(seen, octets, length, name, index, protocol, kind, hardware, sender, tag)


def tap(interface: str, filter: bytes, snaplen: int) -> Taps:
    """Listen to an interface, or to `any`. `filter` is a classic BPF program.

    Raises UsageError for an interface that is not here, NotAllowedError without CAP_NET_RAW.
    """
    if interface != ANY and not _index(interface):
        there = ", ".join(name for _, name in socket.if_nameindex())
        raise UsageError(f"the pod has no interface {interface}; it has {there}, and `any` is all")
    raw = interface != ANY
    try:
        sock = _opened(interface, filter, raw)
        hardware = sock.getsockname()[3]
        link = pcap.link_type(hardware) if raw else pcap.LINUX_SLL2
        if raw and link == pcap.LINUX_SLL2:  # a header that we do not know: without it
            sock.close()
            sock = _opened(interface, filter, False)
    except OSError as error:
        if not isinstance(error, PermissionError):
            raise UsageError(f"interface {interface} cannot be captured: {error}") from error
        raise NotAllowedError("packets may not be captured", "CAP_NET_RAW") from error
    return Taps(sock, interface, link, snaplen, {})


def _opened(interface: str, filter: bytes, raw: bool) -> socket.socket:
    """A socket that gets nothing before it has its filter: protocol 0 until it is bound."""
    kind = socket.SOCK_RAW if raw else socket.SOCK_DGRAM
    sock = socket.socket(socket.AF_PACKET, kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0)
    try:
        sock.setsockopt(_SOL_PACKET, _AUXDATA, 1)
        sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
        _enlarge(sock)
        _attach(sock, filter)
        _bind(sock, 0 if interface == ANY else _index(interface))
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(sock: socket.socket, index: int) -> None:
    """socket.bind cannot say "all interfaces" with this family."""
    address = _ADDRESS.pack(socket.AF_PACKET, socket.htons(_EVERYTHING), index)
    if _libc.bind(sock.fileno(), address, len(address)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _enlarge(sock: socket.socket) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, _BUFFER_FORCED, _BUFFER)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)


def _attach(sock: socket.socket, filter: bytes) -> None:
    code = ctypes.create_string_buffer(filter, len(filter))
    head = struct.pack("@HP", len(filter) // 8, ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, head)


def _index(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except (OSError, ValueError):
        return 0
