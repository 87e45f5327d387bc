"""A lookup predicted and observed, side by side."""

from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Any

from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.render.drawing import Style, bullets, draw, text

if TYPE_CHECKING:
    from rich.console import RenderableType

Raw = dict[str, Any]


def lookup_comparison_text(answer: Raw, style: Style) -> str:
    """The text of a value of kind LookupComparison (docs/json.md)."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for title in ("", "PREDICTED", "OBSERVED"):
        table.add_column(title, overflow="fold", no_wrap=not title)
    told = [_lines(answer[which]) for which in ("predicted", "observed")]
    for left, right in zip_longest(*told, fillvalue=("", "")):
        colour = "" if left == right or left[0] == "DNS pod" else "red"
        table.add_row(left[0] or right[0], text(left[1]), text(right[1], colour))
    resolver = RESOLVERS[answer["resolver"]].title
    head = f"{answer['name']}, asked by {answer['from']} with {resolver}"
    parts: list[RenderableType] = [text(head, "bold"), table, _verdict(answer)]
    parts += bullets("Note", tuple(answer["notes"]))
    return draw(*parts, style=style)


def _lines(lookup: Raw) -> list[tuple[str, str]]:
    """What it came to, which pods were asked, and the queries, a name in a line."""
    found = ", ".join(lookup["addresses"])
    return [
        ("outcome", f"{lookup['outcome']} {found}".rstrip()),
        ("DNS pod", " or ".join(lookup["dnsPods"]) or "none"),
        *(("query", line) for line in _queries(lookup["queries"])),
    ]


def _queries(queries: list[Raw]) -> list[str]:
    """`example.com. A, AAAA`: those of one name that come after each other in one line."""
    runs = groupby(queries, key=lambda query: query["name"])
    return [f"{name} {', '.join(sorted(map(_type, run)))}" for name, run in runs]


def _type(query: Raw) -> str:
    return f"{query['type']}{' over TCP' if query['transport'] == 'tcp' else ''}"


def _verdict(answer: Raw) -> "RenderableType":
    if answer["agrees"]:
        return text("prediction and lookup agree", "green")
    return text("DIFFERS: " + "; ".join(answer["disagreements"]), "red")
