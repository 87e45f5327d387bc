"""What a client sent: a query, or what to reply instead, or nothing to reply to.

Strict where CoreDNS 1.13 is strict (miekg/dns acceptfunc.go, server.go; core/dnsserver), and
lenient where it is: octets after the last record are no error.
"""

from dataclasses import dataclass
from typing import Literal

from kubehop.dns.message import Question, Rcode
from kubehop.dns.wire import header, rdata
from kubehop.dns.wire.errors import WireError
from kubehop.dns.wire.names import text_of, unpack_labels
from kubehop.dns.wire.types import IN, NUMBERS, OPT, type_name

Transport = Literal["udp", "tcp"]

BADVERS = 16
REPEATED_OPTIONS = frozenset({3, 9, 10, 11, 12})
"""NSID, EXPIRE, COOKIE, TCP keepalive and padding: CoreDNS sends them back as they came."""

_MAX_COUNTS = (1, 1, 1, 2)
"""Most questions, answers (NOTIFY), authority (IXFR) and additional records of a query."""
_DO = 0x8000
_OPT_LENGTH = 1 + header.RECORD.size

SOA = NUMBERS["SOA"]


@dataclass(frozen=True, slots=True)
class Edns:
    """The OPT record of a query: its payload size, DO, and the record that its reply carries."""

    payload: int
    dnssec_ok: bool
    echo: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """A query that may be answered.

    `octets` is the question as it was spelt: name without pointers, type, class. `key` the
    same in lower case. `limit` is what a reply over UDP may have, in octets. `serial` is what
    an IXFR brings (RFC 1995 3), 0 for others.
    """

    id: bytes
    flags: int
    octets: bytes
    key: bytes
    question: Question
    edns: Edns | None
    serial: int = 0

    @property
    def recursion_desired(self) -> bool:
        return bool(self.flags & header.RD)

    @property
    def checking_disabled(self) -> bool:
        return bool(self.flags & header.CD)

    def repeatable(self, message: bytes) -> bool:
        """True if others are likely to send this very `message`: lower case, no EDNS options."""
        length = header.LENGTH + len(self.octets) + (_OPT_LENGTH if self.edns else 0)
        return self.octets == self.key and len(message) == length

    @property
    def limit(self) -> int:
        return max(512, self.edns.payload) if self.edns else 512


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reply to what is no query for the plugin chain."""

    octets: bytes
    rcode: int


def parse(message: bytes) -> Query | Refusal | None:
    """Read a message from a client; None for what deserves no reply (short, or a reply itself)."""
    if len(message) < header.LENGTH:
        return None
    _, flags, *counts = header.COUNTS.unpack_from(message)
    if flags & header.QR:
        return None
    if header.opcode(flags) not in (header.QUERY, header.NOTIFY):
        return _refused(message, flags, Rcode.NOTIMP)
    if counts[0] != 1 or any(n > most for n, most in zip(counts, _MAX_COUNTS, strict=True)):
        return _refused(message, flags, Rcode.FORMERR)
    return _accepted(message, flags, counts)


def _accepted(message: bytes, flags: int, counts: list[int]) -> Query | Refusal:
    name = fixed = b""
    try:
        labels, end = unpack_labels(message, header.LENGTH)
        fixed = message[end : end + 4]
        if len(fixed) < 4:
            raise WireError("a question without type and class")
        name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
        found = _records(message, end + 4, counts)
    except WireError:
        # CoreDNS finds no question in a bare header, and then does not know what to answer.
        rcode = Rcode.SERVFAIL if len(message) == header.LENGTH else Rcode.FORMERR
        return _refused(message, flags, rcode, name and name + fixed)
    edns = found.edns
    if fixed[2:] != IN:
        return _replied(message, flags, Rcode.REFUSED, name + fixed, edns.echo if edns else b"")
    if found.version:
        return _replied(message, flags, BADVERS, name + fixed, _opt(0, BADVERS >> 4 << 24))
    asked = Question(text_of(labels), type_name(int.from_bytes(fixed[:2], "big")))
    return Query(message[:2], flags, name + fixed, name.lower() + fixed, asked, edns, found.serial)


@dataclass(slots=True)
class _Found:
    """What the records of a query say."""

    edns: Edns | None = None
    version: int = 0
    serial: int = 0


def _records(message: bytes, at: int, counts: list[int]) -> _Found:
    """The last OPT record in the additional section, and the SOA record before it.

    Counts may promise more records than there are. Raises WireError.
    """
    found = _Found()
    additional_from = counts[1] + counts[2]
    for index in range(additional_from + counts[3]):
        if at == len(message):
            break
        (type, payload, ttl), begin, at = header.record(message, at)
        if type == OPT and index >= additional_from:
            options = _repeated(message[begin:at])
            found.version = ttl >> 16 & 0xFF
            found.edns = Edns(payload, bool(ttl & _DO), _opt(payload, ttl & 0xFF00, options))
        elif type == SOA:
            words = rdata.read(message, begin, at, SOA).split()
            found.serial = int(words[2])
    return found


def _repeated(options: bytes) -> bytes:
    """Those options of an OPT record that its reply has too; raises WireError."""
    kept, at = b"", 0
    while at < len(options):
        end = at + 4 + int.from_bytes(options[at + 2 : at + 4], "big")
        if end > len(options) or at + 4 > len(options):
            raise WireError("an EDNS option runs out of its record")
        if int.from_bytes(options[at : at + 2], "big") in REPEATED_OPTIONS:
            kept += options[at:end]
        at = end
    return kept


def opt(payload: int, dnssec_ok: bool = False) -> bytes:
    """The OPT record of a query (RFC 6891 6.1)."""
    return _opt(payload, _DO if dnssec_ok else 0)


def _opt(payload: int, ttl: int, options: bytes = b"") -> bytes:
    return b"\0" + header.RECORD.pack(OPT, payload, ttl, len(options)) + options


def _refused(message: bytes, flags: int, rcode: Rcode, question: bytes = b"") -> Refusal:
    """An error before the question was understood: most flags are those of the query."""
    kept = header.TC | header.RD | header.RA | header.AD | header.CD
    if rcode is Rcode.NOTIMP:
        kept |= header.OPCODE
    octets = _message(message, flags & kept, rcode, question)
    return Refusal(octets, rcode)


def _replied(message: bytes, flags: int, rcode: int, question: bytes, opt: bytes) -> Refusal:
    """A reply to a question that is understood and not answered."""
    return Refusal(_message(message, header.copied(flags), rcode, question, opt), rcode)


def _message(message: bytes, flags: int, rcode: int, question: bytes, opt: bytes = b"") -> bytes:
    id = int.from_bytes(message[:2], "big")
    flags |= header.QR | rcode & header.RCODE
    return header.COUNTS.pack(id, flags, bool(question), 0, 0, bool(opt)) + question + opt
