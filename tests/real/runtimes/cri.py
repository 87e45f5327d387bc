"""Calls of the CRI as a kubelet makes them: gRPC over a unix socket, one connection a call.

It is not the client that is tested: that one only reads.
"""

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.events

from tests.real.runtimes.wire import Message, decoded, encoded

_SECONDS = 60


class CallError(Exception):
    """The runtime refused: what it said."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A CRI runtime at a socket."""

    socket: str

    def call(self, method: str, message: Message) -> Mapping[int, list[int | bytes]]:
        """`runtime.v1.RuntimeService/METHOD` (or another service's, if it is named whole)."""
        return decoded(self.answer(method, message))

    def answer(self, method: str, message: Message) -> bytes:
        """The same as it comes."""
        service = method if "/" in method else f"runtime.v1.RuntimeService/{method}"
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(_SECONDS)
            wire.connect(self.socket)
            return _unary(wire, f"/{service}", encoded(message))


def _unary(wire: socket.socket, path: str, message: bytes) -> bytes:
    talk = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    talk.initiate_connection()
    headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost"}
    headers |= {"content-type": "application/grpc", "te": "trailers"}
    talk.send_headers(1, list(headers.items()))
    talk.send_data(1, struct.pack("!BI", 0, len(message)) + message, end_stream=True)
    wire.sendall(talk.data_to_send())
    body, said = bytearray(), dict[str, str]()
    while chunk := wire.recv(65536):
        for event in talk.receive_data(chunk):
            if isinstance(event, h2.events.DataReceived):
                body += event.data
                talk.acknowledge_received_data(event.flow_controlled_length, 1)
            elif isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                said |= {str(name): str(value) for name, value in event.headers}
            elif isinstance(event, h2.events.StreamEnded):
                return _body(path, bytes(body), said)
        wire.sendall(talk.data_to_send())
    raise CallError(f"{path}: the runtime hung up")


def _body(path: str, body: bytes, said: Mapping[str, str]) -> bytes:
    if said.get("grpc-status") != "0":
        raise CallError(f"{path}: {said.get('grpc-status')} {said.get('grpc-message')}")
    return body[5:]
