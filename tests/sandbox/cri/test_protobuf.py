"""The wire format: what others encode is read, and no octets do harm."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.cri import messages as cri
from kubehop.sandbox.cri.protobuf import Message, WireError, decode, encode
from tests.sandbox.cri.made import status
from tests.sandbox.cri.recorded import CONTAINERD

RESPONSES: tuple[Message[Any], ...] = (
    cri.VERSION,
    cri.POD_SANDBOXES,
    cri.CONTAINERS,
    cri.SANDBOX_STATUS,
)


@pytest.mark.parametrize(
    ("octets", "version"),
    [
        (b"", cri.Version()),
        (b"\x12\x01a\x1a\x02bc", cri.Version("a", "bc")),
        (b"\x12\x01a\x12\x01b", cri.Version("b")),  # the last counts
        (b"\x10\x05\x12\x01a", cri.Version("a")),  # another wire type than ours
        (b"\x0d1234\x091234567\x08\x1a\x01a", cri.Version("", "a")),  # fixed32, fixed64
        (b"\xf2\xff\x03\x01x\x12\x01a", cri.Version("a")),  # an unknown field
    ],
)
def test_octets(octets: bytes, version: cri.Version) -> None:
    assert decode(cri.VERSION, octets) == version


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x12", "does not end"),
        (b"\x12\x05abc", "cut off"),
        (b"\x0d123", "cut off"),
        (b"\x12\xff\xff\xff\xff\x0fabc", "cut off"),
        (b"\x08" + b"\xff" * 10 + b"\1", "does not end"),
        (b"\x02\x01a", "field number 0"),
        (b"\x0b", "does not end|wire type 3"),
        (b"\x0b\x00", "wire type 3"),
        (b"\x0f\x00", "wire type 7"),
        (b"\x12\x01\xff", "UTF-8"),
    ],
)
def test_malformed_octets(octets: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        decode(cri.VERSION, octets)


def test_numbers() -> None:
    large = cri.PodSandbox(metadata=cri.Metadata(attempt=2**32 - 1), created_at=-1, state=300)
    octets = encode(cri.POD_SANDBOXES, cri.PodSandboxes((large,)))
    assert b"\x20" + b"\xff" * 9 + b"\x01" in octets
    assert decode(cri.POD_SANDBOXES, octets).items == (large,)


def test_a_message_in_two_parts_is_merged() -> None:
    first = encode(cri.SANDBOX_STATUS, status({}, id="a", ips=("10.0.0.1",)))
    second = encode(cri.SANDBOX_STATUS, status(id="b", ips=("", "10.0.0.2"), network=None))
    merged = decode(cri.SANDBOX_STATUS, first + second)
    assert merged.status is not None
    assert merged.status.id == "b"
    assert merged.status.network == cri.NetworkStatus("10.0.0.1", (cri.PodIP("10.0.0.2"),))
    assert merged.status.linux is not None
    assert merged.info == {"info": "{}"}


TEXT = st.text(max_size=20)
NUMBER = st.integers(-(2**63), 2**63 - 1)
PAIRS = st.dictionaries(TEXT, TEXT, max_size=3)
METADATA = st.builds(cri.Metadata, TEXT, TEXT, TEXT, st.integers(0, 2**32 - 1))
SANDBOX = st.builds(cri.PodSandbox, TEXT, METADATA, NUMBER, NUMBER, PAIRS, TEXT)


@given(st.lists(SANDBOX, max_size=3))
def test_what_was_encoded_comes_back(items: list[cri.PodSandbox]) -> None:
    message = cri.PodSandboxes(tuple(items))
    assert decode(cri.POD_SANDBOXES, encode(cri.POD_SANDBOXES, message)) == message


@given(st.sampled_from(RESPONSES), st.binary(max_size=200))
def test_any_octets(message: Message[Any], octets: bytes) -> None:
    with suppress(WireError):
        decode(message, octets)


@given(st.data())
def test_damaged_octets(data: st.DataObject) -> None:
    octets = bytearray(encode(cri.SANDBOX_STATUS, status(CONTAINERD)))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, 200))] = data.draw(st.integers(0, 255))
    cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    with suppress(WireError):
        decode(cri.SANDBOX_STATUS, cut)
