"""What the kubernetes plugin finds for a question, before anybody makes a reply of it."""

import enum
from dataclasses import dataclass

from kubehop.dns.message import Question, Record


@dataclass(frozen=True, slots=True)
class Found:
    """The name exists; without an answer it has no data of that type."""

    answer: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Chase:
    """Names that point out of the zone: the answer has the whole server's in their places.

    Without `shown` they are asked for, and the answer is NODATA all the same.
    """

    parts: tuple[Record | Question, ...]
    shown: bool = True


class Without(enum.Enum):
    """No records: the name does not exist, or the question is refused (AXFR, IXFR)."""

    NAME = "name"
    REFUSED = "refused"


Outcome = Found | Chase | Without
NODATA = Found()
