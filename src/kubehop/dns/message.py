"""Questions, records and replies: the words in which resolvers and servers speak.

Names are absolute (`kubehop.dns.names`), record data is in presentation form (RFC 1035 5.1),
so that a value reads like a line of a zone file and compares like one.
"""

import enum
from dataclasses import dataclass


class Rcode(enum.IntEnum):
    """Response codes (RFC 1035 4.1.1)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5


class Kind(enum.StrEnum):
    """What a reply means to who asked."""

    ANSWER = "ANSWER"
    NODATA = "NODATA"
    NXDOMAIN = "NXDOMAIN"
    SERVFAIL = "SERVFAIL"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Question:
    """A name, spelt as it was asked, and a type: "A", "SRV", ... or "TYPE65280" (RFC 3597)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record of class IN; `data` in presentation form, `ttl` in seconds."""

    name: str
    ttl: int
    type: str
    data: str

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} IN {self.type} {self.data}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply's sections and the flags that tell who answered.

    `authoritative` is AA, `recursive` RA, `truncated` TC: then the sections hold what fitted.
    `size` is the reply's length in octets, 0 where nobody has encoded it.
    """

    rcode: Rcode
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    authoritative: bool = False
    recursive: bool = False
    truncated: bool = False
    size: int = 0

    @property
    def kind(self) -> Kind:
        """ANSWER, or NODATA (RFC 2308 2.2), or the error; other rcodes count as SERVFAIL."""
        match self.rcode:
            case Rcode.NOERROR:
                return Kind.ANSWER if self.answer else Kind.NODATA
            case Rcode.NXDOMAIN:
                return Kind.NXDOMAIN
            case Rcode.REFUSED:
                return Kind.REFUSED
            case _:
                return Kind.SERVFAIL
