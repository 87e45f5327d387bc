"""Listeners in a few words, a lab of bare sandboxes to put them in, and clients."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.values import Listener, Make, Sandbox, Thing
from kubehop.lab.servers import Servers

ANY = "here"
"""A namespace of tests on the loopback of the machine, where all are one."""
ROOM = 5.0


def nowhere(_namespace: str) -> AbstractContextManager[None]:
    """Stands for a kernel without namespaces."""
    return nullcontext()


def free_port() -> int:
    """A port that nobody has, over TCP and UDP."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        port: int = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        return port


def echo(
    port: int,
    protocol: str = "TCP",
    address: str = "127.0.0.1",
    pod: str = "default/web",
    namespace: str = ANY,
) -> Listener:
    return Listener(namespace, protocol, address, port, pod=pod, node="node-0")


@contextmanager
def served(*listeners: Listener) -> Iterator[Servers]:
    """A server of these on the machine's loopback."""
    servers = Servers(nowhere)
    servers.start()
    try:
        assert servers.apply((), listeners) == ()
        yield servers
    finally:
        servers.stop()


@contextmanager
def sandboxes(base: Base, names: Sequence[str], *things: Thing) -> Iterator[Kernel]:
    """A kernel with these namespaces, and what else is named there."""
    kernel = Kernel(base)
    try:
        kernel.apply([Make(Sandbox(name, "test")) for name in names])
        kernel.apply([Make(thing) for thing in things])
        yield kernel
    finally:
        kernel.close()


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    sock = socket.create_connection((host, port), timeout=ROOM)
    sock.settimeout(ROOM)
    return sock


def refuses(port: int, host: str = "127.0.0.1") -> bool:
    try:
        connect(port, host).close()
    except ConnectionRefusedError:
        return True
    return False


def to_the_end(sock: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = bytearray()
    while octets := sock.recv(65536):
        found += octets
    return bytes(found)


def get(port: int, request: str = "GET / HTTP/1.0", host: str = "127.0.0.1") -> str:
    """The body of the answer."""
    with connect(port, host) as sock:
        sock.sendall(f"{request}\r\n\r\n".encode())
        return to_the_end(sock).decode().partition("\r\n\r\n")[2]


def ask(port: int, octets: bytes = b"", host: str = "127.0.0.1") -> tuple[str, tuple[str, int]]:
    """The answer to a datagram, and where it came from."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(ROOM)
        sock.sendto(octets, (host, port))
        answer, peer = sock.recvfrom(4096)
        return answer.decode(), peer[:2]


def unreachable(port: int, host: str = "127.0.0.1") -> bool:
    """True if a datagram is answered with ICMP port unreachable."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(ROOM)
        sock.connect((host, port))
        sock.send(b"")
        try:
            sock.recv(1)
        except ConnectionRefusedError:
            return True
        return False


def fields(text: str) -> dict[str, str]:
    """An answer's lines."""
    return dict(line.split(": ", 1) for line in text.splitlines() if line)
