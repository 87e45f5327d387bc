"""The files of /proc/PID/net: as kernels write them, and as they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.proc import netfiles
from kubehop.sandbox.proc.netfiles import Local
from kubehop.sandbox.values import InterfaceAddress, Listening, Route

FIB_TRIE = b"""\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.42.0.0/24 2 0 2
        |-- 10.42.0.0
           /24 link UNICAST
        |-- 10.42.0.8
           /32 host LOCAL
        |-- 10.42.0.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
"""
ROUTE = b"""\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t01002A0A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00002A0A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth0\t0100FEA9\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
*\t0000000B\t00000000\t0201\t0\t0\t0\t000000FF\t0\t0\t0
"""
IF_INET6 = b"""\
00000000000000000000000000000001 01 80 10 80       lo
fd420000000000000000000000000008 02 40 00 80     eth0
fe80000000000000c8a5bcfffe0a0b0c 02 40 20 c0     eth0
fd4200000000000000000000000000ff 102 80 00 21 a-name-of-15-oct
"""
IPV6_ROUTE = b"""\
fd420000000000000000000000000000 40 00000000000000000000000000000000 00 \
00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
fd420000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 \
00000000000000000000000000000000 00000000 00000003 00000000 80200001       lo
ff000000000000000000000000000000 08 00000000000000000000000000000000 00 \
00000000000000000000000000000000 00000100 00000003 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
"""
TCP = b"""\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 08002A0A:A001 01002A0A:0050 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
"""
TCP6 = b"""\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A \
00000000:00000000 00:00000000 00000000     0        0 99 1 0000000000000000 100 0 0 10 0
   1: 000042FD000000000000000008000000:0051 00000000000000000000000000000000:0000 0A \
00000000:00000000 00:00000000 00000000     0        0 98 1 0000000000000000 100 0 0 10 0
"""
UDP = b"""\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
  101: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5 2 0 0
  102: 0100007F:0036 0100007F:0037 01 00000000:00000000 00:00000000 00000000     0        0 6 2 0 0
"""


def test_ipv4_addresses_are_shown_once() -> None:
    twice = FIB_TRIE + FIB_TRIE.replace(b"Main", b"Local")
    assert netfiles.local_addresses(twice) == (
        Local("10.42.0.8", 32),
        Local("127.0.0.0", 8),
        Local("127.0.0.1", 32),
    )


def test_ipv6_addresses_have_the_words_of_ip() -> None:
    assert netfiles.interface_addresses(IF_INET6) == (
        (1, "lo", InterfaceAddress("::1", 128, "host")),
        (2, "eth0", InterfaceAddress("fd42::8", 64)),
        (2, "eth0", InterfaceAddress("fe80::c8a5:bcff:fe0a:b0c", 64, "link", ("tentative",))),
        (
            0x102,
            "a-name-of-15-oct",
            InterfaceAddress("fd42::ff", 128, "global", ("temporary", "deprecated", "dynamic")),
        ),
    )


def test_routes_of_ipv4() -> None:
    assert netfiles.routes(ROUTE, "little") == (
        Route(4, "default", "eth0", "10.42.0.1"),
        Route(4, "10.42.0.0/24", "eth0", metric=100),
        Route(4, "169.254.0.1", "eth0"),
        Route(4, "11.0.0.0/8", kind=""),
    )


def test_a_big_endian_machine_writes_the_numbers_the_other_way() -> None:
    line = b"\neth0 0A2A0000 00000000 0001 0 0 0 FFFFFF00 0 0 0\n"
    assert netfiles.routes(line, "big") == (Route(4, "10.42.0.0/24", "eth0"),)
    line = TCP.replace(b"0100007F", b"7F000001")
    assert netfiles.listening(line, "tcp", "big") == (
        Listening("tcp", "127.0.0.1", 8080, inode=4711),
    )


def test_routes_of_ipv6_without_the_kernel_s_own() -> None:
    assert netfiles.routes6(IPV6_ROUTE) == (
        Route(6, "fd42::/64", "eth0", metric=256),
        Route(6, "default", "eth0", "fd42::1", metric=1024),
        Route(6, "::1", "lo", metric=0, kind="local", table="local"),
        Route(6, "ff00::/8", "eth0", metric=256, kind="multicast", table="local"),
    )


def test_sockets_that_wait() -> None:
    assert netfiles.listening(TCP, "tcp", "little") == (
        Listening("tcp", "127.0.0.1", 8080, inode=4711),
    )
    assert netfiles.listening(TCP6, "tcp", "little") == (
        Listening("tcp", "::", 80, inode=99),
        Listening("tcp", "fd42::8", 81, inode=98),
    )
    assert netfiles.listening(UDP, "udp", "little") == (Listening("udp", "0.0.0.0", 53, inode=5),)


def test_names_and_indices_of_interfaces() -> None:
    dev = b"Inter-|\n face |bytes\n    lo: 1 2 3\na-name-of-15-o:1 2 3\n  eth0: 4\n"
    assert netfiles.device_names(dev) == ("lo", "a-name-of-15-o", "eth0")
    igmp = (
        b"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
        b"1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
        b"27\ta-name-of-15-o:     1      V3\n"
    )
    assert netfiles.device_indices(igmp) == {"lo": 1, "a-name-of-15-o": 27}


WHOLE = {
    "fib_trie": FIB_TRIE, "route": ROUTE, "if_inet6": IF_INET6, "ipv6_route": IPV6_ROUTE,
    "tcp": TCP, "tcp6": TCP6, "udp": UDP,
}  # fmt: skip


def parsed(name: str, content: bytes) -> tuple[object, ...]:
    match name:
        case "fib_trie":
            return netfiles.local_addresses(content)
        case "route":
            return netfiles.routes(content)
        case "if_inet6":
            return netfiles.interface_addresses(content)
        case "ipv6_route":
            return netfiles.routes6(content)
        case "dev":
            return netfiles.device_names(content)
        case "igmp":
            return tuple(netfiles.device_indices(content))
    return netfiles.listening(content, name.removesuffix("6"))


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_cut_off_tells_less_and_nothing_else(name: str) -> None:
    whole = WHOLE[name]
    assert parsed(name, whole)
    for end in range(len(whole)):
        found = parsed(name, whole[:end])
        assert found == parsed(name, whole)[: len(found)]


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_changed_octet_never_raises(name: str, data: st.DataObject) -> None:
    changed = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    parsed(name, bytes(changed))


@given(st.sampled_from([*sorted(WHOLE), "dev", "igmp"]), st.binary())
def test_any_octets_never_raise(name: str, content: bytes) -> None:
    parsed(name, b"heading\n" + content)


@pytest.mark.parametrize("number", [b"9" * 10_000, b"f" * 10_000, b"-1", b"+1", b"1_0", b"\xb2"])
def test_numbers_that_are_none(number: bytes) -> None:
    line = b"\neth0 00000000 00000000 0001 0 0 %s 00000000 0 0 0\n"
    assert netfiles.routes(line % number, "little") == ()
    assert netfiles.interface_addresses(b"fe" * 16 + b" %s 40 00 80 eth0\n" % number) == ()
    assert netfiles.local_addresses(b"|-- 1.2.3.4\n /%s host LOCAL\n" % number) == ()
