"""A classic BPF program that lets a packet socket keep first packets of probes only.

Kept are TCP segments with SYN and without ACK, and UDP datagrams that begin with MAGIC; both
also inside of VXLAN. IPv4 options and IPv6 extension headers are not looked behind: no lab has
them. Source: linux/filter.h, Documentation/networking/filter.rst.
"""

import struct
from dataclasses import dataclass

MAGIC = b"hop?"
VXLAN_PORTS = (8472, 4789)
"""Linux's own, which flannel takes, and IANA's, which Calico takes."""
ETHERNET, VXLAN = 14, 16
"""Octets of an Ethernet header; of UDP's and VXLAN's together."""
KEPT = 256
"""Octets of a frame that are kept."""

_LDH, _LDB, _LDW = 0x28, 0x30, 0x20
_JEQ, _AND, _RET = 0x15, 0x54, 0x06
_NEXT = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """One instruction; `yes` and `no` are labels to go on at, "" the next instruction."""

    code: int
    value: int
    yes: str = _NEXT
    no: str = _NEXT
    label: str = ""


def program() -> bytes:
    """The program as an array of `struct sock_filter`."""
    lines = [*_frame(0, "outer", inner=True)]
    lines += _frame(ETHERNET + 20 + VXLAN, "inner4", inner=False)
    lines += _frame(ETHERNET + 40 + VXLAN, "inner6", inner=False)
    lines += [_Line(_RET, KEPT, label="keep"), _Line(_RET, 0, label="skip")]
    at = {line.label: index for index, line in enumerate(lines) if line.label}

    def jump(index: int, label: str) -> int:
        return at[label] - index - 1 if label else 0

    return b"".join(
        struct.pack("=HBBI", line.code, jump(i, line.yes), jump(i, line.no), line.value)
        for i, line in enumerate(lines)
    )


def _frame(base: int, name: str, inner: bool) -> list[_Line]:
    """What looks at the Ethernet frame that begins at `base`."""
    six = f"{name}-six"
    return [
        _Line(_LDH, base + 12, label=name),
        _Line(_JEQ, 0x0800, no=six),
        *_network(base + ETHERNET, 9, 20, f"{name}-4", "inner4" if inner else ""),
        _Line(_JEQ, 0x86DD, no="skip", label=six),
        *_network(base + ETHERNET, 6, 40, f"{name}-6", "inner6" if inner else ""),
    ]


def _network(base: int, protocol: int, length: int, name: str, inner: str) -> list[_Line]:
    """What looks at an IP packet: `protocol` is the offset of its protocol field."""
    transport = base + length
    tunnels = [_Line(_JEQ, port, yes=inner) for port in VXLAN_PORTS]
    vxlan = [_Line(_LDH, transport + 2), *tunnels] if inner else []
    return [
        _Line(_LDB, base + protocol),
        _Line(_JEQ, 6, no=f"{name}-udp"),
        _Line(_LDB, transport + 13),
        _Line(_AND, 0x12),
        _Line(_JEQ, 0x02, yes="keep", no="skip"),
        _Line(_JEQ, 17, no="skip", label=f"{name}-udp"),
        *vxlan,
        _Line(_LDW, transport + 8),
        _Line(_JEQ, int.from_bytes(MAGIC, "big"), yes="keep", no="skip"),
    ]
