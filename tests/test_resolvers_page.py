"""The table in docs/resolvers.md is what the code says; KUBEHOP_UPDATE=1 writes it anew."""

import os
from pathlib import Path

from kubehop import example
from kubehop.dns.lookup.protocol import Status
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.settings import DNSSettings
from kubehop.trace.lookups import Names
from kubehop.trace.questions import parse_origin

PAGE = Path(__file__).parents[1] / "docs" / "resolvers.md"
BEGIN, END = "<!-- table -->\n\n", "\n<!-- end -->"
ASKED = (
    "whoami",
    "whoami.default",
    "whoami.default.svc.cluster.local",
    "whoami.default.svc.cluster.local.",
    "example.com",
    "example.com.",
    "busybox",
    "nosuch",
)


def table() -> str:
    """A row for each resolver, a column for each name."""
    cluster = example.cluster()
    names, start = (
        Names(cluster, DNSSettings()),
        parse_origin(cluster, "pod/busybox", "default"),
    )
    head = f"| `--resolver` | is | {' | '.join(f'`{name}`' for name in ASKED)} |\n"
    rows = [head, f"|{'---|' * (len(ASKED) + 2)}\n"]
    for resolver in RESOLVERS.values():
        found = (names.lookup(name, start, resolver) for name in ASKED)
        counts = (
            f"{one.queries}{'' if one.outcome.status is Status.FOUND else ' -'}" for one in found
        )
        rows.append(f"| `{resolver.name}` | {resolver.title} | {' | '.join(counts)} |\n")
    return "".join(rows)


def test_the_page_shows_what_the_code_says() -> None:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    shown, after = rest.split(END)
    if os.environ.get("KUBEHOP_UPDATE"):
        PAGE.write_text(f"{before}{BEGIN}{table()}{END}{after}")
        return
    assert shown == table(), "KUBEHOP_UPDATE=1 pytest tests/test_resolvers_page.py writes it anew"
