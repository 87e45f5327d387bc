"""A daemon of our own on a unix socket: it says what it is told to, word for word."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Say = Callable[[socket.socket, str], None]
"""Answers a request for a target on a connection; ConnectionError makes it hang up."""


@dataclass
class Daemon:
    """`asked` are the targets, `connections` how often somebody connected."""

    path: str
    say: Say
    asked: list[str] = field(default_factory=list)
    connections: int = 0

    def serve(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                self.connections += 1
                with connection:
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        with suppress(ConnectionError):
            while request := _request(connection):
                target = request.split(" ")[1]
                self.asked.append(target)
                self.say(connection, target)


def _request(connection: socket.socket) -> str:
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        more = connection.recv(4096)
        if not more:
            return ""
        found += more
    lines = found.decode().split("\r\n")
    assert lines[0].startswith("GET "), lines
    assert lines[0].endswith(" HTTP/1.1"), lines
    assert any(line.startswith("Host: ") for line in lines), lines
    return lines[0]


@contextmanager
def daemon(folder: Path, say: Say) -> Iterator[Daemon]:
    """Listens at `folder`/docker.sock, for one connection after the other."""
    path = folder / "docker.sock"
    made = Daemon(str(path), say)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=made.serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            assert not thread.is_alive()


def answer(body: bytes, status: str = "200 OK", *, chunk: int = 0) -> bytes:
    """As the daemon writes it: with a length, or in chunks of that size."""
    head = f"HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
    if not chunk:
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    pieces = (body[at : at + chunk] for at in range(0, len(body), chunk))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"


def saying(answers: Mapping[str, bytes]) -> Say:
    """Bodies by target; 404 for any other."""

    def say(connection: socket.socket, target: str) -> None:
        body = answers.get(target)
        if body is None:
            connection.sendall(answer(b'{"message":"No such container"}', "404 Not Found"))
        else:
            connection.sendall(answer(body, chunk=100 if len(body) > 500 else 0))

    return say


def saying_raw(octets: bytes) -> Say:
    """These octets, whatever the question; then it hangs up."""

    def say(connection: socket.socket, target: str) -> None:
        connection.sendall(octets)
        raise ConnectionError

    return say
