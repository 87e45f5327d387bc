"""A Service today and after a change, side by side, for people."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from kubehop.model.cluster import Cluster
from kubehop.render.drawing import Style, bullets, draw, lines, percent, text
from kubehop.render.service_text import (
    CLIENTS,
    VIA,
    by_client,
    cells,
    foot,
    imbalance,
    port_title,
    title,
)
from kubehop.service.frontends import FrontendKind
from kubehop.service.spread import Balance, Client, Spread
from kubehop.service.warnings import join_names, listing, warnings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

Side = tuple[Cluster, tuple[Spread, ...]]
Outcomes = dict[tuple[Client, FrontendKind], dict[str, str]]
"""What a client gets through a kind of frontend, by node."""

ABSENT = "no such address"


def change_text(before: Side, after: Side, changes: tuple[str, ...], style: Style) -> str:
    """The same Service today and after `changes`: who answers, then the figures."""
    parts: list[RenderableType] = [
        text(title(before[1][0].service), "bold"),
        text(f"today, and with {', '.join(changes)}"),
    ]
    for today in before[1]:
        then = next((s for s in after[1] if _same_port(s, today)), None)
        parts += ["", text(port_title(before[0], today), "bold")]
        parts += [_comparison(today, then), ""]
        parts += [_figures(today.balance, then.balance if then else None)]
        if then is not None:
            parts += bullets("Beware, after the change", warnings(after[0], then))
    return draw(*parts, *foot(before[0]), style=style)


def _same_port(one: Spread, other: Spread) -> bool:
    return one.port.key == other.port.key and one.family is other.family


def _comparison(today: Spread, then: Spread | None) -> "Table":
    """Side by side; what stays the same is put together."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for heading in ("CLIENT", "VIA", "ENTRY NODE", "TODAY", "AFTER"):
        table.add_column(heading, overflow="fold")
    for client, via, pairs in _joined(_outcomes(today), _outcomes(then) if then else {}):
        grouped: dict[tuple[str, str], list[str]] = {}
        for node, pair in pairs.items():
            grouped.setdefault(pair, []).append(node)
        for (left, right), nodes in grouped.items():
            shown = "the same" if left == right else right
            names = listing(sorted(nodes), len(nodes))
            table.add_row(*map(lines, (CLIENTS[client], via, names, left, shown)))
    return table


Pairs = dict[str, tuple[str, str]]


def _joined(before: Outcomes, after: Outcomes) -> Iterable[tuple[Client, str, Pairs]]:
    """Frontends through which a client gets the same everywhere, today and then, together."""
    found: dict[tuple[Client, tuple[tuple[str, tuple[str, str]], ...]], list[str]] = {}
    for client, kind in dict.fromkeys((*before, *after)):
        left, right = (side.get((client, kind), {}) for side in (before, after))
        pairs = {
            node: (left.get(node, ABSENT), right.get(node, ABSENT))
            for node in dict.fromkeys(chain(left, right))
        }
        found.setdefault((client, tuple(pairs.items())), []).append(VIA[kind])
    return [(client, ",\n".join(via), dict(pairs)) for (client, pairs), via in found.items()]


def _outcomes(spread: Spread) -> Outcomes:
    found: Outcomes = {}
    for key, rows in by_client(spread.rows).items():
        for row in rows:
            answered, hop, kept = cells(row, spread)
            shown = answered if hop == "-" else f"{answered}\nsecond hop {hop}, IP {kept}"
            found.setdefault(key, {}).update(dict.fromkeys(row.nodes.names, shown))
    return found


def _figures(today: Balance, then: Balance | None) -> "Table":
    """The figures of both sides, for the clients that count."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    whose = "outside" if today.client is Client.EXTERNAL else "pods"
    for heading in (f"FIGURE ({whose})", "TODAY", "AFTER"):
        table.add_column(heading)
    figures = (
        ("imbalance, largest share over fair share", imbalance),
        ("second hop", lambda b: percent(b.second_hop)),
        ("client address kept", lambda b: percent(b.client_kept)),
        ("unanswered", lambda b: percent(b.unanswered)),
        ("entry nodes", lambda b: join_names(b.entry) or "none"),
    )
    for heading, figure in figures:
        table.add_row(heading, text(figure(today)), text(figure(then) if then else "-"))
    return table
