"""resolv.conf as dnspython reads it (`dns/resolver.py`, read_resolv_conf)."""

import re

from kubehop.dns.resolv.scan import Draft, domain_of, dotted_quad, ipv6, lines
from kubehop.dns.resolv.values import Option, ResolvConf


def parse(text: str, hostname: str = "") -> ResolvConf:
    """What dnspython makes of resolv.conf: two seconds a try, within a lifetime of five."""
    draft = Draft(timeout=2)
    for _, line in lines(text):
        tokens = line.split()
        if len(tokens) < 2 or line[0] in "#;":
            continue
        if tokens[0] == "nameserver":
            draft.nameservers.append(dotted_quad(tokens[1]) or ipv6(tokens[1]) or "")
        elif tokens[0] == "domain":
            draft.search = tokens[1:2]
        elif tokens[0] == "search":
            draft.search = tokens[1:]
        elif tokens[0] == "options":
            _options(draft, tokens[1:])
    unusable = ""
    if not draft.nameservers:
        unusable = "dns.resolver.NoResolverConfiguration: no nameservers"
    elif "" in draft.nameservers:
        unusable = "ValueError: nameserver is not an IP address"
    return ResolvConf(
        tuple(filter(None, draft.nameservers)) or ("127.0.0.1",),
        tuple(draft.search or domain_of(hostname)),
        draft.ndots,
        draft.timeout,
        options=frozenset(draft.options),
        unusable=unusable,
    )


def _options(draft: Draft, words: list[str]) -> None:
    for word in words:
        value = word.partition(":")[2]
        if word == "rotate":
            draft.options.add(Option.ROTATE)
        elif word == "edns0":
            draft.options.add(Option.EDNS0)
        elif re.fullmatch(r"-?[0-9]{1,9}", value):
            if "timeout" in word:
                draft.timeout = int(value)
            elif "ndots" in word:
                draft.ndots = int(value)
