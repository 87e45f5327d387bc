"""resolv.conf as each family reads it, one line per case; each follows the source named there."""

import pytest

from kubehop.dns.resolv import bind, busybox, cares, dnspython, glibc, golang, musl
from kubehop.dns.resolv.values import Option, Parser, ResolvConf

PARSERS: dict[str, Parser] = {
    "glibc": glibc.parse,
    "musl": musl.parse,
    "go": golang.parse,
    "c-ares": cares.parse,
    "c-ares-1.18": cares.parse_1_18,
    "node": cares.parse_node,
    "busybox": busybox.parse,
    "busybox-1.29": busybox.parse_1_29,
    "bind": bind.parse,
    "dnspython": dnspython.parse,
}
NS = "nameserver 10.43.0.10\n"
A63, B63 = "a" * 63, "b" * 63


def parsed(family: str, text: str, hostname: str = "") -> ResolvConf:
    return PARSERS[family](text, hostname)


NAMESERVERS = (
    # family, text, nameservers
    ("glibc", "", ("127.0.0.1",)),
    ("musl", "", ("127.0.0.1",)),
    ("go", "", ("127.0.0.1", "::1")),
    ("c-ares", "", ("127.0.0.1",)),
    ("busybox", "", ("127.0.0.1",)),
    ("bind", "", ("::1", "127.0.0.1")),
    # Three at most, but for c-ares, busybox and dnspython.
    *(
        (f, "".join(f"nameserver 10.0.0.{i}\n" for i in range(1, 6)), n)
        for f, n in (
            ("glibc", ("10.0.0.1", "10.0.0.2", "10.0.0.3")),
            ("musl", ("10.0.0.1", "10.0.0.2", "10.0.0.3")),
            ("go", ("10.0.0.1", "10.0.0.2", "10.0.0.3")),
            ("bind", ("10.0.0.1", "10.0.0.2", "10.0.0.3")),
            ("c-ares", ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5")),
            ("busybox-1.29", ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5")),
            ("dnspython", ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5")),
        )
    ),
    # inet_aton() takes more than four decimal parts.
    ("glibc", "nameserver 127.1\nnameserver 0x7f000002\n", ("127.0.0.1", "127.0.0.2")),
    ("musl", "nameserver 127.1\n", ("127.0.0.1",)),
    ("go", "nameserver 127.1\nnameserver 10.0.0.1\n", ("10.0.0.1",)),
    ("c-ares", "nameserver 127.1\nnameserver 10.0.0.1\n", ("10.0.0.1",)),
    # Zones.
    *((f, "nameserver fe80::1%eth0\n", ("fe80::1%eth0",)) for f in ("glibc", "musl", "go", "bind")),
    ("c-ares", "nameserver [fe80::1]:53%eth0\n", ("fe80::1%eth0",)),
    ("c-ares", "nameserver 10.0.0.1, 10.0.0.2\n", ("10.0.0.1", "10.0.0.2")),
    # What follows, what stands before.
    ("glibc", "nameserver 10.0.0.1 # first\n", ("10.0.0.1",)),
    ("musl", "nameserver\t10.0.0.1 # first\n", ("10.0.0.1",)),
    ("busybox", "nameserver 10.0.0.1 # first\n", ("10.0.0.1",)),
    ("glibc", " nameserver 10.0.0.1\n", ("127.0.0.1",)),
    ("musl", " nameserver 10.0.0.1\n", ("127.0.0.1",)),
    ("go", " nameserver 10.0.0.1\n", ("10.0.0.1",)),
    ("bind", "\tnameserver 10.0.0.1\n", ("10.0.0.1",)),
    ("c-ares", " nameserver 10.0.0.1\n", ("10.0.0.1",)),
    ("glibc", "nameserver 10.0.0.1", ("10.0.0.1",)),
    ("bind", "nameserver 0.0.0.0\n", ("127.0.0.1",)),
    ("c-ares-1.18", "nameserver 10.0.0.1 ; first\n", ("10.0.0.1",)),
)


@pytest.mark.parametrize(("family", "text", "expected"), NAMESERVERS)
def test_nameservers(family: str, text: str, expected: tuple[str, ...]) -> None:
    assert parsed(family, text).nameservers == expected


LAST_WINS = "search a.example b.example\nsearch c.example\n"
SEARCHES = (
    # family, text, search
    *((f, LAST_WINS, ("c.example",)) for f in PARSERS if f not in ("go", "busybox-1.29")),
    ("go", LAST_WINS, ("c.example.",)),
    ("busybox-1.29", LAST_WINS, ()),
    # `domain` is a list of one, and the later of the two wins, but not everywhere.
    ("glibc", "search a.example\ndomain d.example\n", ("d.example",)),
    ("musl", "search a.example\ndomain d.example\n", ("d.example",)),
    ("go", "search a.example\ndomain d.example\n", ("d.example.",)),
    ("bind", "search a.example\ndomain d.example\n", ("d.example",)),
    ("dnspython", "search a.example\ndomain d.example\n", ("d.example",)),
    ("c-ares", "search a.example\ndomain d.example\n", ("a.example",)),
    ("c-ares-1.18", "search a.example\ndomain d.example\n", ("d.example",)),
    ("busybox", "search a.example\ndomain d.example\n", ("a.example",)),
    ("busybox", "domain d.example\nsearch a.example\n", ("a.example",)),
    # An empty one: kept by glibc, emptied by musl.
    ("glibc", "search a.example\nsearch\n", ("a.example",)),
    ("glibc", "search a.example\nsearch \n", ("a.example",)),
    ("musl", "search a.example\nsearch\n", ()),
    ("go", "search a.example\nsearch\n", ()),
    # Dots.
    ("go", "search a.example. .\n", ("a.example.",)),
    ("glibc", "search a.example. .\n", ("a.example.", ".")),
    ("busybox", "search .\n", ()),
    ("busybox", "search  a.example\n", ("", "a.example")),
    # Length.
    ("bind", f"search {' '.join(f'd{i}' for i in range(12))}\n", tuple(f"d{i}" for i in range(8))),
    (
        "glibc",
        f"search {' '.join(f'd{i}' for i in range(40))}\n",
        tuple(f"d{i}" for i in range(40)),
    ),
    ("c-ares", f"search {'x' * 511}\n", ("x" * 511,)),
    ("c-ares", f"search {'x' * 512}\n", ()),
    ("c-ares", "search a.example A.EXAMPLE, b.example\n", ("a.example", "b.example")),
    # Keywords are whole words, comments begin in the first column.
    ("glibc", "searches a.example\n", ()),
    ("glibc", "#search a.example\n;search b.example\n", ()),
    ("musl", "#search a.example\n", ()),
    ("c-ares", "#search a.example\n", ()),
    ("bind", "search a.example # b.example\n", ("a.example",)),
    ("glibc", "search a.example # b.example\n", ("a.example", "#", "b.example")),
)


@pytest.mark.parametrize(("family", "text", "expected"), SEARCHES)
def test_search(family: str, text: str, expected: tuple[str, ...]) -> None:
    assert parsed(family, NS + text).search == expected


def test_musl_ignores_a_line_of_255_octets_whole() -> None:
    domain = f"{A63}.{B63}.{A63}.{B63[:55]}"
    assert len(f"search {domain}") == 254
    assert parsed("musl", f"search {domain}\n").search == (domain,)
    longer = parsed("musl", f"search {domain}x\n")
    assert longer.search == ()
    assert str(longer.notes[0]) == "line 1: musl ignores this line whole: 255 octets long"


NUMBERS = (
    # family, options, ndots, timeout, attempts
    ("glibc", "ndots:3 timeout:2 attempts:4", 3, 2, 4),
    ("glibc", "ndots:99 timeout:99 attempts:99", 15, 30, 5),
    ("glibc", "ndots:x timeout: attempts:-1", 0, 0, -1),
    ("glibc", "ndots:-1", 15, 5, 2),
    ("glibc", "xndots:3", 1, 5, 2),
    ("musl", "ndots:3 timeout:2 attempts:4", 3, 2, 4),
    ("musl", "ndots:99 timeout:99 attempts:99", 15, 60, 10),
    ("musl", "ndots:x timeout:.5 attempts:-1", 1, 5, 2),
    ("musl", "xndots:3", 3, 5, 2),
    ("go", "ndots:3 timeout:2 attempts:4", 3, 2, 4),
    ("go", "ndots:99 timeout:99 attempts:99", 15, 99, 99),
    ("go", "ndots:x timeout:0 attempts:0", 0, 1, 1),
    ("c-ares", "ndots:3 timeout:2 attempts:4", 3, 2, 4),
    ("c-ares", "ndots:99 timeout:0 attempts:0", 99, 2, 3),
    ("c-ares", "retrans:7 retry:8 ndots:x", 1, 7, 8),
    ("c-ares-1.18", "ndots:3 timeout:2 attempts:4", 3, 5, 4),
    ("c-ares-1.18", "ndots:3 ndots:4 retrans:7000 retry:8", 3, 7, 8),
    ("node", "ndots:3 timeout:3 attempts:9", 3, 3, 4),
    ("busybox", "ndots:3 timeout:2 attempts:4", 1, 5, 2),
    ("bind", "ndots:3 timeout:2 attempts:4", 3, 2, 4),
    ("bind", "attempts:0", 1, 0, 3),
    ("dnspython", "ndots:3 timeout:1 attempts:4", 3, 1, 2),
)


@pytest.mark.parametrize(("family", "options", "ndots", "timeout", "attempts"), NUMBERS)
def test_numbers(family: str, options: str, ndots: int, timeout: int, attempts: int) -> None:
    conf = parsed(family, f"{NS}options {options}\n")
    assert (conf.ndots, conf.timeout, conf.attempts) == (ndots, timeout, attempts)


FLAGS: tuple[tuple[str, str, set[str]], ...] = (
    (
        "glibc",
        "rotate edns0 trust-ad no-reload no-aaaa",
        {"rotate", "edns0", "trust-ad", "no-reload", "no-aaaa"},
    ),
    ("glibc", "single-request", {"single-request"}),
    ("glibc", "single-request-reopen", {"single-request-reopen"}),
    ("glibc", "no_tld_query rotate-not inet6", {"no-tld-query", "rotate"}),
    ("musl", "rotate use-vc edns0", set()),
    ("go", "single-request-reopen use-vc", {"single-request", "use-vc"}),
    ("go", "usevc tcp rotate edns0 trust-ad", {"use-vc", "rotate", "edns0", "trust-ad"}),
    ("c-ares", "rotate use-vc edns0 single-request", {"rotate"}),
    ("node", "rotate use-vc", {"rotate", "use-vc"}),
    ("dnspython", "rotate edns0 use-vc", {"rotate", "edns0"}),
    ("bind", "rotate", set()),
)


@pytest.mark.parametrize(("family", "options", "expected"), FLAGS)
def test_flags(family: str, options: str, expected: set[str]) -> None:
    conf = parsed(family, f"{NS}options {options}\n")
    assert conf.options == {Option(name) for name in expected}


UNUSABLE = (
    ("bind", "nameserver 10.0.0.1 10.0.0.2\n"),
    ("bind", "nameserver 10.0.0.300\n"),
    ("bind", "search\n"),
    ("bind", "options ndots:300\n"),
    ("bind", "options ndots:x\n"),
    ("bind", "options\n"),
    ("busybox", "nameserver fd00::1 # first\n"),
    ("busybox", "nameserver dns.example\n"),
    ("dnspython", "search a.example\n"),
)


@pytest.mark.parametrize(("family", "text"), UNUSABLE)
def test_a_program_that_refuses_the_file_says_so(family: str, text: str) -> None:
    assert parsed(family, text).unusable


def test_the_hostname_stands_in_for_a_search_list() -> None:
    """As it is when setHostnameAsFQDN is set; not for musl and BIND's tools."""
    host = "web-0.web.default.svc.cluster.local"
    found = {family: parsed(family, NS, host).search for family in PARSERS}
    domain = ("web.default.svc.cluster.local",)
    assert found == {
        "glibc": domain,
        "musl": (),
        "go": ("web.default.svc.cluster.local.",),
        "c-ares": domain,
        "c-ares-1.18": domain,
        "node": domain,
        "busybox": domain,
        "busybox-1.29": (),
        "bind": (),
        "dnspython": domain,
    }


NOTES = (
    ("glibc", NS * 4, "line 4: only 3 nameservers are used: 10.43.0.10 is never asked"),
    ("glibc", LAST_WINS, "line 2: replaces the search list a.example b.example: the last one wins"),
    ("glibc", "options ndots:99\n", "line 1: ndots:99 is cut to 15"),
    ("glibc", "options inet6\n", "line 1: glibc does not know the option 'inet6'"),
    (
        "glibc",
        f"search {' '.join('abcdefgh')}\n",
        "glibc before 2.26 uses only the first 6 search domains",
    ),
    ("musl", f"search {'x' * 293}\n", "line 1: musl ignores this line whole: 300 octets long"),
    ("musl", "options rotate\n", "line 1: musl does not know the option 'rotate'"),
    (
        "go",
        "options no-tld-query\n",
        "line 1: 'no-tld-query' is unknown: a program built with cgo asks libc",
    ),
    (
        "c-ares",
        "options use-vc\n",
        "line 1: c-ares reads 'use-vc' and forgets it: UDP is used all the same",
    ),
    ("busybox", "options ndots:5\n", "line 1: busybox nslookup knows no option: line ignored"),
    ("bind", f"search {' '.join('abcdefghi')}\n", "line 1: only 8 search domains are used"),
)


@pytest.mark.parametrize(("family", "text", "note"), NOTES)
def test_notes_say_what_is_left_out(family: str, text: str, note: str) -> None:
    assert note in [str(one) for one in parsed(family, text).notes]
