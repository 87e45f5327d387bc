"""Whatever is asked, with whatever files: a prediction comes out, and can be printed."""

import json
from unicodedata import category

from hypothesis import given
from hypothesis import strategies as st

from kubehop import example
from kubehop.dns.lookup.resolvers import RESOLVERS, Resolver
from kubehop.dns.outside import Mood
from kubehop.dns.settings import DNSSettings
from kubehop.model.errors import InputError
from kubehop.render.drawing import Style
from kubehop.render.json_common import dumps
from kubehop.render.lookup_json import lookup_json
from kubehop.render.lookup_text import lookup_text
from kubehop.trace.lookups import Names
from kubehop.trace.questions import parse_origin

NOTES = example.cluster()
PARTS = st.sampled_from(
    [
        *("whoami", "default", "svc", "cluster", "local", "pod", "com", "", "*", "_http", "_tcp"),
        *("10-42-0-2", "10.42.0.8", "fd00::1", "0x7f.1", "in-addr", "arpa", "b" * 63, "c" * 64),
        *("\\", "%eth0", "\x1b", "\n", " ", "-", '"', "localhost", "busybox", "\0"),
    ]
)
WRITTEN = st.lists(PARTS, max_size=7).map(".".join)
ASCII = st.text(st.characters(max_codepoint=127), max_size=80)
WORDS = st.sampled_from(
    [
        *("10.43.0.10", "203.0.113.53", "::1", "fe80::1%eth0", "x", "10.43.9.9", "127.0.0.53"),
        *("0.0.0.0", "a.b", ".", "..", "d" * 300, "ndots:0", "ndots:99", "rotate", "use-vc"),
        *("timeout:0", "timeout:-1", "attempts:x", "attempts:5", "single-request", "edns0"),
        *("no-tld-query", "no-aaaa"),
    ]
)
KEYWORDS = st.sampled_from(("nameserver", "search", "options", "domain", "sortlist", "#", ""))
LINES = st.tuples(KEYWORDS, st.lists(WORDS, max_size=4)).map(
    lambda line: " ".join((line[0], *line[1]))
)
FILES = st.lists(LINES, max_size=5).map("\n".join)


@given(
    name=WRITTEN | ASCII,
    resolver=st.sampled_from(list(RESOLVERS.values())),
    origin=st.sampled_from(
        (None, "pod/busybox", "pod/coredns.kube-system", "node/node-1", "external")
    ),
    node_file=st.none() | FILES,
    mood=st.sampled_from(Mood),
)
def test_there_is_always_a_prediction(
    name: str, resolver: Resolver, origin: str | None, node_file: str | None, mood: Mood
) -> None:
    names = Names(NOTES, DNSSettings(node_resolv_conf=node_file, mood=mood))
    start = parse_origin(NOTES, origin, "default") if origin else None
    try:
        found = names.lookup(name, start, resolver)
    except InputError:  # a resolv.conf that CoreDNS refuses
        return
    text = lookup_text(found, NOTES, Style(colour=False, wide=False), assumptions=names.assumptions)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert not {char for char in text if category(char) == "Cc"} - {"\n"}
    shown = dumps(lookup_json(found, NOTES, names.assumptions))
    json.loads(shown, parse_constant=_refused)


def _refused(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")
