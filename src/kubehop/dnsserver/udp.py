"""Queries over UDP: most are answered here, with one look into the table."""

import socket
from contextlib import suppress
from functools import partial
from typing import Any

from kubehop.dnsserver.loop import READ, Loop
from kubehop.dnsserver.peers import peers
from kubehop.dnsserver.responder import Responder
from kubehop.dnsserver.tally import Tally
from kubehop.dnsserver.values import Client

BATCH = 256
"""Queries answered before other sockets get their turn."""
MAX_QUERY = 4096


class UdpListener:
    """A socket whose queries a Responder answers."""

    def __init__(self, loop: Loop, sock: socket.socket, responder: Responder, tally: Tally) -> None:
        self._loop, self._sock, self._responder, self._tally = loop, sock, responder, tally
        self._receive, self._send, self._address = peers(sock)
        loop.watch(sock, READ, self._ready)

    def close(self) -> None:
        self._loop.forget(self._sock)
        self._sock.close()

    def _ready(self, _: int) -> None:
        began = self._loop.now()
        self._responder.table.expire(began)
        count = self._logged_batch() if self._responder.log else self._batch()
        if count:
            self._tally.took(self._loop.now() - began, count)

    def _batch(self) -> int:
        """Answer what waits in the socket; returns how many queries that were.

        The hot path: a query that was answered before, but for its id, is not even parsed.
        """
        receive, send, hits = self._receive, self._send, self._tally.hits
        find = self._responder.table.replies.get
        count = octets = 0
        # What ends a batch: nothing is left, or a reply cannot be sent, and is lost.
        with suppress(OSError):
            while count < BATCH:
                message, peer = receive(MAX_QUERY)
                count += 1
                found = find(message[2:])
                if found is None:
                    self._respond(message, peer)
                else:
                    reply, kind = found
                    hits[kind] += 1
                    octets += send(message[:2] + reply, peer)
        self._tally.octets += octets
        return count

    def _logged_batch(self) -> int:
        """The same with every query by the Responder, which writes the log."""
        count = 0
        with suppress(BlockingIOError):
            while count < BATCH:
                message, peer = self._receive(MAX_QUERY)
                count += 1
                self._respond(message, peer)
        return count

    def _respond(self, message: bytes, peer: Any) -> None:
        host, port = self._address(peer)[:2]
        client = Client(host, port, "udp", self._tally)
        self._responder.respond(message, client, partial(self._deliver, peer))

    def _deliver(self, peer: Any, octets: bytes) -> None:
        with suppress(OSError):  # what cannot be sent is lost, as it could be on the way
            self._send(octets, peer)
