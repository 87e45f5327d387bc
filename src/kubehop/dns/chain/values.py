"""What goes into the plugin chain, and what it wants asked outside."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from kubehop.dns.message import Question, Rcode, Reply

Transport = Literal["udp", "tcp", "tls"]
SelectionPolicy = Literal["random", "round_robin", "sequential"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as it came in.

    `client` is the source IP address, "" if unknown (autopath then does nothing); `payload`
    the EDNS UDP payload size, 0 without EDNS (RFC 6891). `port` is the one it arrived at, as
    the Corefile names it: only server blocks of that port are considered; 0 is the port of
    the first of them. `serial` is the SOA serial that an IXFR brings, 0 without one.
    """

    question: Question
    client: str = ""
    transport: Transport = "udp"
    payload: int = 0
    recursion_desired: bool = True
    checking_disabled: bool = False
    dnssec_ok: bool = False
    port: int = 0
    serial: int = 0
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Upstream:
    """A query that the chain wants asked outside (plugin/forward).

    `servers` as "10.0.0.2:53" or "[fd00::1]:53", in the order of the Corefile, () if it names
    a file that nobody has read; `policy` says which is tried first, the others follow.
    `timeout` is the seconds for all tries together, `read` for one of them, and a server that
    gave no answer is tried again until then, at most `attempts` failed tries (0: no limit).
    `transport` is that of every try; a truncated reply is a reply, unless `prefer_udp` says to
    ask again over TCP. A reply whose rcode is in `failover` is none: the next server is asked.
    """

    question: Question
    servers: tuple[str, ...]
    policy: SelectionPolicy = "random"
    transport: Transport = "udp"
    prefer_udp: bool = False
    timeout: float = 5.0
    read: float = 2.0
    attempts: int = 0
    failover: frozenset[int] = frozenset()
    tls_servername: str = ""
    max_fails: int = 2
    health_check: float = 0.5
    payload: int = 0
    recursion_desired: bool = True
    checking_disabled: bool = False
    dnssec_ok: bool = False


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A plugin ends without a reply of its own: the server writes one with this rcode.

    `error` is what CoreDNS's log says; "" if the plugin takes it for no error. `sent` is a
    reply that a plugin wrote and disowned with its rcode: the server writes a second one, and
    the client has the first.
    """

    rcode: Rcode
    error: str = ""
    sent: Reply | None = None

    @property
    def seen(self) -> Reply:
        """The reply that a client takes."""
        return self.sent or Reply(self.rcode)


Answer = Reply | Unwritten
Serve = Generator[Upstream, Reply | None, Answer]
"""What a plugin does with a query."""

Answering = Generator[Upstream, Reply | None, Reply]
"""Yields what to ask, is sent the reply (None: nobody gave a usable one), returns the answer."""
