"""What listeners, responders and the chain have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kubehop.dns.chain.blocks import Block
from kubehop.dns.chain.values import Answering, Asked
from kubehop.dns.message import Question
from kubehop.dns.wire.query import Query, Transport
from kubehop.dnsserver.tally import Tally
from kubehop.model.changes import Change

Send = Callable[[bytes], None]
"""Takes a reply to the client; what cannot be sent is lost."""


class Chain(Protocol):
    """What the server needs of `kubehop.dns.chain.Serving`, which says what each is."""

    serial: int

    def answer(self, asked: Asked, now: float) -> Answering: ...

    def is_static(self, question: Question, port: int = 0) -> bool: ...

    def lasts(self, asked: Asked, now: float) -> float: ...

    def owner_of(self, name: str) -> str: ...

    def block(self, question: Question, port: int = 0) -> Block | None: ...

    def apply(self, change: Change) -> frozenset[str]: ...

    def unready(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Client:
    """Who asked: IP address and port, over what, and where it is counted."""

    address: str
    port: int
    transport: Transport
    tally: Tally


@dataclass(frozen=True, slots=True)
class Waiting:
    """A query that has no reply yet, as it came and as it was read, and where that goes."""

    message: bytes
    query: Query
    client: Client
    send: Send

    @property
    def repeatable(self) -> bool:
        """True if a listener may send the same reply again when the same query comes."""
        return self.client.transport == "udp" and self.query.repeatable(self.message)

    def asked(self, port: int) -> Asked:
        """The query as the chain takes it; `port` is the one that server blocks name."""
        query, edns = self.query, self.query.edns
        return Asked(
            query.question,
            self.client.address,
            self.client.transport,
            payload=edns.payload if edns else 0,
            recursion_desired=query.recursion_desired,
            checking_disabled=query.checking_disabled,
            dnssec_ok=edns.dnssec_ok if edns else False,
            port=port,
            serial=query.serial,
        )
