"""The query log."""

from collections.abc import Callable
from dataclasses import dataclass

from kubehop.dns.message import Question


@dataclass(frozen=True, slots=True)
class Logged:
    """A query and what it got: `client` is an IP address, `size` the reply's octets.

    `rcode` is the number in the reply, -1 where there was none.
    """

    question: Question
    client: str
    port: int
    transport: str
    rcode: int
    size: int

    def __str__(self) -> str:
        return (
            f"{self.client}:{self.port} {self.transport} {self.question.type}"
            f" {self.question.name} {self.rcode} {self.size}"
        )


Log = Callable[[Logged], None]
