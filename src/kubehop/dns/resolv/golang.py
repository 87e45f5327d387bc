"""resolv.conf as Go's own resolver reads it (`src/net/dnsconfig.go`, `dnsconfig_unix.go`).

Looked at again at most every 5 seconds, unless `no-reload`.
"""

import re

from kubehop.dns.resolv.scan import NAMESERVERS, Draft, domain_of, dotted_quad, ipv6, lines
from kubehop.dns.resolv.values import Option, ResolvConf

MAX_NDOTS = 15
FLAGS = {
    "rotate": Option.ROTATE,
    "single-request": Option.SINGLE_REQUEST,
    "single-request-reopen": Option.SINGLE_REQUEST,
    "use-vc": Option.USE_VC,
    "usevc": Option.USE_VC,
    "tcp": Option.USE_VC,
    "trust-ad": Option.TRUST_AD,
    "edns0": Option.EDNS0,
    "no-reload": Option.NO_RELOAD,
}
"""`edns0` is taken and changes nothing: Go always sends EDNS with 1232 octets."""
BIG = 0xFFFFFF
"""Where dtoi() stops counting."""


def parse(text: str, hostname: str = "") -> ResolvConf:
    """What Go makes of resolv.conf; white space before a keyword does no harm."""
    draft = Draft()
    for number, line in lines(text):
        if line[:1] in (";", "#"):
            continue
        fields = [word for word in re.split(r"[ \r\t\n]+", line) if word]
        if not fields:
            continue
        read = _KEYWORDS.get(fields[0])
        if read:
            read(draft, number, fields[1:])
        elif fields[0] != "lookup":
            draft.note(number, f"{fields[0]!r} is unknown: a program built with cgo asks libc")
    search = draft.search or [_rooted(domain) for domain in domain_of(hostname)]
    return ResolvConf(
        tuple(draft.nameservers) or ("127.0.0.1", "::1"),
        tuple(search),
        draft.ndots,
        draft.timeout,
        draft.attempts,
        frozenset(draft.options),
        tuple(draft.notes),
    )


def _rooted(name: str) -> str:
    return name if name.endswith(".") else f"{name}."


def _nameserver(draft: Draft, number: int, fields: list[str]) -> None:
    word = fields[0] if fields else ""
    address = dotted_quad(word) or ipv6(word)
    if address is None:
        draft.note(number, f"{word!r} is not an address: line ignored")
    elif len(draft.nameservers) == NAMESERVERS:
        draft.note(number, f"only {NAMESERVERS} nameservers are used: {address} is never asked")
    else:
        draft.nameservers.append(address)


def _domain(draft: Draft, number: int, fields: list[str]) -> None:
    if fields:
        _search(draft, number, fields[:1])


def _search(draft: Draft, number: int, fields: list[str]) -> None:
    if draft.search:
        draft.note(number, f"replaces the search list {' '.join(draft.search)}: the last one wins")
    draft.search = [_rooted(name) for name in fields if name != "."]
    if "." in fields:
        draft.note(number, "Go leaves `.` out of the search list")


def _options(draft: Draft, number: int, fields: list[str]) -> None:
    for word in fields:
        name, colon, value = word.partition(":")
        if colon and name == "ndots":
            draft.ndots = min(_dtoi(value), MAX_NDOTS)
            if _dtoi(value) > MAX_NDOTS:
                draft.note(number, f"{word} is cut to {MAX_NDOTS}")
        elif colon and name == "timeout":
            draft.timeout = max(1, _dtoi(value))
        elif colon and name == "attempts":
            draft.attempts = max(1, _dtoi(value))
        elif word in FLAGS:
            draft.options.add(FLAGS[word])
        else:
            draft.note(number, f"{word!r} is unknown: a program built with cgo asks libc")


def _dtoi(text: str) -> int:
    value = 0
    for char in text:
        if char not in "0123456789":
            return value
        value = value * 10 + int(char)
        if value >= BIG:
            return BIG
    return value


_KEYWORDS = {
    "nameserver": _nameserver,
    "domain": _domain,
    "search": _search,
    "options": _options,
}
