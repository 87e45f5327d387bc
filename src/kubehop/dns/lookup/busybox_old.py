"""busybox's nslookup 1.28 and older: getaddrinfo() of its libc, and a name for every address.

With glibc the server's own name is looked up first. With musl there is no server to print, since
musl keeps none in `_res`: `can't resolve '(null)'`, and no query. The official busybox:1.28 image
has uClibc, which is like the glibc build here.
"""

from collections.abc import Callable, Generator

from kubehop.dns.lookup import glibc, musl
from kubehop.dns.lookup.files import from_files
from kubehop.dns.lookup.glibc_send import Thread, send
from kubehop.dns.lookup.protocol import Ask, Heard, Machine, Outcome, Status
from kubehop.dns.message import Question
from kubehop.dns.names import reverse
from kubehop.dns.resolv.hosts import Hosts, Matching
from kubehop.dns.resolv.values import ResolvConf

BOTH = ("A", "AAAA")
Names = Callable[[Question], Generator[Ask, Heard, object]]


def with_glibc(name: str, conf: ResolvConf, hosts: Hosts) -> Machine:
    """Run `nslookup name` of a busybox that is linked with glibc."""
    thread = Thread(conf)

    def backwards(question: Question) -> Generator[Ask, Heard, object]:
        return (yield from send(thread, (question,), _WHY))

    yield from _names(conf.nameservers[:1], hosts, backwards)
    found = from_files(name, hosts, BOTH, Matching.FOLDED)
    outcome = found or (yield from glibc.resolve(thread, name, glibc.Call()))
    yield from _names(outcome.addresses, hosts, backwards)
    return _printed(name, outcome)


def with_musl(
    name: str, conf: ResolvConf, hosts: Hosts, version: musl.Version = musl.SINCE_1_2_1
) -> Machine:
    """Run `nslookup name` of a busybox that is linked with musl."""
    exchange = musl.Exchange(conf, version)

    def backwards(question: Question) -> Generator[Ask, Heard, object]:
        return (yield from exchange.ask((question,), _WHY))

    found = from_files(name, hosts, BOTH, Matching.EXACT)
    outcome = found or (yield from musl.resolve(exchange, name, BOTH))
    yield from _names(outcome.addresses, hosts, backwards)
    return _printed(name, outcome)


_WHY = "the name of an address that nslookup prints"


def _names(
    addresses: tuple[str, ...], hosts: Hosts, backwards: Names
) -> Generator[Ask, Heard, None]:
    for address in addresses:
        if hosts.name_of(address) is None:
            yield from backwards(Question(reverse(address.partition("%")[0]), "PTR"))


def _printed(name: str, outcome: Outcome) -> Outcome:
    if outcome.status is Status.FOUND:
        return Outcome(Status.FOUND, outcome.addresses, outcome.canonical, exit=0)
    return Outcome(outcome.status, text=f"nslookup: can't resolve '{name}'", exit=1)
