"""A cluster's DNS as a network: API server, upstream resolver and CoreDNS in one namespace."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubehop.dns.message import Reply
from tests.real.asking import Ask, exchange
from tests.real.coredns_process import CoreDns, running
from tests.real.fake_api import FakeApi, State, fake_api
from tests.real.generated import OWN_ADDRESS
from tests.real.internet import internet
from tests.real.nameserver import nameserver
from tests.real.namespace import Namespace, namespace
from tests.real.selecting import Json

UPSTREAM = ("127.0.0.10", 5300)
DNS_PORT = 53
POD_ADDRESSES = tuple(f"127.0.1.{n}" for n in range(1, 20))
"""Addresses that a question can come from; CoreDNS takes no loopback address for its own."""


@dataclass(frozen=True)
class Network:
    """Where the real CoreDNS runs; `folder` is for its files."""

    inside: Namespace
    folder: Path

    @contextmanager
    def api(self, objects: Iterable[Json], state: State = State.OK) -> Iterator[FakeApi]:
        with fake_api(objects, state, self.inside.socket(kind=socket.SOCK_STREAM)) as api:
            yield api

    @contextmanager
    def coredns(self, corefile: str) -> Iterator[CoreDns]:
        with running(corefile, self.inside, self.folder) as real:
            yield real

    def ask(self, ask: Ask) -> list[Reply]:
        """What it replies at its own address: several messages for a transfer, none if silent."""
        return exchange(ask, (OWN_ADDRESS, DNS_PORT), self.inside)


def filled(corefile: str, api: FakeApi) -> str:
    """The Corefile with the addresses of this network."""
    return corefile.replace("{api}", api.url).replace("{upstream}", "{}:{}".format(*UPSTREAM))


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    with namespace(folder, [OWN_ADDRESS]) as inside, nameserver(UPSTREAM, internet, inside):
        yield Network(inside, folder)
