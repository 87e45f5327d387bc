"""Upstream servers that do what a test says: a thread with a UDP and a TCP socket."""

import threading
from collections.abc import Callable
from typing import Self

from kubehop.dnsserver import Listen
from tests.dnsserver.chains import exactly, framed

Behaviour = Callable[[bytes, str], list[bytes]]
"""From a query and its transport to what is sent back, in order."""


class FakeUpstream:
    """Listens on loopback; `queries` are what came, with its transport."""

    def __init__(self, behaviour: Behaviour, address: str = "127.0.0.1", port: int = 0) -> None:
        self.behaviour = behaviour
        self.udp, self.tcp = Listen(address, port).open()
        self.address = f"{address}:{self.udp.getsockname()[1]}"
        self.queries: list[tuple[str, bytes]] = []
        self.sources: list[int] = []
        for sock in (self.udp, self.tcp):
            sock.settimeout(0.1)
        self._running = True
        self._threads = [
            threading.Thread(target=self._serve, args=(turn,), daemon=True)
            for turn in (self._datagram, self._connection)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        for thread in self._threads:
            thread.join()
        self.udp.close()
        self.tcp.close()

    def _serve(self, turn: Callable[[], None]) -> None:
        while self._running:
            try:
                turn()
            except TimeoutError:
                continue

    def _datagram(self) -> None:
        query, peer = self.udp.recvfrom(65535)
        self.queries.append(("udp", query))
        self.sources.append(peer[1])
        for reply in self.behaviour(query, "udp"):
            self.udp.sendto(reply, peer)

    def _connection(self) -> None:
        sock, _ = self.tcp.accept()
        with sock:
            sock.settimeout(5)
            query = exactly(sock, int.from_bytes(exactly(sock, 2), "big"))
            self.queries.append(("tcp", query))
            for reply in self.behaviour(query, "tcp"):
                sock.sendall(framed(reply))
