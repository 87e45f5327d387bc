"""The server: listeners, the HTTP side, and what other threads may ask of them."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import Self

from kubehop.dnsserver.exchange import Exchanges
from kubehop.dnsserver.faults import Faults
from kubehop.dnsserver.forward import Forwarder
from kubehop.dnsserver.http import HttpListener, Page
from kubehop.dnsserver.listen import BACKLOG, Listen, cannot_listen, prepare
from kubehop.dnsserver.log import Log
from kubehop.dnsserver.loop import Loop
from kubehop.dnsserver.metrics import Gauge, dropped, page
from kubehop.dnsserver.responder import Responder
from kubehop.dnsserver.tally import Kinds, Tally
from kubehop.dnsserver.tcp import TcpListener
from kubehop.dnsserver.udp import UdpListener
from kubehop.dnsserver.values import Chain
from kubehop.model.changes import Change

STOP_SECONDS = 5.0
HEALTH, READY, METRICS = "/health", "/ready", "/metrics"


class Server:
    """Serves a chain on some addresses until it is stopped.

    Sockets are bound when it is made: raises UsageError for an address that cannot be had.
    `run` serves in the caller's thread, `start` in one of its own; `with` starts and stops.
    `log` is called for every query, and makes every query slower.
    """

    def __init__(
        self,
        chain: Chain,
        listen: Sequence[Listen] = (Listen(),),
        *,
        health: Listen | None = None,
        ready: Listen | None = None,
        metrics: Listen | None = None,
        log: Log | None = None,
        reuse_port: bool = False,
    ) -> None:
        self._chain = chain
        self._faults = Faults()
        self._loop = Loop(self._faults)
        self._kinds = Kinds()
        self._exchanges = Exchanges(self._loop)
        self._forwarder = Forwarder(self._loop, self._exchanges)
        self._thread: threading.Thread | None = None
        self._responders: dict[int, Responder] = {}
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._listeners: list[UdpListener | TcpListener | HttpListener] = []
        self.ports: list[int] = []
        """The ports of `listen`, in its order."""
        self.http_ports: dict[str, int] = {}
        """The ports of the HTTP side, by path."""
        try:
            for where in listen:
                self._listen(where, log, reuse_port)
            pages = (
                (health, HEALTH, _healthy),
                (ready, READY, self._ready),
                (metrics, METRICS, self._metrics),
            )
            for place, path, content in pages:
                if place:
                    self._listen_http(place, path, content)
        except BaseException:
            self.close()
            raise

    # Serving

    def run(self) -> None:
        """Serve until `stop`, SIGTERM or Ctrl-C; then nothing is open any more."""
        before = _on_sigterm(self.stop)
        try:
            self._loop.run()
        except KeyboardInterrupt:
            pass
        finally:
            before()
            self.close()

    def start(self, inside: AbstractContextManager[None] | None = None) -> None:
        """Serve in a thread, which enters `inside` first: sockets to upstreams are made there."""

        def serve() -> None:
            try:
                with inside or nullcontext():
                    self.run()
            finally:
                self._loop.running.set()  # else whoever started it would wait for ever

        self._thread = threading.Thread(target=serve, daemon=True, name="kubehop-dns")
        self._thread.start()
        self._loop.running.wait()

    def stop(self) -> None:
        """End serving; from any thread or signal handler. Waits for the thread of `start`."""
        self._loop.stop()
        thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join(STOP_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def close(self) -> None:
        """Close all sockets; `run` does it by itself."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        self._exchanges.close()
        self._loop.close()

    # Changes, from any thread

    def apply(self, change: Change) -> None:
        """Take in a change of the cluster; when this returns, answers are the new ones.

        Only those that have to be. Denials that stay keep the SOA serial of when they were made.
        """
        self._loop.ask(lambda: self._apply(change))

    def reload(self, chain: Chain) -> None:
        """Serve another chain from now on: a changed Corefile, or another cluster."""
        self._loop.ask(lambda: self._reload(chain))

    def _apply(self, change: Change) -> None:
        owners = self._chain.apply(change)
        self._chain.serial = time.time_ns() // 10**9
        for responder in self._responders.values():
            responder.table.forget(owners)

    def _reload(self, chain: Chain) -> None:
        self._chain = chain
        for responder in self._responders.values():
            responder.chain = chain
            responder.table.clear()

    # Listening

    def _listen(self, where: Listen, log: Log | None, reuse_port: bool) -> None:
        udp, tcp = where.open(reuse_port)
        responder = self._responders.get(where.serves)
        if responder is None:
            responder = self._responders[where.serves] = Responder(
                self._chain,
                where.serves,
                forwarder=self._forwarder,
                kinds=self._kinds,
                faults=self._faults,
                now=self._loop.now,
                log=log,
            )
        family = "2" if where.family == socket.AF_INET6 else "1"
        self._listeners += (
            UdpListener(self._loop, udp, responder, self._tally("udp", family)),
            TcpListener(self._loop, tcp, responder, self._tally("tcp", family)),
        )
        self.ports.append(udp.getsockname()[1])

    def _tally(self, transport: str, family: str) -> Tally:
        key = transport, family
        if key not in self._tallies:
            self._tallies[key] = self._kinds.tally(transport, family)
        return self._tallies[key]

    def _listen_http(self, where: Listen, path: str, content: Page) -> None:
        sock = socket.socket(where.family, socket.SOCK_STREAM)
        try:
            prepare(sock)
            sock.bind((where.address, where.port))
        except OSError as error:
            sock.close()
            raise cannot_listen(where.address, where.port, error) from error
        sock.listen(BACKLOG)
        self._listeners.append(HttpListener(self._loop, sock, {path: content}))
        self.http_ports[path] = sock.getsockname()[1]

    # Pages

    def _ready(self) -> tuple[int, str]:
        """As plugin/ready: 503 and the plugins that are not ready."""
        waiting = self._chain.unready()
        return (503, ",".join(waiting)) if waiting else (200, "OK")

    def _metrics(self) -> tuple[int, str]:
        return 200, page(
            f"dns://:{self.ports[0] if self.ports else 53}", self._kinds, self._gauges()
        )

    def _gauges(self) -> list[Gauge]:
        responders = self._responders.values()
        return [
            Gauge(
                "coredns_panics_total",
                "Queries that met a fault.",
                self._faults.count,
                "counter",
            ),
            Gauge(
                "kubehop_dns_dropped_total",
                "Messages without a reply.",
                dropped(self._kinds.tallies),
                "counter",
            ),
            Gauge(
                "kubehop_dns_table_answers",
                "Answers kept as octets.",
                sum(len(r.table) for r in responders),
            ),
            Gauge(
                "kubehop_dns_waiting",
                "Queries that wait for upstreams.",
                sum(r.waiting for r in responders),
            ),
            Gauge("kubehop_dns_exchanges", "Sockets open to upstreams.", len(self._exchanges.open)),
        ]


def _healthy() -> tuple[int, str]:
    return 200, "OK"


def _on_sigterm(stop: Callable[[], None]) -> Callable[[], None]:
    """Stop on SIGTERM, if this is the main thread; returns what restores the handler."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None

    def handler(_signal: int, _frame: FrameType | None) -> None:
        stop()

    before = signal.signal(signal.SIGTERM, handler)
    return lambda: _restore(before)


def _restore(before: object) -> None:
    signal.signal(signal.SIGTERM, before)  # type: ignore[arg-type]
