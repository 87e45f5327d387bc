"""A load balancer's health checks: which there are, and one of them as a socket."""

import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from kubehop.dnsserver.loop import READ, WRITE, Loop
from kubehop.lab.plan.listeners import PROXY_HEALTH_PORT
from kubehop.model.addresses import socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.service.classes import barred
from kubehop.service.nodes import proxy_nodes

TIMEOUT = 1.0
"""Seconds from the first packet to the status; longer is a failure."""
_STATUS = (b"HTTP/1.1 200", b"HTTP/1.0 200")
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing resets, which leaves no port in TIME_WAIT however many checks there are."""

Name = tuple[str, str]
"""Namespace and name of a Service."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: GET http://address:port/path."""

    address: str
    port: int
    path: str


Targets = Mapping[Name, Mapping[str, Target]]
"""By Service and name of a node."""


def targets(cluster: Cluster) -> Targets:
    """What the load balancer asks of each node that is not barred, for each of its Services.

    externalTrafficPolicy Local: the health check node port; else kube-proxy's own /healthz,
    which is one check for all Services (reference: kube-proxy, section 5).
    """
    out = cluster.derived(barred)
    nodes = {
        node.name: node.primary[0]
        for node in cluster.derived(proxy_nodes).values()
        if node.primary and node.name not in out
    }
    proxies = {
        name: Target(address, PROXY_HEALTH_PORT, "/healthz") for name, address in nodes.items()
    }
    return {
        (service.namespace, service.name): _own(service, nodes) or proxies
        for service in cluster.services
        if service.spec.type == "LoadBalancer"
    }


def _own(service: Service, nodes: Mapping[str, str]) -> dict[str, Target]:
    port = service.spec.health_check_node_port
    if service.spec.external_traffic_policy != "Local" or not port:
        return {}
    return {name: Target(address, port, "/") for name, address in nodes.items()}


class Check:
    """One question to a target, in the network of the calling thread; it ends in any case."""

    __slots__ = ("_answer", "_done", "_loop", "_sock", "_timer", "target")

    def __init__(
        self, loop: Loop, target: Target, done: Callable[[Target, bool | None], None]
    ) -> None:
        """`done` is told whether the answer was 200, None without one; never before we return."""
        self._loop, self.target, self._done = loop, target, done
        self._answer = b""
        self._timer = loop.after(TIMEOUT, lambda: self._end(None))
        family = socket.AF_INET6 if ":" in target.address else socket.AF_INET
        self._sock: socket.socket | None = None
        try:
            self._sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with suppress(BlockingIOError):
                self._sock.connect((target.address, target.port))
            loop.watch(self._sock, WRITE, self._connected)
        except OSError:  # no route, or out of sockets
            self._timer.cancel()
            self._timer = loop.after(0, lambda: self._end(False))

    def close(self) -> None:
        """Let go of it without a word."""
        self._timer.cancel()
        if self._sock is not None:
            self._loop.forget(self._sock)
            self._sock.close()
            self._sock = None

    def _end(self, healthy: bool | None) -> None:
        self.close()
        self._done(self.target, healthy)

    def _connected(self, _: int) -> None:
        assert self._sock is not None
        host = socket_address(self.target.address, self.target.port)
        try:
            self._sock.send(
                f"GET {self.target.path} HTTP/1.1\r\nHost: {host}\r\n"
                "User-Agent: kubehop-balancer\r\nConnection: close\r\n\r\n".encode()
            )
            self._loop.watch(self._sock, READ, self._read)
        except OSError:  # refused
            self._end(False)

    def _read(self, _: int) -> None:
        assert self._sock is not None
        try:
            octets = self._sock.recv(1024)
        except BlockingIOError:
            return
        except OSError:
            self._end(False)
            return
        self._answer += octets
        if not octets or len(self._answer) >= len(_STATUS[0]):
            self._end(self._answer.startswith(_STATUS))
