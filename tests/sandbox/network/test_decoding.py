"""Whatever octets come, decoding gives values; what it does not know it leaves."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from kubehop.linux.netlink import attribute
from kubehop.sandbox.addresses import with_addresses
from kubehop.sandbox.links import interfaces
from kubehop.sandbox.routes import routes
from kubehop.sandbox.sockets import waiting
from kubehop.sandbox.values import Interface

_TYPES = st.sampled_from([16, 20, 24])
_PIECES = st.builds(attribute, st.integers(0, 70), st.binary(max_size=40))
_ODD = st.builds(
    lambda head, parts: head + b"".join(parts), st.binary(max_size=16), st.lists(_PIECES)
)
_LINK = struct.Struct("=BxHiII")


@given(st.lists(st.tuples(_TYPES, _ODD | st.binary(max_size=90))))
def test_anything(messages: list[tuple[int, bytes]]) -> None:
    found = with_addresses(interfaces(messages), messages)
    assert len(found) <= len(messages)
    assert len(routes(messages, {})) <= len(messages)
    assert len(waiting("tcp", messages)) <= len(messages)


@given(st.sampled_from([2, 10]), st.binary(min_size=11, max_size=11), st.lists(_PIECES))
def test_anything_of_a_known_family(family: int, head: bytes, parts: list[bytes]) -> None:
    body = bytes([family]) + head + b"".join(parts)
    routes([(24, body)], {})
    ((one,),) = [
        with_addresses([Interface("x", struct.unpack_from("=i", body, 4)[0])], [(20, body)])
    ]
    assert len(one.addresses) == 1


def test_unknown_flags_are_shown_as_ip_does() -> None:
    (one,) = interfaces([(16, _link(0x81 | 0x80000))])
    assert one.flags == ("NO-CARRIER", "NOARP", "UP", "80000")


def test_an_unknown_state_and_type() -> None:
    (one,) = interfaces([(16, _link(0, attribute(16, b"\x2a"), type=999))])
    assert (one.state, one.link_type) == ("0x2a", "[999]")


def test_the_link_layer_address_of_a_tunnel_is_an_ip_address() -> None:
    four = attribute(1, bytes([10, 0, 0, 1])) + attribute(2, bytes(4))
    (one,) = interfaces([(16, _link(0x10, four, type=776))])
    assert (one.link_type, one.mac, one.broadcast) == ("sit", "10.0.0.1", "0.0.0.0")
    (one,) = interfaces([(16, _link(0x10, attribute(1, bytes(15) + b"\1"), type=769))])
    assert (one.link_type, one.mac) == ("tunnel6", "::1")


def test_a_name_that_is_no_text() -> None:
    (one,) = interfaces([(16, _link(0, attribute(3, b"a\xff\0b")))])
    assert one.name == "a\\xff"


def _link(flags: int, attributes: bytes = b"", type: int = 1) -> bytes:
    return _LINK.pack(0, type, 2, flags, 0) + attributes
