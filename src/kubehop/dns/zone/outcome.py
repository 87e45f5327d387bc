"""What the kubernetes plugin finds for a question, before anybody makes a reply of it."""

import enum
from dataclasses import dataclass

from kubehop.dns.message import Record


@dataclass(frozen=True, slots=True)
class Found:
    """The name exists; without an answer it has no data of that type."""

    answer: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Chase:
    """An ExternalName points out of the zone: `target` is asked of the whole server.

    The answer is `cnames` and whatever that gives.
    """

    cnames: tuple[Record, ...]
    target: str


class Without(enum.Enum):
    """No records: the name does not exist, or the question is refused (AXFR, IXFR)."""

    NAME = "name"
    REFUSED = "refused"


Outcome = Found | Chase | Without
NODATA = Found()
