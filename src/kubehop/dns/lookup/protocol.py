"""How a resolver and its driver speak: queries and the time to wait out, replies and silence back.

A machine is a generator. It yields an `Ask`, is sent one `Heard` for it, and returns the
`Outcome` that the program gets. It opens no socket and reads no clock: the driver sends, waits
and tells the time, so that the same machine runs against a prediction, a recording or a network.
"""

import enum
from collections.abc import Generator
from dataclasses import dataclass

from kubehop.dns.message import Question, Reply


class Transport(enum.StrEnum):
    """What carries a query."""

    UDP = "udp"
    TCP = "tcp"


class Silence(enum.StrEnum):
    """No reply: nothing came, or ICMP port unreachable (over TCP: a reset connection)."""

    SILENT = "silent"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A query to one server and why it is sent; `payload` is the EDNS size, 0 without EDNS.

    Two queries are never equal: a retry is another one.
    """

    question: Question
    server: str
    why: str
    transport: Transport = Transport.UDP
    payload: int = 0
    ad: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Send these now, in this order; wake me when something comes or at the second `until`.

    `until` counts from the start of the lookup; infinity for a resolver that waits for ever.
    """

    queries: tuple[Query, ...]
    until: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What came, and when: a reply to `query`, its ICMP error, or (None) that the time is up."""

    now: float
    query: Query | None = None
    result: Reply | Silence | None = None

    @property
    def reply(self) -> Reply | None:
        return self.result if isinstance(self.result, Reply) else None


class Status(enum.StrEnum):
    """What the program gets.

    HANGS: it waits for ever. CRASHES: it dies. FAILED: an error that trying again will not mend.
    """

    FOUND = "found"
    NOT_FOUND = "not found"
    NO_DATA = "no data"
    TRY_AGAIN = "try again"
    FAILED = "failed"
    HANGS = "hangs"
    CRASHES = "crashes"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a lookup.

    `addresses` in the order in which they were received: programs sort them by their own rules
    (RFC 6724). `canonical` is the name that has them, "" if none. `text` is the error as the
    program prints it, `exit` the exit code of a command, None for a library.
    """

    status: Status
    addresses: tuple[str, ...] = ()
    canonical: str = ""
    text: str = ""
    exit: int | None = None


Machine = Generator[Ask, Heard, Outcome]


def addresses(*replies: Reply | None) -> tuple[str, ...]:
    """The A and AAAA data of replies, in order."""
    return tuple(
        record.data
        for reply in replies
        if reply is not None
        for record in reply.answer
        if record.type in ("A", "AAAA")
    )


def canonical(*replies: Reply | None) -> str:
    """The owner of the first address, without its trailing dot; "" if there is none."""
    return next(
        (
            record.name.removesuffix(".")
            for reply in replies
            if reply is not None
            for record in reply.answer
            if record.type in ("A", "AAAA")
        ),
        "",
    )
