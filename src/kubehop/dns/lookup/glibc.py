"""glibc's getaddrinfo() and gethostbyname() (`res_query.c`, `nss_dns/dns-host.c`).

Read at 2.37 and the 2.36 of Debian 12.

1. A trailing dot: as typed only. Enough dots: as typed, then the search list if that failed.
   Else the search list, then as typed; not if the root is in the list, nor with `no-tld-query`
   and no dot.
2. NXDOMAIN, NODATA and SERVFAIL go on with the list; anything else leaves it. A server that is
   not there ends the lookup at once.
3. The error reported is that of the name as typed if it went first, else NODATA if any was seen,
   else SERVFAIL, else the last one.
4. An answer that does not fit the caller's buffer repeats the whole lookup with twice the room.
"""

import enum
import re
from collections.abc import Generator
from dataclasses import dataclass

from kubehop.dns.lookup.candidates import (
    Candidate,
    dots,
    enough_dots,
    rooted,
    searched,
    too_few_dots,
)
from kubehop.dns.lookup.files import from_files, is_foreign
from kubehop.dns.lookup.glibc_buffer import ROOM, Fits, fits_list
from kubehop.dns.lookup.glibc_send import Sent, Thread, send
from kubehop.dns.lookup.protocol import Ask, Heard, Machine, Outcome, Status, addresses, canonical
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.names import fits
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.values import Option, ResolvConf


class HErrno(enum.Enum):
    """h_errno after a query (`netdb.h`)."""

    SUCCESS = 0
    HOST_NOT_FOUND = 1
    TRY_AGAIN = 2
    NO_RECOVERY = 3
    NO_DATA = 4


@dataclass(frozen=True, slots=True)
class Texts:
    """An error's status and what a program prints for it."""

    status: Status
    text: str


GETADDRINFO = {
    HErrno.HOST_NOT_FOUND: Texts(Status.NOT_FOUND, "Name or service not known"),
    HErrno.NO_RECOVERY: Texts(Status.NOT_FOUND, "Name or service not known"),
    HErrno.NO_DATA: Texts(Status.NO_DATA, "No address associated with hostname"),
    HErrno.TRY_AGAIN: Texts(Status.TRY_AGAIN, "Temporary failure in name resolution"),
}
GETHOSTBYNAME = {
    HErrno.HOST_NOT_FOUND: Texts(Status.NOT_FOUND, "Unknown host"),
    HErrno.NO_RECOVERY: Texts(Status.FAILED, "Unknown server error"),
    HErrno.NO_DATA: Texts(Status.NO_DATA, "No address associated with name"),
    HErrno.TRY_AGAIN: Texts(Status.TRY_AGAIN, "Host name lookup failure"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A library call: the types it asks for, its errors, how it packs an answer."""

    types: tuple[str, ...] = ("A", "AAAA")
    errors: dict[HErrno, Texts] | None = None
    fits: Fits = fits_list
    no_address: HErrno = HErrno.HOST_NOT_FOUND
    """The error for an answer without any address, as of a CNAME that leads nowhere."""
    by_errno: bool = False
    """errno decides what kind of error it is (`try_simple_gethostbyname`)."""
    foreign: Texts = Texts(Status.FAILED, "Address family for hostname not supported")
    """The error for an IPv6 address where only IPv4 is wanted (EAI_ADDRFAMILY)."""


@dataclass(frozen=True, slots=True)
class _Queried:
    """One candidate's end: the replies if it counts as found, else the error."""

    error: HErrno
    replies: tuple[Reply, ...] = ()
    refused: bool = False


def lookup(name: str, conf: ResolvConf, hosts: Hosts, call: Call) -> Machine:
    """Look `name` up as `call` does: the hosts file, then DNS."""
    if is_foreign(name, call.types):
        return Outcome(call.foreign.status, text=call.foreign.text)
    listed = from_files(name, hosts, call.types, Matching.FOLDED)
    if listed is not None:
        return listed
    return (yield from resolve(Thread(conf), name, call))


def resolve(thread: Thread, name: str, call: Call) -> Machine:
    """The DNS part, with what the thread remembers."""
    errors = call.errors or GETADDRINFO
    if not hostname(name):
        return Outcome(
            errors[HErrno.HOST_NOT_FOUND].status, text=errors[HErrno.HOST_NOT_FOUND].text
        )
    types = call.types
    if thread.conf.has(Option.NO_AAAA):
        types = tuple(kind for kind in types if kind != "AAAA")
    room, again = ROOM, ""
    while True:
        found = yield from search(thread, name, types, again)
        if found.error is not HErrno.SUCCESS:
            error = _by_errno(thread, found.error) if call.by_errno else found.error
            return Outcome(errors[error].status, text=errors[error].text)
        if call.fits(found.replies, room):
            break
        room *= 2
        again = f"all again: the answer did not fit the caller's {room // 2} octets; "
    listed = addresses(*found.replies)
    if not listed:
        missing = errors[call.no_address]
        return Outcome(missing.status, text=missing.text)
    return Outcome(Status.FOUND, listed, canonical(*found.replies))


def _by_errno(thread: Thread, error: HErrno) -> HErrno:
    """getaddrinfo() for IPv4 only: TRY_AGAIN only if the last name asked for got no reply."""
    if thread.unanswered:
        return HErrno.TRY_AGAIN if error is HErrno.TRY_AGAIN else HErrno.NO_DATA
    return HErrno.NO_DATA if error is HErrno.NO_DATA else HErrno.HOST_NOT_FOUND


def hostname(name: str) -> bool:
    """res_hnok(): letters, digits, `-` and `_`, no leading `-`; nothing else is ever asked."""
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) is not None and fits(name)


def search(
    thread: Thread, name: str, types: tuple[str, ...], again: str = ""
) -> Generator[Ask, Heard, _Queried]:
    """__res_context_search(); `again` says why it is all repeated."""
    conf, typed_error = thread.conf, None
    seen: set[HErrno] = set()
    if name.endswith("."):
        return (yield from _query(thread, rooted(name), types, again))
    if dots(name) >= conf.ndots:
        found = yield from _query(thread, enough_dots(name, conf.ndots), types, again)
        if found.error is HErrno.SUCCESS:
            return found
        typed_error = found.error
    last = _Queried(typed_error or HErrno.HOST_NOT_FOUND)
    root = False
    for candidate in searched(name, conf.search):
        root = root or candidate.name == f"{name}."
        last = yield from _query(thread, candidate, types, again)
        if last.error is HErrno.SUCCESS:
            return last
        if last.refused:
            return _Queried(HErrno.TRY_AGAIN)
        if not _goes_on(last.error, thread.header):
            break
        seen.add(last.error)
    wanted = dots(name) or not conf.search or not conf.has(Option.NO_TLD_QUERY)
    if wanted and typed_error is None and not root:
        last = yield from _query(thread, too_few_dots(name, conf.ndots), types, again)
        if last.error is HErrno.SUCCESS:
            return last
    return _Queried(_final(typed_error, seen, last.error))


def _goes_on(error: HErrno, header: int) -> bool:
    if error is HErrno.TRY_AGAIN:
        return header == Rcode.SERVFAIL
    return error in (HErrno.NO_DATA, HErrno.HOST_NOT_FOUND)


def _final(typed: HErrno | None, seen: set[HErrno], last: HErrno) -> HErrno:
    if typed is not None:
        return typed
    if HErrno.NO_DATA in seen:
        return HErrno.NO_DATA
    return HErrno.TRY_AGAIN if HErrno.TRY_AGAIN in seen else last


def _query(
    thread: Thread, candidate: Candidate, types: tuple[str, ...], again: str
) -> Generator[Ask, Heard, _Queried]:
    """__res_context_query(): one name, and what its replies amount to."""
    if not candidate.sendable:
        return _Queried(HErrno.NO_RECOVERY)
    questions = tuple(Question(candidate.name, kind) for kind in types)
    sent: Sent = yield from send(thread, questions, f"{again}{candidate.why}")
    if not sent.replies:
        return _Queried(HErrno.TRY_AGAIN, refused=sent.refused)
    if any(reply.rcode == Rcode.NOERROR and reply.answer for reply in sent.replies):
        return _Queried(HErrno.SUCCESS, sent.replies)
    rcode = next((r.rcode for r in sent.replies if r.rcode != Rcode.NOERROR), Rcode.NOERROR)
    return _Queried(_ERRORS.get(rcode, HErrno.NO_RECOVERY))


_ERRORS = {
    Rcode.NXDOMAIN: HErrno.HOST_NOT_FOUND,
    Rcode.SERVFAIL: HErrno.TRY_AGAIN,
    Rcode.NOERROR: HErrno.NO_DATA,
}
