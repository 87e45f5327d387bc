"""Nameservers of a scenario: all addresses, UDP and TCP, in one thread, with a log."""

import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

import dns.exception
import dns.message
import dns.rdatatype

from kubehop.dns.lookup.protocol import Query, Silence, Transport
from kubehop.dns.message import Question, Reply
from tests.real.namespace import Namespace
from tests.real.scenes import SERVERS, answer, said

_QUIET = 0.03
"""Seconds after which what was sent has been seen."""


@dataclass
class Scene:
    """The scenario that is played, and what was asked of it, in the words of the recordings."""

    scenario: str = "cluster"
    _log: list[dict[str, object]] = field(default_factory=list)
    _at: list[float] = field(default_factory=list)

    def note(self, query: Query, result: Reply | Silence) -> None:
        self._at.append(time.monotonic())
        self._log.append(
            {
                "qname": query.question.name,
                "qtype": query.question.type,
                "server": query.server,
                "transport": str(query.transport),
                "reply": said(result),
                "dt": round(self._at[-1] - self._at[0], 3),
            }
        )

    def begin(self, scenario: str) -> None:
        self.scenario, self._log, self._at = scenario, [], []

    def taken(self) -> list[dict[str, object]]:
        """The queries since the beginning, once a server nobody waits for has had the time."""
        time.sleep(_QUIET)
        return self._log


@contextmanager
def playing(inside: Namespace) -> Iterator[Scene]:
    """Serve scenarios at SERVERS inside until the body ends."""
    scene, awake = Scene(), socket.socketpair()
    selector = selectors.DefaultSelector()
    selector.register(awake[1], selectors.EVENT_READ)
    opened = [_opened(inside, address, kind) for address in SERVERS for kind in _KINDS]
    for one in opened:
        selector.register(one, selectors.EVENT_READ)
    loop = threading.Thread(target=_loop, args=(selector, scene, awake[1]))
    loop.start()
    try:
        yield scene
    finally:
        awake[0].close()
        loop.join()
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        selector.close()


_KINDS = (socket.SOCK_DGRAM, socket.SOCK_STREAM)


def _opened(inside: Namespace, address: str, kind: int) -> socket.socket:
    made = inside.socket(kind=kind)
    if kind == socket.SOCK_STREAM:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, 53))
    if kind == socket.SOCK_STREAM:
        made.listen(64)
    return made


def _loop(selector: selectors.BaseSelector, scene: Scene, awake: socket.socket) -> None:
    partly: dict[int, bytes] = {}
    while True:
        for key, _ in selector.select():
            wire = key.fileobj
            assert isinstance(wire, socket.socket)
            if wire is awake:
                return
            try:
                _ready(selector, scene, wire, partly)
            except OSError:
                _drop(selector, wire)


def _ready(
    selector: selectors.BaseSelector, scene: Scene, wire: socket.socket, partly: dict[int, bytes]
) -> None:
    if wire.type == socket.SOCK_DGRAM:
        datagram, client = wire.recvfrom(65535)
        reply = _handled(scene, datagram, wire.getsockname()[0], Transport.UDP)
        if reply:
            wire.sendto(reply, client)
    elif wire.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        made, _ = wire.accept()
        partly[made.fileno()] = b""
        selector.register(made, selectors.EVENT_READ)
    elif not _stream(scene, wire, partly):
        _drop(selector, wire)


def _stream(scene: Scene, wire: socket.socket, partly: dict[int, bytes]) -> bool:
    """Read what is there; whether the connection goes on."""
    chunk = wire.recv(65535)
    partly[wire.fileno()] += chunk
    while len(held := partly[wire.fileno()]) >= 2:
        end = 2 + int.from_bytes(held[:2], "big")
        if len(held) < end:
            break
        partly[wire.fileno()] = held[end:]
        reply = _handled(scene, held[2:end], wire.getsockname()[0], Transport.TCP)
        if reply:
            wire.sendall(struct.pack("!H", len(reply)) + reply)
    return bool(chunk)


def _drop(selector: selectors.BaseSelector, wire: socket.socket) -> None:
    selector.unregister(wire)
    wire.close()


def _handled(scene: Scene, wire: bytes, server: str, transport: Transport) -> bytes:
    """The reply, nothing for silence and for what is no query."""
    try:
        asked = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return b""
    first = asked.question[0]
    question = Question(first.name.to_text(), dns.rdatatype.to_text(first.rdtype))
    payload = asked.payload if asked.edns >= 0 else 0
    query = Query(question, server, "", transport, payload)
    result = answer(scene.scenario, query)
    scene.note(query, result)
    return _encoded(wire, payload, result) if isinstance(result, Reply) else b""


def _encoded(query: bytes, payload: int, reply: Reply) -> bytes:
    """Header, the question as it came, records whose owner is the question, OPT if it had one."""
    end = 12
    while query[end]:
        end += 1 + query[end]
    flags = 0x8080 | 0x0400 | (0x0200 * reply.truncated) | (query[2] & 1) << 8 | reply.rcode
    soa = _SOA * bool(reply.authority)
    records = [_record(record.type, record.data) for record in reply.answer]
    counts = (1, len(records), bool(soa), bool(payload))
    header = query[:2] + struct.pack("!5H", flags, *counts)
    return b"".join((header, query[12 : end + 5], *records, soa, _OPT * bool(payload)))


_SOA_DATA = b"\x02ns\x03dns\0\x0ahostmaster\0" + struct.pack("!5I", 1, 7200, 1800, 86400, 5)
_SOA = b"\0" + struct.pack("!2HIH", 6, 1, 30, len(_SOA_DATA)) + _SOA_DATA
_OPT = b"\0" + struct.pack("!2HIH", 41, 4096, 0, 0)


def _record(kind: str, data: str) -> bytes:
    packed = ip_address(data).packed
    return struct.pack("!3HIH", 0xC00C, dns.rdatatype.from_text(kind), 1, 5, len(packed)) + packed
