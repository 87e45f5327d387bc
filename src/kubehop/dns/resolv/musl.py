"""resolv.conf as musl reads it, 1.1.13 and newer (`src/network/resolvconf.c`).

The file is read anew for every lookup. Only ndots, timeout and attempts are known; a line of 255
octets or more without its newline does not fit the buffer and is ignored whole.
"""

from kubehop.dns.resolv.scan import (
    C_SPACE,
    NAMESERVERS,
    Draft,
    aton,
    ipv6,
    leading_digits,
    lines,
    octets,
    words,
)
from kubehop.dns.resolv.values import ResolvConf

LINE = 254
"""Longest line in octets, newline not counted: fgets() into 256."""
MAX_NDOTS, MAX_TIMEOUT, MAX_ATTEMPTS = 15, 60, 10
KNOWN = ("ndots:", "timeout:", "attempts:")


def parse(text: str, hostname: str = "") -> ResolvConf:
    """What musl makes of resolv.conf; the hostname's domain is never searched."""
    del hostname
    draft = Draft()
    for number, line in lines(text):
        if octets(line) > LINE:
            draft.note(number, f"musl ignores this line whole: {octets(line)} octets long")
        else:
            _line(draft, number, line)
    if draft.attempts == 0:
        draft.note(0, "musl divides timeout by attempts: attempts:0 kills the program (SIGFPE)")
    return ResolvConf(
        tuple(draft.nameservers) or ("127.0.0.1",),
        tuple(draft.search),
        draft.ndots,
        draft.timeout,
        draft.attempts,
        frozenset(),
        tuple(draft.notes),
    )


def _line(draft: Draft, number: int, line: str) -> None:
    for keyword, read in _KEYWORDS.items():
        rest = line.removeprefix(keyword)
        # The newline is white space too: a bare `search` empties the list.
        if rest != line and (rest == "" or rest[0] in C_SPACE):
            read(draft, number, rest)
            return


def _options(draft: Draft, number: int, rest: str) -> None:
    draft.ndots = _number(draft, number, rest, "ndots:", MAX_NDOTS, draft.ndots)
    draft.attempts = _number(draft, number, rest, "attempts:", MAX_ATTEMPTS, draft.attempts)
    draft.timeout = _number(draft, number, rest, "timeout:", MAX_TIMEOUT, draft.timeout)
    for word in words(rest):
        if not word.startswith(KNOWN):
            draft.note(number, f"musl does not know the option {word!r}")


def _number(draft: Draft, number: int, rest: str, name: str, limit: int, before: int) -> int:
    """The number after the first `name` anywhere in the line: strstr() finds it inside words."""
    found = leading_digits(rest.partition(name)[2]) if name in rest else None
    if found is None:
        return before
    if found > limit:
        draft.note(number, f"{name}{found} is cut to {limit}")
    return min(found, limit)


def _nameserver(draft: Draft, number: int, rest: str) -> None:
    word = (words(rest) or [""])[0]
    address = aton(word) or ipv6(word)
    if address is None:
        draft.note(number, f"{word!r} is not an address: line ignored")
    elif len(draft.nameservers) == NAMESERVERS:
        draft.note(number, f"only {NAMESERVERS} nameservers are used: {address} is never asked")
    else:
        draft.nameservers.append(address)


def _search(draft: Draft, number: int, rest: str) -> None:
    if draft.search:
        draft.note(number, f"replaces the search list {' '.join(draft.search)}: the last one wins")
    draft.search = words(rest)


_KEYWORDS = {
    "options": _options,
    "nameserver": _nameserver,
    "domain": _search,
    "search": _search,
}
