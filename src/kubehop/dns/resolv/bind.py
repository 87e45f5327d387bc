"""resolv.conf as dig, host and BIND's nslookup read it (`lib/irs/resconf.c`, 9.18).

The file is a stream of words. One bad line (something after an address, a number out of range)
and the program refuses to start: `parse of /etc/resolv.conf failed`.
"""

import re

from kubehop.dns.resolv.scan import NAMESERVERS, Draft, aton, ipv6, lines, octets
from kubehop.dns.resolv.values import ResolvConf

SEARCH, WORD = 8, 255
DEFAULT_ATTEMPTS = 3
FAILED = "parse of /etc/resolv.conf failed"


def parse(text: str, hostname: str = "") -> ResolvConf:
    """What BIND's tools make of resolv.conf; the hostname's domain is never searched.

    A `timeout` of 0 is the default: 5 seconds over UDP, 10 over TCP.
    """
    del hostname
    draft = Draft(timeout=0, attempts=DEFAULT_ATTEMPTS)
    unusable = ""
    for number, line in lines(text):
        found = _words(line)
        if any(octets(word) > WORD for word in found):
            # getword() takes it for the end of the file.
            draft.note(number, "a word of 256 octets or more: the rest of the file is ignored")
            break
        if found and found[0] in _KEYWORDS:
            problem = _KEYWORDS[found[0]](draft, number, found[1:])
            if problem and not unusable:
                draft.note(number, problem)
                unusable = FAILED
    return ResolvConf(
        tuple(draft.nameservers) or ("::1", "127.0.0.1"),
        tuple(draft.search),
        draft.ndots,
        draft.timeout,
        draft.attempts,
        frozenset(),
        tuple(draft.notes),
        unusable,
    )


def _words(line: str) -> list[str]:
    """The words before a comment, which is one where a word could begin."""
    found: list[str] = []
    for word in re.split(r"[ \t\v\f\r]+", line):
        if word[:1] in (";", "#"):
            break
        if word:
            found.append(word)
    return found


def _nameserver(draft: Draft, number: int, values: list[str]) -> str:
    if len(values) != 1:
        return "nameserver takes one address and nothing after it"
    if len(draft.nameservers) == NAMESERVERS:
        draft.note(number, f"only {NAMESERVERS} nameservers are used: {values[0]} is never asked")
        return ""
    address = aton(values[0]) or ipv6(values[0])
    if address is None:
        return f"{values[0]!r} is not an address"
    draft.nameservers.append("127.0.0.1" if address == "0.0.0.0" else address)  # noqa: S104
    return ""


def _domain(draft: Draft, number: int, values: list[str]) -> str:
    return _search(draft, number, values) if len(values) == 1 else "domain takes one name"


def _search(draft: Draft, number: int, values: list[str]) -> str:
    if draft.search:
        draft.note(number, f"replaces the search list {' '.join(draft.search)}: the last one wins")
    draft.search = values[:SEARCH]
    if len(values) > SEARCH:
        draft.note(number, f"only {SEARCH} search domains are used")
    return "" if values else "search without a name"


def _options(draft: Draft, number: int, values: list[str]) -> str:
    for word in values:
        name, colon, text = word.partition(":")
        if not colon or name not in ("ndots", "timeout", "attempts"):
            draft.note(number, f"BIND's tools ignore the option {word!r}")
            continue
        if not re.fullmatch(r"[+-]?[0-9]*", text) or not 0 <= int(text or 0) <= WORD:
            return f"{word!r} is not a number from 0 to 255"
        setattr(draft, name, int(text or 0))
    draft.attempts = draft.attempts or DEFAULT_ATTEMPTS
    return "" if values else "options without any"


def _sortlist(draft: Draft, number: int, values: list[str]) -> str:
    del draft, number
    return "" if values else "sortlist without any address"


_KEYWORDS = {
    "nameserver": _nameserver,
    "domain": _domain,
    "search": _search,
    "options": _options,
    "sortlist": _sortlist,
}
