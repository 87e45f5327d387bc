"""A classic BPF program that lets a packet socket keep first packets of probes only.

Kept are TCP segments with SYN and without ACK, and UDP datagrams that begin with MAGIC; both
also inside of VXLAN. IPv4 options and IPv6 extension headers are not looked behind: no lab has
them. Source: linux/filter.h, Documentation/networking/filter.rst.
"""

from kubehop.linux.bpf import AND, JEQ, LDB, LDH, LDW, RET, Line, assembled

MAGIC = b"hop?"
VXLAN_PORTS = (8472, 4789)
"""Linux's own, which flannel takes, and IANA's, which Calico takes."""
ETHERNET, VXLAN = 14, 16
"""Octets of an Ethernet header; of UDP's and VXLAN's together."""
KEPT = 256
"""Octets of a frame that are kept."""


def program() -> bytes:
    """The program as an array of `struct sock_filter`."""
    lines = [*_frame(0, "outer", inner=True)]
    lines += _frame(ETHERNET + 20 + VXLAN, "inner4", inner=False)
    lines += _frame(ETHERNET + 40 + VXLAN, "inner6", inner=False)
    lines += [Line(RET, KEPT, label="keep"), Line(RET, 0, label="skip")]
    return assembled(lines)


def _frame(base: int, name: str, inner: bool) -> list[Line]:
    """What looks at the Ethernet frame that begins at `base`."""
    six = f"{name}-six"
    return [
        Line(LDH, base + 12, label=name),
        Line(JEQ, 0x0800, no=six),
        *_network(base + ETHERNET, 9, 20, f"{name}-4", "inner4" if inner else ""),
        Line(JEQ, 0x86DD, no="skip", label=six),
        *_network(base + ETHERNET, 6, 40, f"{name}-6", "inner6" if inner else ""),
    ]


def _network(base: int, protocol: int, length: int, name: str, inner: str) -> list[Line]:
    """What looks at an IP packet: `protocol` is the offset of its protocol field."""
    transport = base + length
    tunnels = [Line(JEQ, port, yes=inner) for port in VXLAN_PORTS]
    vxlan = [Line(LDH, transport + 2), *tunnels] if inner else []
    return [
        Line(LDB, base + protocol),
        Line(JEQ, 6, no=f"{name}-udp"),
        Line(LDB, transport + 13),
        Line(AND, 0x12),
        Line(JEQ, 0x02, yes="keep", no="skip"),
        Line(JEQ, 17, no="skip", label=f"{name}-udp"),
        *vxlan,
        Line(LDW, transport + 8),
        Line(JEQ, int.from_bytes(MAGIC, "big"), yes="keep", no="skip"),
    ]
