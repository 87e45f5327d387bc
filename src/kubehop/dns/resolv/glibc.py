"""resolv.conf as glibc 2.26 and newer read it (`resolv/res_init.c`, read at 2.36).

Before 2.26 the search list ended after 6 domains or 256 characters. Java, CPython and Node's
`dns.lookup` ask glibc, so this is what they use.
"""

from kubehop.dns.resolv.scan import NAMESERVERS, Draft, atoi, aton, domain_of, ipv6, lines
from kubehop.dns.resolv.values import Note, Option, ResolvConf

MAX_NDOTS, MAX_TIMEOUT, MAX_ATTEMPTS = 15, 30, 5
OLD_SEARCH, OLD_SEARCH_CHARACTERS = 6, 256

FLAGS = (
    ("rotate", Option.ROTATE),
    ("edns0", Option.EDNS0),
    ("single-request-reopen", Option.SINGLE_REQUEST_REOPEN),
    ("single-request", Option.SINGLE_REQUEST),
    ("no_tld_query", Option.NO_TLD_QUERY),
    ("no-tld-query", Option.NO_TLD_QUERY),
    ("no-reload", Option.NO_RELOAD),
    ("use-vc", Option.USE_VC),
    ("trust-ad", Option.TRUST_AD),
    ("no-aaaa", Option.NO_AAAA),
)
"""Compared by prefix and in this order: `rotate-not` is `rotate`."""


def parse(text: str, hostname: str = "") -> ResolvConf:
    """What glibc makes of resolv.conf; a keyword counts in the first column only."""
    draft = Draft()
    for number, line in lines(text):
        keyword, rest = _split(line)
        if keyword in _KEYWORDS:
            _KEYWORDS[keyword](draft, number, rest)
        elif line.strip() and line[0] not in ";#" and keyword != "sortlist":
            draft.note(number, f"glibc does not know {line.split()[0]!r} here: line ignored")
    search = draft.search or domain_of(hostname)
    _note_older(draft, search)
    return ResolvConf(
        tuple(draft.nameservers[:NAMESERVERS]) or ("127.0.0.1",),
        tuple(search),
        draft.ndots,
        draft.timeout,
        draft.attempts,
        frozenset(draft.options),
        tuple(draft.notes),
    )


def _split(line: str) -> tuple[str, str]:
    for index, char in enumerate(line):
        if char in " \t":
            return line[:index], line[index:].lstrip(" \t")
    return line, ""


def _domain(draft: Draft, number: int, rest: str) -> None:
    if rest:
        _replace(draft, number, rest.replace("\t", " ").split(" ")[:1])


def _search(draft: Draft, number: int, rest: str) -> None:
    if rest:
        _replace(draft, number, [d for d in rest.replace("\t", " ").split(" ") if d])


def _replace(draft: Draft, number: int, domains: list[str]) -> None:
    if draft.search:
        draft.note(number, f"replaces the search list {' '.join(draft.search)}: the last one wins")
    draft.search = domains


def _nameserver(draft: Draft, number: int, rest: str) -> None:
    word = rest.replace("\t", " ").split(" ")[0]
    address = aton(word) or ipv6(word)
    if address is None:
        draft.note(number, f"{word!r} is not an address: line ignored")
        return
    draft.nameservers.append(address)
    if len(draft.nameservers) > NAMESERVERS:
        draft.note(number, f"only {NAMESERVERS} nameservers are used: {address} is never asked")


def _options(draft: Draft, number: int, rest: str) -> None:
    for word in rest.replace("\t", " ").split(" "):
        if word.startswith("ndots:"):
            # Stored in four bits: a negative number wraps.
            draft.ndots = _capped(draft, number, word, 6, MAX_NDOTS) & 15
        elif word.startswith("timeout:"):
            draft.timeout = _capped(draft, number, word, 8, MAX_TIMEOUT)
        elif word.startswith("attempts:"):
            draft.attempts = _capped(draft, number, word, 9, MAX_ATTEMPTS)
        elif word:
            flag = next((f for name, f in FLAGS if word.startswith(name)), None)
            if flag:
                draft.options.add(flag)
            else:
                draft.note(number, f"glibc does not know the option {word!r}")


def _capped(draft: Draft, number: int, word: str, start: int, limit: int) -> int:
    value = atoi(word[start:])
    if value > limit:
        draft.note(number, f"{word} is cut to {limit}")
    return min(value, limit)


def _note_older(draft: Draft, search: list[str]) -> None:
    kept = 0
    while kept < min(len(search), OLD_SEARCH):
        if len(" ".join(search[: kept + 1])) >= OLD_SEARCH_CHARACTERS:
            break
        kept += 1
    if kept < len(search):
        draft.notes.append(Note(0, f"glibc before 2.26 uses only the first {kept} search domains"))


_KEYWORDS = {
    "domain": _domain,
    "search": _search,
    "nameserver": _nameserver,
    "options": _options,
}
