"""All Services in a table: one line each, with the figures that tell them apart."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.render.drawing import Style, draw, percent, text
from kubehop.service.spread import Spread, spreads

if TYPE_CHECKING:
    from rich.console import RenderableType

COLUMNS = (
    "NAMESPACE",
    "NAME",
    "TYPE",
    "PORT",
    "POLICY",
    "READY",
    "IMBALANCE",
    "2ND HOP",
    "LOST",
)


def service_list(cluster: Cluster, services: Iterable[Service], style: Style) -> str:
    """A line for every port of every Service; LOST is the share that nobody answers."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for title in COLUMNS:
        table.add_column(title, overflow="fold", no_wrap=title in ("TYPE", "PORT"))
    for service in services:
        for cells in _lines(cluster, service):
            table.add_row(*map(text, cells))
    parts: list[RenderableType] = [table]
    return draw(*parts, style=style)


def _lines(cluster: Cluster, service: Service) -> list[tuple[str, ...]]:
    name = (service.namespace, service.name, service.spec.type)
    answers = spreads(cluster, service)
    if not answers:
        policy = "headless" if service.headless else "-"
        return [(*name, "-", policy, "-", "-", "-", "-")]
    return [(*name, *_figures(spread)) for spread in answers]


def _figures(spread: Spread) -> tuple[str, ...]:
    spec, balance = spread.service.spec, spread.balance
    policies = [
        f"{word} Local"
        for word, policy in (
            ("external", spec.external_traffic_policy),
            ("internal", spec.internal_traffic_policy),
        )
        if policy == "Local"
    ]
    imbalance = balance.imbalance
    return (
        f"{spread.port.port}/{spread.port.protocol}",
        ", ".join(policies) or "Cluster",
        str(len(spread.usable.ready)),
        "-" if imbalance is None else f"{float(imbalance):.2f}",
        percent(balance.second_hop),
        percent(balance.unanswered),
    )
