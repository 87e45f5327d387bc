"""resolv.conf as busybox's nslookup reads it since 1.29 (`networking/nslookup.c`).

1.29 takes nameservers only. 1.30 and newer take a search list too, but neither knows any option:
5 seconds and two tries for each server are built in. 1.28 asks libc instead.
"""

import re

from kubehop.dns.resolv.scan import Draft, aton, domain_of, ipv6
from kubehop.dns.resolv.values import ResolvConf

LINE, OLD_LINE = 511, 127
"""Octets that fgets() reads at once: what is longer counts as several lines."""


def parse(text: str, hostname: str = "") -> ResolvConf:
    """What nslookup 1.30 and newer makes of resolv.conf.

    White space between `search` and its first domain beyond one character makes an empty first
    domain. What follows an IPv6 nameserver on its line makes the program give up, what follows an
    IPv4 one only where it is linked with musl.
    """
    draft, searched, unusable = Draft(), False, ""
    for number, line in _chunks(text, LINE):
        found = re.match(r"[ \t]*([^ \t]+)(?:[ \t](.+))?", line, re.DOTALL)
        if found is None or found[2] is None:
            continue
        keyword, value = found[1], found[2]
        if keyword == "nameserver":
            address, *rest = re.split(r"[ \t\r\v\f]+", value, maxsplit=1)
            if rest and aton(address):
                draft.note(number, f"what follows {address} stops an nslookup built with musl")
                value = address
            unusable = _add(draft, value) or unusable
        elif keyword == "search" or (keyword == "domain" and not searched):
            searched = searched or keyword == "search"
            if draft.search:
                draft.note(number, "replaces the search list above: the last one wins")
            draft.search = _domains(value)
        elif keyword == "options":
            draft.note(number, "busybox nslookup knows no option: line ignored")
    search = draft.search or domain_of(hostname)
    return _conf(draft, [] if search == ["."] else search, unusable)


def parse_1_29(text: str, hostname: str = "") -> ResolvConf:
    """What nslookup 1.29 makes of resolv.conf: its nameservers."""
    del hostname
    draft, unusable = Draft(), ""
    for number, line in _chunks(text, OLD_LINE):
        fields = [word for word in re.split(r"[ \t]+", line) if word]
        if len(fields) > 1 and fields[0] == "nameserver":
            unusable = _add(draft, fields[1]) or unusable
        elif fields and fields[0] in ("search", "domain", "options"):
            draft.note(number, f"busybox nslookup 1.29 ignores {fields[0]!r}: no search at all")
    return _conf(draft, [], unusable)


def _chunks(text: str, size: int) -> list[tuple[int, str]]:
    return [
        (number, line[start : start + size])
        for number, line in enumerate(text.split("\n"), 1)
        for start in range(0, max(len(line), 1), size)
    ]


def _domains(value: str) -> list[str]:
    domains = re.split(r"[ \t\r\v\f]+", value)
    return domains[:-1] if len(domains) > 1 and domains[-1] == "" else domains


def _add(draft: Draft, word: str) -> str:
    address = aton(word) or ipv6(word)
    if address is None:
        return f"nslookup: bad address '{word}'"
    draft.nameservers.append(address)
    return ""


def _conf(draft: Draft, search: list[str], unusable: str) -> ResolvConf:
    return ResolvConf(
        tuple(draft.nameservers) or ("127.0.0.1",),
        tuple(search),
        notes=tuple(draft.notes),
        unusable=unusable,
    )
