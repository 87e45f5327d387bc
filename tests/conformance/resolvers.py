"""The machine for a recorded resolver, and what chance may have decided in a recording.

c-ares waits for random times, glibc begins its rotation with any server: every lookup that may
have been recorded is tried.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from random import Random

from kubehop.dns.lookup import busybox, cares, cares_old
from kubehop.dns.lookup.protocol import Machine
from kubehop.dns.lookup.resolvers import RESOLVERS, Resolver
from kubehop.dns.resolv import hosts
from kubehop.dns.resolv.hosts import Hosts
from kubehop.dns.resolv.values import Option, ResolvConf
from tests.conformance.outcome import Case

NAMES = (
    (r"glibc-getaddrinfo", "glibc"),
    (r"glibc-getaddrinfo-AF_INET", "glibc-ipv4"),
    (r"glibc-gethostbyname", "glibc-gethostbyname"),
    (r"musl-getaddrinfo-1\.1\.(1[3-9]|2\d)|musl-getaddrinfo-1\.2\.0", "musl-1.1.13"),
    (r"musl-getaddrinfo-1\.2\.[123]", "musl-1.2.1"),
    (r"musl-getaddrinfo-1\.2\.4", "musl-1.2.4"),
    (r"musl-getaddrinfo-1\.2\.[5-9]", "musl"),
    (r"busybox-nslookup-debian", "busybox"),
    (r"busybox-nslookup-1\.28\.\d-glibc", "busybox-1.28"),
    (r"busybox-nslookup-1\.28\.\d-musl", "busybox-1.28-musl"),
    (r"busybox-nslookup-1\.29\.\d-\w+", "busybox-1.29"),
    (r"busybox-nslookup-1\.30\.\d-\w+", "busybox-1.30"),
    (r"busybox-nslookup-1\.3[1-9]\.\d-(glibc|musl)", "busybox"),
    (r"busybox-nslookup-1\.3[1-9]\.\d-(glibc|musl)-type-a", "busybox-type-a"),
    (r"dig", "dig"),
    (r"dig\+search", "dig+search"),
    (r"host", "host"),
    (r"nslookup-bind9", "nslookup"),
    (r"go-pure", "go"),
    (r"go-pure-ip4", "go-ipv4"),
    (r"c-ares-1\.18", "c-ares-1.18"),
    (r"c-ares-1\.34", "c-ares"),
    (r"java-\d+", "java"),
    (r"node-\d+-lookup", "node"),
    (r"node-\d+-resolve4", "node-resolve"),
    (r"python-3\.\d+", "python"),
    (r"dnspython-resolve", "dnspython"),
)
HOSTS = hosts.parse("127.0.0.1 localhost\n10.42.0.5 mypod\n10.9.9.9 foo.alias\n")
"""The hosts file of the namespaces in which the lookups ran."""
_PARTS = (0.0, 0.5, 1.0)
JITTERS = ((0.5, 0.5), *((one, other) for one in _PARTS for other in _PARTS))
"""What part of c-ares' random cut A and AAAA get, by turns."""
SEQUENCES = 30
"""How many sequences of random cuts are tried where several servers multiply what can happen."""
HASTE = 12
Start = Callable[[], Machine]


def resolver_named(recorded: str) -> Resolver | None:
    """The machine for a resolver as the recording calls it."""
    found = next((ours for pattern, ours in NAMES if re.fullmatch(pattern, recorded)), None)
    if found is None:
        return None
    own = _ON_OLD_MUSL.get(found) if "-musl" in recorded else None
    return replace(RESOLVERS[found], start=own) if own else RESOLVERS[found]


def _on_old_musl(version: busybox.Version, *types: str) -> Callable[..., Machine]:
    """busybox as it was built for the recordings: with musl 1.2.3."""
    packing = replace(version, packs=True)

    def start(name: str, conf: ResolvConf, hosts: Hosts) -> Machine:
        return busybox.lookup(name, conf, hosts, packing, types)

    return start


_ON_OLD_MUSL = {
    "busybox-1.30": _on_old_musl(busybox.SINCE_1_30, *busybox.BOTH),
    "busybox": _on_old_musl(busybox.NEWEST, *busybox.BOTH),
    "busybox-type-a": _on_old_musl(busybox.NEWEST, "A"),
}


def starts(resolver: Resolver, case: Case) -> Iterator[Start]:
    """All lookups that the recorded one may be."""
    conf = resolver.parse(case["resolv_conf"], "")
    first = range(len(conf.nameservers)) if conf.has(Option.ROTATE) else range(1)
    for begin in first:
        yield from _jittered(resolver, case["name"], replace(conf, first=begin))


def _jittered(resolver: Resolver, name: str, conf: ResolvConf) -> Iterator[Start]:
    if resolver.name == "c-ares-1.18":
        yield partial(cares_old.lookup, name, conf, HOSTS)
        yield partial(cares_old.lookup, name, conf, HOSTS, moment=cares.MOMENT)
        return
    if resolver.name not in ("c-ares", "node-resolve"):
        yield partial(resolver.start, name, conf, HOSTS)
        return
    several = len(conf.nameservers) > 1
    pairs = [itertools.cycle(pair).__next__ for pair in JITTERS]
    jitters = [*pairs, *(Random(seed).random for seed in range(SEQUENCES) if several)]
    if resolver.name == "node-resolve":
        for jitter in jitters:
            yield partial(cares.node_resolve4, name, conf, HOSTS, jitter=jitter)
        return
    for jitter in jitters:
        yield partial(cares.lookup, name, conf, HOSTS, jitter=jitter)
    for alone in range(HASTE if several else 1):
        # So many replies are dealt with one by one, later ones are there when one is read.
        together = itertools.chain(itertools.repeat(False, alone), itertools.repeat(True)).__next__
        yield partial(cares.lookup, name, conf, HOSTS, together=together)


def lags(resolver: Resolver, case: Case) -> tuple[float, ...]:
    """By how many seconds each server's reply is read later than that of the one before it.

    c-ares reads its sockets in the order of the servers, whichever reply came first. musl takes
    what comes first, and any of its servers may be the quickest: below 0, the last one.
    """
    if len(resolver.parse(case["resolv_conf"], "").nameservers) == 1:
        return (0.0,)
    if resolver.name in ("c-ares", "c-ares-1.18", "node-resolve"):
        return (0.0, 1e-6)
    return (0.0, 1e-4, -1e-4) if resolver.parallel else (0.0,)
