"""A trace for people: one tree per fate, likely ones first."""

from fractions import Fraction
from typing import TYPE_CHECKING

from kubehop.model.addresses import socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.errors import printable
from kubehop.render.drawing import NO_BREAK, Style, bullets, draw, lines, percent, text
from kubehop.render.lookup_text import verdict
from kubehop.trace.values import Fate, Hop, Trace, Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType

DEFAULT = "glibc"
DRAWN = 4
"""Fates drawn hop by hop; the rest get one line each, and `-o wide` draws all."""

COLOURS = {
    Verdict.DELIVERED: "green",
    Verdict.DROPPED: "red",
    Verdict.REJECTED: "red",
    Verdict.UNROUTED: "yellow",
    Verdict.UNRESOLVED: "red",
}


SEEN = {
    "client": "the client's own address",
    "node": "a node's address",
    "tunnel": "a node's tunnel address",
    "gateway": "the node's side of the pod's network",
    "loadbalancer": "the load balancer's address",
    "unknown": "an address of the node that sent it on",
}


def trace_text(
    answer: Trace,
    cluster: Cluster,
    style: Style,
    *,
    basis: bool = True,
    assumptions: tuple[str, ...] = (),
) -> str:
    """The answer, at most 100 columns wide; without `basis` what it rests on is left out.

    `assumptions` about names come on top of the cluster's.
    """
    parts: list[RenderableType] = [
        text(f"{answer.origin} -> {answer.target} ({answer.protocol})", "bold"),
        text(_summary(answer)),
    ]
    if answer.lookup:
        parts += ["", text(f"{answer.lookup.name}: {verdict(answer.lookup)}")]
        resolve = f"kubehop resolve {answer.lookup.name} --from {answer.origin}"
        if answer.lookup.resolver.name != DEFAULT:
            resolve += f" --resolver {answer.lookup.resolver.name}"
        parts.append(text(f"({resolve} shows each query)", "dim"))
    drawn = answer.fates if style.wide else answer.fates[:DRAWN]
    for fate in drawn:
        parts += ["", _tree(fate)]
    rest = answer.fates[len(drawn) :]
    if rest:
        parts += ["", *bullets(f"{len(rest)} more fates (-o wide draws them)", _short(rest))]
    parts += _foot(answer, cluster, assumptions) if basis else []
    return draw(*parts, style=style)


def _foot(answer: Trace, cluster: Cluster, assumptions: tuple[str, ...]) -> "list[RenderableType]":
    foot: list[RenderableType] = []
    for title, items in (
        ("Note", answer.notes),
        ("Assumed, because the input does not say", (*cluster.assumptions, *assumptions)),
        ("Unknown", cluster.unknown),
    ):
        found = bullets(title, items)
        foot += ["", *found] if found else []
    return foot


def _summary(answer: Trace) -> str:
    """`100% delivered; client address kept in 50%; second hop in 50%`."""
    parts = [
        f"{percent(share)} {verdict}"
        for verdict in Verdict
        if (share := answer.probability(verdict))
    ]
    delivered = [f for f in answer.fates if f.verdict is Verdict.DELIVERED]
    if delivered:
        kept = sum((f.probability for f in delivered if f.client_address_kept), Fraction(0))
        crossing = sum((f.probability for f in delivered if f.node_crossings), Fraction(0))
        parts.append(f"client address kept in {percent(kept)}")
        parts.append(f"node crossing in {percent(crossing)}")
    return "; ".join(parts)


def _tree(fate: Fate) -> "RenderableType":
    from rich.tree import Tree

    tree = Tree(lines(_headline(fate)), guide_style="dim")
    tree.label.stylize(COLOURS[fate.verdict], 0, len(_first(fate)))  # type: ignore[union-attr]
    for hop in fate.hops:
        tree.add(_hop(hop))
    return tree


def _first(fate: Fate) -> str:
    where = ""
    if fate.endpoint:
        address = socket_address(fate.endpoint.address, fate.endpoint.port)
        where = f" to {fate.endpoint.pod or address}"
        where += f" on {fate.endpoint.node}" if fate.endpoint.node else ""
    return f"{percent(fate.probability)} {fate.verdict}{where}"


def _headline(fate: Fate) -> str:
    """The outcome, and below it what the other side sees."""
    facts = []
    if fate.verdict is Verdict.DELIVERED:
        facts.append(_sees(fate))
        facts.append(f"node crossings: {fate.node_crossings}")
    if not fate.reply_returns:
        facts.append("THE ANSWER IS LOST: it goes straight to the sender")
    if len(fate.entry_nodes) > 1:
        facts.append(f"by any of {len(fate.entry_nodes)} entry nodes")
    return _first(fate) + ("\n" + "; ".join(facts) if facts else "")


def _sees(fate: Fate) -> str:
    """`sees 192.168.0.11, a node's address`."""
    if fate.source_seen is None:
        return f"sees {SEEN[fate.source_is.value]} (which, the objects do not tell)"
    return f"sees {fate.source_seen}, {SEEN[fate.source_is.value]}"


def _hop(hop: Hop) -> "RenderableType":
    """`node-1 service  what` and below it the reason and the object responsible."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=8)
    grid.add_column(min_width=13)
    grid.add_column()
    content = lines(f"{hop.what}\n{hop.why}" if hop.why else hop.what)
    content.stylize("dim", len(hop.what))
    if hop.object and hop.stage != "origin":
        content.append(f" [{printable(hop.object)}]".replace(" ", NO_BREAK), "cyan")
    grid.add_row(text(hop.node or "outside", "bold"), text(hop.stage), content)
    return grid


def _short(fates: tuple[Fate, ...]) -> tuple[str, ...]:
    listed = tuple(
        f"{_first(fate)}, {_sees(fate)}"
        if fate.verdict is Verdict.DELIVERED
        else f"{_first(fate)}: {fate.hops[-1].why}"
        for fate in fates[:12]
    )
    hidden = len(fates) - len(listed)
    return (*listed, f"and {hidden} more") if hidden else listed
