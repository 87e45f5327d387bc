"""A ring that the kernel writes the fabric's frames to (packet(7), PACKET_RX_RING)."""

import ctypes
import mmap
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from kubehop.lab.probe.filter import KEPT, program

_SOL_PACKET, _SO_ATTACH_FILTER = 263, 26
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION, _TPACKET_V2 = 5, 6, 10, 1
_ETH_P_ALL, _OUTGOING = 3, 4
_FRAME = 512
"""Octets of a slot: tpacket2_hdr, sockaddr_ll, and the KEPT octets of the frame."""
_BLOCK = 1 << 16
_HEADER = struct.Struct("=IIIHH")
_ADDRESS = struct.Struct("=HHiHBB")
_ADDRESS_AT = 32
_USER = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame, the device it was seen at, and whether it was leaving there."""

    device: int
    outgoing: bool
    octets: bytes


class Wire:
    """First packets of probes at every device of the network namespace that it is made in.

    Needs CAP_NET_RAW there.
    """

    def __init__(self, slots: int = 16384) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._slots = slots
        try:
            self._filter()
            size = self._make_ring()
            self._ring = mmap.mmap(self._socket.fileno(), size)
        except BaseException:
            self._socket.close()
            raise
        self._next = 0

    def _filter(self) -> None:
        code = ctypes.create_string_buffer(program())
        count = len(code.raw) // 8
        fprog = struct.pack("HL", count, ctypes.addressof(code))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)

    def _make_ring(self) -> int:
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        size = self._slots * _FRAME
        ring = struct.pack("=IIII", _BLOCK, size // _BLOCK, _FRAME, self._slots)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, ring)
        return size

    def frames(self) -> Iterator[Frame]:
        """What came since the last call, in order."""
        while True:
            at = self._next * _FRAME
            status, _, kept, mac, _ = _HEADER.unpack_from(self._ring, at)
            if not status & _USER:
                return
            _, _, device, _, kind, _ = _ADDRESS.unpack_from(self._ring, at + _ADDRESS_AT)
            yield Frame(device, kind == _OUTGOING, self._ring[at + mac : at + mac + kept])
            self._ring[at : at + 4] = b"\0\0\0\0"
            self._next = (self._next + 1) % self._slots

    def complain_of_losses(self) -> None:
        """Raise OSError if the ring was full at any time since the last call."""
        told = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        _, lost = struct.unpack("=II", told)
        if lost:
            raise OSError(f"{lost} packets of probes were not seen: the ring is too small")

    def close(self) -> None:
        """Give the ring back."""
        self._ring.close()
        self._socket.close()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


assert _ADDRESS_AT + _ADDRESS.size + 8 + KEPT <= _FRAME
