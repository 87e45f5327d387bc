"""A lookup for people: what is asked, what comes back and why, what would be cheaper."""

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from kubehop.dns.lookup.drive import Step
from kubehop.dns.lookup.protocol import Outcome, Silence, Status, Transport
from kubehop.dns.message import Kind, Reply
from kubehop.dns.names import fits
from kubehop.dns.outside import UNKNOWN_ADDRESS
from kubehop.model.cluster import Cluster
from kubehop.model.errors import printable
from kubehop.render.drawing import NO_BREAK, Style, bullets, draw, lines, text
from kubehop.trace.lookups import Answered, Prediction

if TYPE_CHECKING:
    from rich.console import RenderableType

NEVER = float("inf")
SHOWN_ADDRESSES = 4
ASSUMED = "found if it exists"
"""A name outside, of which nothing tells the address."""

COLOURS = {Status.FOUND: "green", Status.NO_DATA: "yellow"}
WORDS = {Kind.NODATA: "no data"}


def lookup_text(
    found: Prediction,
    cluster: Cluster,
    style: Style,
    *,
    assumptions: tuple[str, ...] = (),
    basis: bool = True,
) -> str:
    """The prediction, at most 100 columns wide; without `basis` what it rests on is left out.

    A wide one has every address.
    """
    parts: list[RenderableType] = [
        text(f"{found.name}, asked by {found.origin} with {found.resolver.title}", "bold"),
        text(verdict(found, wide=style.wide), COLOURS.get(found.outcome.status, "red")),
        "",
        *_files(found),
        *_queries(found, style.wide),
        *_nameservers(found),
    ]
    parts += _listed("Advice", tuple(advice.text for advice in found.advice))
    parts += _listed("Note", found.notes)
    parts += _basis(cluster, assumptions) if basis else []
    return draw(*parts, style=style)


def verdict(found: Prediction, *, wide: bool = False) -> str:
    """`found 10.43.0.1 (kubernetes.default.svc.cluster.local) with 4 queries, in no time`."""
    outcome = found.outcome
    what = str(outcome.status)
    if UNKNOWN_ADDRESS in outcome.addresses:
        what = f"{ASSUMED}: {outcome.canonical}"
    elif outcome.status is Status.FOUND:
        what = f"found {short(outcome.addresses, wide) or outcome.canonical}"
        if outcome.addresses and outcome.canonical:
            what += f" ({outcome.canonical})"
    elif outcome.text:
        what += f": {outcome.text.splitlines()[0]}"
    count = "1 query" if found.queries == 1 else f"{found.queries} queries"
    return f"{what}; {count}, {duration(found.seconds)}"


def duration(seconds: float) -> str:
    """`no waiting`, `15 s`, `for ever`."""
    if seconds == NEVER:
        return "for ever"
    return f"{seconds:g} s of waiting" if seconds else "no waiting"


def short(addresses: tuple[str, ...], wide: bool = False) -> str:
    """A few addresses, and how many more there are; all of them if `wide`."""
    if wide:
        return ", ".join(addresses)
    more = len(addresses) - SHOWN_ADDRESSES
    shown = ", ".join(addresses[:SHOWN_ADDRESSES])
    return f"{shown} and {more} more" if more > 0 else shown


def _files(found: Prediction) -> "list[RenderableType]":
    from rich.padding import Padding

    parts: list[RenderableType] = [text(f"/etc/resolv.conf ({found.files.why})", "bold")]
    parts += [Padding(text(line), (0, 2)) for line in found.files.resolv_conf.splitlines()]
    return parts


def _queries(found: Prediction, wide: bool) -> "list[RenderableType]":
    """The queries, those that are sent together in one entry."""
    from rich.table import Table

    if not found.steps:
        return ["", text(f"No query is sent: {_without_queries(found)}.")]
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column()
    number = 1
    several = len({step.step.query.server for step in found.steps}) > 1
    for group in _together(found.steps):
        last = number + len(group) - 1
        label = str(number) if last == number else f"{number}-{last}"
        grid.add_row(text(label, "dim"), _entry(group, several, wide))
        number = last + 1
    return ["", text("Queries", "bold"), grid]


def _without_queries(found: Prediction) -> str:
    if found.outcome.status is Status.FOUND:
        return "the name is an address, or stands in /etc/hosts"
    if fits(found.name) and not found.resolver.parse(found.files.resolv_conf, "").attempts:
        return "resolv.conf allows no attempt"
    return "this is no name that the resolver asks for"


def _together(steps: Iterable[Answered]) -> list[list[Answered]]:
    def key(one: Answered) -> tuple[object, ...]:
        query = one.step.query
        return query.question.name, query.server, query.transport, one.step.at, query.why

    return [list(group) for _, group in groupby(steps, key)]


def _entry(group: list[Answered], several: bool, wide: bool) -> "RenderableType":
    """The name and its answers; below it why it is asked, and why it is answered so."""
    first = group[0].step
    answers = _answers(group, wide)
    how = f" to {first.query.server}" if several else ""
    how += " over TCP" if first.query.transport is Transport.TCP else ""
    how += f" at {first.at:g} s" if first.at else ""
    reasons = dict.fromkeys((one.why, one.object) for one in group if one.why)
    said = [f"{first.query.question.name}{how}  {answers}", f"{first.query.why}"]
    said += [why for why, _ in reasons]
    content = lines("\n".join(map(printable, said)))
    content.stylize("dim", len(said[0]))
    for name in dict.fromkeys(name for _, name in reasons if name):
        content.append(f" [{printable(name)}]".replace(" ", NO_BREAK), "cyan")
    return content


def _answers(group: list[Answered], wide: bool) -> str:
    """`A, AAAA: NXDOMAIN` or `A: 10.43.0.1, AAAA: no data`."""
    told: dict[str, list[str]] = {}
    for one in group:
        told.setdefault(_answer(one.step, wide), []).append(one.step.query.question.type)
    return "; ".join(f"{', '.join(types)}: {answer}" for answer, types in told.items())


def _answer(step: Step, wide: bool) -> str:
    result = step.result
    if not isinstance(result, Reply):
        no_connection = f"no connection in {step.after:g} s" if step.after else "refused"
        return no_connection if result is Silence.UNREACHABLE else "silence"
    late = f" after {step.after:g} s" if step.after else ""
    if result.truncated:
        return f"truncated after {len(result.answer)} records{late}"
    if result.kind is Kind.ANSWER:
        return short(tuple(record.data for record in result.answer), wide) + late
    return WORDS.get(result.kind, result.kind.value) + late


def _nameservers(found: Prediction) -> "list[RenderableType]":
    told = tuple(
        f"{met.address}: {met.answers}; {met.what}"
        + (f" ({met.why})" if met.why else "")
        + (f" [{met.object}]" if met.object else "")
        for met in found.nameservers
    )
    return _listed("Nameservers", tuple(dict.fromkeys(told)))


def _basis(cluster: Cluster, assumptions: tuple[str, ...]) -> "list[RenderableType]":
    assumed = (*cluster.assumptions, *assumptions)
    return [
        *_listed("Assumed, because the input does not say", assumed),
        *_listed("Unknown", cluster.unknown),
    ]


def _listed(title: str, items: tuple[str, ...]) -> "list[RenderableType]":
    listed = bullets(title, items)
    return ["", *listed] if listed else []


def comparison_text(
    found: tuple[Prediction, ...],
    cluster: Cluster,
    style: Style,
    *,
    assumptions: tuple[str, ...] = (),
) -> str:
    """One line for each resolver."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("RESOLVER", "QUERIES", "WAITING", "OUTCOME"):
        table.add_column(heading, justify="right" if heading == "QUERIES" else "left")
    for one in found:
        waiting = "for ever" if one.seconds == NEVER else f"{one.seconds:g} s"
        table.add_row(
            text(one.resolver.name),
            text(str(one.queries)),
            text(waiting),
            text(_outcome(one.outcome), COLOURS.get(one.outcome.status, "red")),
        )
    first = found[0]
    parts: list[RenderableType] = [
        text(f"{first.name}, asked by {first.origin}", "bold"),
        "",
        *_files(first),
        "",
        table,
    ]
    parts += [*_listed("Note", first.notes), *_basis(cluster, assumptions)]
    return draw(*parts, style=style)


def _outcome(outcome: Outcome) -> str:
    """`found: 10.43.0.1`, `try again: Temporary failure in name resolution`."""
    if UNKNOWN_ADDRESS in outcome.addresses:
        return ASSUMED
    first, *_ = outcome.text.splitlines() or [""]
    what = short(outcome.addresses) or first
    return f"{outcome.status}: {what}" if what else str(outcome.status)
