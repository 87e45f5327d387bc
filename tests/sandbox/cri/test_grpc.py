"""The client of gRPC against a server of it, on a socket."""

import os
import socket
import threading
from pathlib import Path

import pytest

from kubehop.sandbox.cri.grpc import Channel
from kubehop.sandbox.cri.status import Code, GrpcError
from kubehop.sandbox.cri.unary import LARGEST
from kubehop.sandbox.values import SourceError
from tests.sandbox.cri.server import Manners, Reply, serving

METHOD = "/test.Service/Method"


def echo(method: str, message: bytes) -> Reply:
    return Reply(message)


def test_a_call_says_what_grpc_asks_for(tmp_path: Path) -> None:
    with serving(tmp_path / "s", echo) as manners:
        channel = Channel(str(tmp_path / "s"))
        assert channel.call(METHOD, b"hello") == b"hello"
        channel.close()
    ((method, message, headers),) = manners.seen
    assert (method, message) == (METHOD, b"hello")
    assert headers[":authority"] == "localhost"
    assert headers["te"] == "trailers"
    assert headers["content-type"] == "application/grpc"
    assert 0 < int(headers["grpc-timeout"].removesuffix("m")) <= 10_000


@pytest.mark.parametrize(
    "manners",
    [
        Manners(),
        Manners(most_streams=7),
        Manners(most_streams=1),
        Manners(enforce_streams=20),
        Manners(window=10),
        Manners(window=0),
        Manners(goaway_after=0),
        Manners(goaway_after=30),
    ],
    ids=str,
)
def test_many_calls_at_once(tmp_path: Path, manners: Manners) -> None:
    messages = [b"%d " % number + bytes(number * 100) for number in range(100)]
    if manners.window == 0:
        manners.most_streams = 5
        messages = [b""]  # five octets of a frame, and not one fits
    with serving(tmp_path / "s", echo, manners):
        channel = Channel(str(tmp_path / "s"), timeout=0.3 if manners.window == 0 else 20)
        answers = channel.calls(METHOD, messages)
        channel.close()
    if manners.window == 0:
        assert isinstance(answers[0], GrpcError)
        assert answers[0].code is Code.DEADLINE_EXCEEDED
    else:
        assert answers == messages
    if manners.most_streams:
        assert manners.most_open <= manners.most_streams
    assert manners.connections == (1 if manners.goaway_after is None else 2)


def test_large_answers_on_one_connection(tmp_path: Path) -> None:
    large = bytes(5 << 20)
    with serving(tmp_path / "s", lambda method, message: Reply(large)) as manners:
        channel = Channel(str(tmp_path / "s"))
        assert channel.calls(METHOD, [b"", b"", b""]) == [large] * 3
        assert channel.calls(METHOD, []) == []
        assert channel.call(METHOD, b"") == large
        channel.close()
    assert manners.connections == 1


@pytest.mark.parametrize(
    ("reply", "code", "said"),
    [
        (Reply(None, 5, "not%20found: %C3%A9%0A"), Code.NOT_FOUND, "not found: é\\n"),
        (Reply(b"x", 13, "%zz%"), Code.INTERNAL, "%zz%"),
        (Reply(None, 12), Code.UNIMPLEMENTED, ""),
        (Reply(None, 99), Code.UNKNOWN, ""),
        (Reply(None, "x"), Code.UNKNOWN, ""),
        (Reply(b"x", None), Code.UNKNOWN, "no grpc-status"),
        (Reply(None, None, http="404"), Code.UNIMPLEMENTED, "404"),
        (Reply(None, None, http="503"), Code.UNAVAILABLE, "503"),
        (Reply(raw=b"\1\0\0\0\0"), Code.INTERNAL, "compressed"),
        (Reply(raw=b"\0\0\0\0\2x"), Code.INTERNAL, "not one whole"),
        (Reply(raw=b"\0\0\0\0\0" * 2), Code.INTERNAL, "not one whole"),
        (Reply(None, 0), Code.INTERNAL, "not one whole"),
        (Reply(raw=b"\0\xff\xff\xff\xff"), Code.RESOURCE_EXHAUSTED, f"{LARGEST} octets"),
        (Reply(reset=8), Code.CANCELLED, "reset"),
        (Reply(reset=11), Code.RESOURCE_EXHAUSTED, "reset"),
        (Reply(reset=7), Code.UNAVAILABLE, "reset"),
        (Reply(reset=0), Code.INTERNAL, "reset"),
        (Reply(silent=True), Code.DEADLINE_EXCEEDED, "0.3 s"),
    ],
)
def test_how_calls_end(tmp_path: Path, reply: Reply, code: Code, said: str) -> None:
    with serving(tmp_path / "s", lambda method, message: reply if message else Reply(b"fine")):
        channel = Channel(str(tmp_path / "s"), timeout=0.3 if reply.silent else 10)
        first, second = channel.calls(METHOD, [b"bad", b""])
        assert second == b"fine"
        assert isinstance(first, GrpcError)
        assert first.code is code
        assert said in str(first)
        assert channel.call(METHOD, b"") == b"fine"
        with pytest.raises(GrpcError):
            channel.call(METHOD, b"bad")
        channel.close()


def test_no_socket(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such socket") as caught:
        Channel(str(tmp_path / "s")).call(METHOD, b"")
    assert caught.value.needs == ""


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
        with pytest.raises(SourceError, match="nobody listens"):
            Channel(str(tmp_path / "s")).call(METHOD, b"")


def test_a_path_that_no_socket_can_have() -> None:
    with pytest.raises(SourceError, match="too long"):
        Channel("/" + "x" * 200).call(METHOD, b"")


def test_a_server_that_comes_back(tmp_path: Path) -> None:
    channel = Channel(str(tmp_path / "s"))
    for _ in range(2):
        with serving(tmp_path / "s", echo):
            assert channel.call(METHOD, b"x") == b"x"
        os.unlink(tmp_path / "s")
    with pytest.raises(SourceError):
        channel.call(METHOD, b"x")


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 64, b""])
def test_one_that_speaks_something_else(tmp_path: Path, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def answer() -> None:
            for _ in range(3):
                peer, _ = listener.accept()
                with peer:
                    peer.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        channel = Channel(str(tmp_path / "s"), timeout=5)
        with pytest.raises(GrpcError) as caught:
            channel.call(METHOD, b"x")
        assert caught.value.code is Code.UNAVAILABLE
        assert "\n" not in str(caught.value)
        thread.join()
