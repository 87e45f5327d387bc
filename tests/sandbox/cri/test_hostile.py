"""A server that is none: whatever it sends, calls end with an error of ours."""

import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubehop.sandbox.cri.connection import Call, Connection, LostError
from kubehop.sandbox.cri.status import GrpcError
from kubehop.sandbox.cri.unary import framed


@contextmanager
def sending(*parts: bytes) -> Iterator[socket.socket]:
    """A socket whose other end answers each thing it is told with one of `parts`, and closes."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs, suppress(OSError):
            for part in parts:
                theirs.recv(65536)
                theirs.sendall(part)
            theirs.shutdown(socket.SHUT_WR)
            while theirs.recv(65536):
                pass

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield ours
    finally:
        ours.close()
        thread.join()


def transcript() -> tuple[bytes, bytes]:
    """What a good server sends at first, and for one call on stream 1."""
    client, server = H2Connection(), H2Connection(H2Configuration(client_side=False))
    client.initiate_connection()
    client.send_headers(1, [(":method", "POST"), (":path", "/"), (":scheme", "http"),
                            (":authority", "localhost")], end_stream=True)  # fmt: skip
    server.initiate_connection()
    settings_frame = server.data_to_send()
    server.receive_data(client.data_to_send())
    server.send_headers(1, [(":status", "200"), ("content-type", "application/grpc")])
    server.send_data(1, framed(b"fine"))
    server.ping(b"12345678")
    server.send_headers(1, [("grpc-status", "0"), ("grpc-message", "")], end_stream=True)
    return settings_frame, server.data_to_send()


SETTINGS, GOOD = transcript()


def asked(octets: bytes, first: bytes = SETTINGS) -> Call:
    """One call on a connection whose other side sends `first`, and `octets` when it is asked."""
    call = Call("/a.B/C", b"x")
    with sending(*filter(None, (first, octets))) as sock:
        connection = Connection(sock)
        with suppress(LostError):
            connection.ask(deque([call]), monotonic() + 5)
        connection.close()
    return call


def test_the_transcript_is_good() -> None:
    assert asked(GOOD).answer == b"fine"


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(st.data())
def test_damaged_transcripts(data: st.DataObject) -> None:
    octets = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at] = data.draw(st.integers(0, 255))
    call = asked(bytes(octets[: data.draw(st.integers(0, len(octets)))]))
    assert call.answer is None or isinstance(call.answer, bytes | GrpcError)


FRAME = st.builds(
    lambda kind, flags, stream, body: (
        len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body
    ),
    st.integers(0, 10),
    st.sampled_from((0, 1, 4, 5, 8, 0x20, 0xFF)),
    st.sampled_from((0, 1, 2, 3, 2**31 + 1)),
    st.binary(max_size=30),
)


@FUZZ
@given(st.lists(FRAME, max_size=6))
def test_frames_of_any_kind(frames: list[bytes]) -> None:
    call = asked(b"".join(frames))
    assert call.answer is None or isinstance(call.answer, bytes | GrpcError)


@FUZZ
@given(st.lists(FRAME, max_size=6).map(b"".join) | st.binary(max_size=100))
def test_at_first(octets: bytes) -> None:
    assert asked(b"", SETTINGS[:9] + octets).answer is None
    assert asked(b"", octets).answer is None


@pytest.mark.parametrize("cut", range(0, len(GOOD), 7))
def test_a_transcript_cut_off(cut: int) -> None:
    assert asked(GOOD[:cut]).answer is None
