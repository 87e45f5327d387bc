"""All Listeners of a lab: one thread, one selector, sockets in every namespace."""

import os
import socket
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from itertools import groupby

from kubehop.dnsserver.faults import Faults
from kubehop.dnsserver.loop import Loop
from kubehop.lab.plan.values import Listener
from kubehop.lab.servers.connections import Acceptor, Connections
from kubehop.lab.servers.datagrams import Datagrams
from kubehop.lab.servers.files import make_room
from kubehop.lab.servers.sockets import opened
from kubehop.model.addresses import socket_address
from kubehop.model.errors import KubehopError, printable

Inside = Callable[[str], AbstractContextManager[None]]
"""Has the calling thread in a namespace's network: sockets that it makes there stay there."""

STOP_SECONDS = 5.0

Key = tuple[str, str, str, int]
"""What a socket is bound to: namespace, protocol, address and port."""
Endpoint = Acceptor | Datagrams


class Servers:
    """Serves Listeners from `start` to `stop`. Its methods may be called from any thread.

    A server that stops is a Listener that is gone, and a health check that lies is one with
    other `endpoints`: there is no other switch.
    """

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._lock = threading.Lock()
        self._loop = Loop(Faults())
        self._connections = Connections(self._loop)
        self._thread = threading.Thread(target=self._loop.run, daemon=True, name="kubehop-servers")
        self._wanted: dict[Key, Listener] = {}
        self._open: dict[Key, tuple[Endpoint, ...]] = {}
        self._problems: dict[Key, str] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each Listener that cannot be had now, and why."""
        with self._lock:
            return tuple(self._problems.values())

    def start(self) -> None:
        """Serve in a thread."""
        make_room()
        self._thread.start()
        self._loop.running.wait()

    def stop(self) -> None:
        """Close everything and end the thread; before the namespaces are gone or after."""
        with self._lock:
            self._loop.stop()
            if self._thread.is_alive():
                self._thread.join(STOP_SECONDS)
            for key in tuple(self._open):
                self._close(key)
            self._connections.close()
            self._wanted.clear()
            self._loop.close()

    def apply(
        self, gone: Iterable[Listener], made: Iterable[Listener], remade: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Listen no more at `gone`, and listen at `made`.

        When it returns the new ones answer and the others refuse. Where one of `made` is at the
        place of one of `gone` the socket stays, and so do its connections if the pod does.
        `remade` are namespaces that are not the ones they were: what listens there is opened
        again. Returns a line for each that could not be had; it is tried again with every call.
        """
        with self._lock:
            refused, touched = self._want(gone, made)
            touched |= dict.fromkeys(k for k in self._open if k[0] in remade) if remade else {}
            self._loop.ask(lambda: self._settle(touched, remade))
            # Where the last try failed something may have made room.
            fresh = [
                key
                for key in touched | self._problems
                if key in self._wanted and key not in self._open
            ]
            before, self._problems = self._problems, {}
            found = self._opened(fresh)
            self._loop.ask(lambda: self._watch(found))
            return refused + tuple(
                line for key, line in self._problems.items() if before.get(key) != line
            )

    def _want(
        self, gone: Iterable[Listener], made: Iterable[Listener]
    ) -> tuple[tuple[str, ...], dict[Key, None]]:
        """Take in what is wanted; returns lines about what is not possible, and where to look."""
        touched, refused = dict[Key, None](), []
        for listener in gone:
            if self._wanted.get(key := _key(listener)) == listener:
                del self._wanted[key]
                touched[key] = None
        for listener in made:
            holder = self._wanted.setdefault(key := _key(listener), listener)
            touched[key] = None
            if holder != listener:
                refused.append(_problem(listener, f"{_called(holder)} has the port"))
        return tuple(refused), touched

    def _settle(self, touched: Iterable[Key], remade: Collection[str]) -> None:
        """Close what is not wanted; give what stays its new Listener."""
        for key in touched:
            listener = self._wanted.get(key)
            if listener is None or key[0] in remade:
                self._close(key)
                continue
            for endpoint in self._open.get(key, ()):
                if endpoint.listener.pod != listener.pod:
                    endpoint.hang_up()
                endpoint.listener = listener

    def _close(self, key: Key) -> None:
        for endpoint in self._open.pop(key, ()):
            endpoint.close()

    def _opened(self, keys: Iterable[Key]) -> list[tuple[Key, list[socket.socket]]]:
        """Sockets for what is wanted there; what cannot be had becomes a problem."""
        found = []
        for namespace, group in groupby(sorted(keys), lambda key: key[0]):
            its = list(group)
            try:
                with self._inside(namespace):
                    found += [(key, self._sockets(key)) for key in its]
            except KubehopError as error:
                self._problems |= {k: _problem(self._wanted[k], str(error)) for k in its}
        return found

    def _sockets(self, key: Key) -> list[socket.socket]:
        try:
            return opened(self._wanted[key])
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            self._problems[key] = _problem(self._wanted[key], reason)
            return []

    def _watch(self, found: Iterable[tuple[Key, list[socket.socket]]]) -> None:
        for key, socks in found:
            if socks:
                self._open[key] = tuple(self._endpoint(sock, self._wanted[key]) for sock in socks)

    def _endpoint(self, sock: socket.socket, listener: Listener) -> Endpoint:
        endpoint: Endpoint
        if listener.protocol == "TCP":
            endpoint = Acceptor(self._connections, sock, listener)
        else:
            endpoint = Datagrams(self._loop, sock, listener)
        endpoint.watch()
        return endpoint


def _key(listener: Listener) -> Key:
    return listener.namespace, listener.protocol, listener.address, listener.port


def _called(listener: Listener) -> str:
    """Whose it is, in a word or two."""
    if listener.pod:
        return f"Pod {listener.pod}"
    if listener.service:
        return f"the health check of Service {listener.service}"
    return listener.namespace


def _problem(listener: Listener, why: str) -> str:
    where = socket_address(listener.address or "*", listener.port)
    what = f"{_called(listener)} cannot listen on {listener.protocol} {where}"
    return printable(f"{what} in {listener.namespace}: {why}")
