"""The spread of a Service for people: who answers, from where, with which share."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.render.drawing import Style, bullets, draw, lines, percent, text
from kubehop.service.classes import NodeClass
from kubehop.service.decide import Action
from kubehop.service.endpoints import Endpoint
from kubehop.service.frontends import FrontendKind, frontends
from kubehop.service.spread import Balance, Client, Row, Spread
from kubehop.service.warnings import join_names, warnings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

CLIENTS = {Client.EXTERNAL: "outside", Client.POD: "pod", Client.NODE: "node"}
VIA = {
    FrontendKind.CLUSTER_IP: "cluster IP",
    FrontendKind.EXTERNAL_IP: "external IP",
    FrontendKind.LOAD_BALANCER: "load balancer",
    FrontendKind.NODE_PORT: "node port",
}
ANSWER = {Action.DROP: "nobody: dropped, times out", Action.REJECT: "nobody: refused at once"}
LISTED = 3
"""Endpoints named one by one in a cell; more are counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what several nodes, or frontends, have in common."""

    client: str
    via: str
    nodes: str
    answered: str
    second_hop: str
    kept: str


def service_text(cluster: Cluster, answers: tuple[Spread, ...], style: Style) -> str:
    """The answer for a Service as it is; ports that are answered alike share their lines."""
    parts: list[RenderableType] = [text(title(answers[0].service), "bold")]
    alike: dict[object, list[Spread]] = {}
    for spread in answers:
        key = (*spread_lines(spread), *_balance_lines(spread), *warnings(cluster, spread))
        alike.setdefault(key, []).append(spread)
    for spreads in alike.values():
        parts += ["", *(text(port_title(cluster, spread), "bold") for spread in spreads)]
        parts += ["", _table(spread_lines(spreads[0])), ""]
        parts += map(text, _balance_lines(spreads[0]))
        parts += bullets("Beware", warnings(cluster, spreads[0]))
    return draw(*parts, *foot(cluster), style=style)


def foot(cluster: Cluster) -> "list[RenderableType]":
    """What the answer rests on besides the objects."""
    foot: list[RenderableType] = []
    for heading, items in (
        ("Assumed, because the input does not say", cluster.assumptions),
        ("Unknown", cluster.unknown),
    ):
        found = bullets(heading, items)
        foot += ["", *found] if found else []
    return foot


def title(service: Service) -> str:
    """The Service and what its fields say about traffic."""
    spec = service.spec
    facts = [f"Service {service.namespace}/{service.name}", spec.type]
    if any(f.kind.external for f in frontends(service)):
        facts.append(f"externalTrafficPolicy {spec.external_traffic_policy or 'Cluster'}")
    if spec.internal_traffic_policy == "Local":
        facts.append("internalTrafficPolicy Local")
    if spec.traffic_distribution:
        facts.append(f"trafficDistribution {spec.traffic_distribution}")
    if service.affinity_seconds:
        facts.append(f"sessionAffinity ClientIP {service.affinity_seconds} s")
    return ", ".join(facts)


def port_title(cluster: Cluster, spread: Spread) -> str:
    """The port, where it listens, and how many endpoints it has."""
    listening = [
        f"{VIA[f.kind]} {f.address or '*'}:{f.port}"
        for f in frontends(spread.service, cluster.proxy.service_proxy_name)
        if f.service_port is spread.port and f.family is spread.family
    ]
    name = f"{spread.port.name} " if spread.port.name else ""
    ready, draining = len(spread.usable.ready), len(spread.usable.draining)
    count = f"{ready} ready endpoint{'' if ready == 1 else 's'}"
    count += f", {draining} terminating" if draining else ""
    return f"{name}{spread.port.port}/{spread.port.protocol}: {', '.join(listening)} ({count})"


def spread_lines(spread: Spread) -> list[Line]:
    """The rows with equal answers put together: first over nodes, then over frontends."""
    by_frontend: dict[tuple[Client, FrontendKind], list[Line]] = {}
    for (client, kind), rows in by_client(spread.rows).items():
        alike: dict[Cells, list[NodeClass]] = {}
        for row in rows:
            alike.setdefault(cells(row, spread), []).append(row.nodes)
        by_frontend[client, kind] = [
            Line(CLIENTS[client], VIA[kind], join_names(nodes), *cell)
            for cell, nodes in alike.items()
        ]
    return [line for found in _join_frontends(by_frontend) for line in found]


def by_client(rows: Iterable[Row]) -> dict[tuple[Client, FrontendKind], list[Row]]:
    """The rows of each client through each kind of frontend."""
    groups: dict[tuple[Client, FrontendKind], list[Row]] = {}
    for client in Client:
        for row in rows:
            if row.client is client:
                groups.setdefault((client, row.frontend.kind), []).append(row)
    return groups


def _join_frontends(
    by_frontend: dict[tuple[Client, FrontendKind], list[Line]],
) -> list[list[Line]]:
    """Frontends that are answered alike for a client share their lines."""
    joined: dict[tuple[object, ...], tuple[list[str], list[Line]]] = {}
    for found in by_frontend.values():
        key = tuple(
            (line.client, line.nodes, line.answered, line.second_hop, line.kept) for line in found
        )
        joined.setdefault(key, ([], found))[0].append(found[0].via)
    return [
        [Line(x.client, ",\n".join(via), x.nodes, x.answered, x.second_hop, x.kept) for x in found]
        for via, found in joined.values()
    ]


Cells = tuple[str, str, str]


def cells(row: Row, spread: Spread) -> Cells:
    """Answered by, second hop, client address."""
    if _not_sent(row, spread):
        return "the load balancer does not send here", "-", "-"
    if not row.endpoints:
        return ANSWER.get(row.decision.action, "nobody"), "-", "-"
    count = len(row.endpoints)
    crossing = Fraction(sum(row.crossings(e) for e in row.endpoints), count)
    keeping = Fraction(sum(row.keeps_client(e) for e in row.endpoints), count)
    kept = _words(keeping, "hidden", "kept", f"kept in {percent(keeping)}")
    hop = _words(crossing, "never", "always", percent(crossing))
    return _answered(row.endpoints), hop, kept


def _not_sent(row: Row, spread: Spread) -> bool:
    """True for outsiders at a node that the load balancer keeps away from."""
    return (
        row.client is Client.EXTERNAL
        and row.frontend.kind is FrontendKind.LOAD_BALANCER
        and row.nodes not in spread.balance.entry
    )


def _words(share: Fraction, none: str, all_: str, some: str) -> str:
    return none if share == 0 else all_ if share == 1 else some


def _answered(endpoints: tuple[Endpoint, ...]) -> str:
    """By name or by number; each has the same share."""
    if len(endpoints) > LISTED:
        return f"any of {len(endpoints)} endpoints"
    return " or ".join(map(endpoint_name, endpoints))


def endpoint_name(endpoint: Endpoint) -> str:
    """The pod's name, else the address and port."""
    return endpoint.pod.rpartition("/")[2] or endpoint.key


def _table(found: list[Line]) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for heading in ("CLIENT", "VIA", "ENTRY NODE", "ANSWERED BY, ALIKE", "SECOND HOP", "CLIENT IP"):
        table.add_column(heading, overflow="fold")
    for x in found:
        cells_of = (x.client, x.via, x.nodes, x.answered, x.second_hop, x.kept)
        table.add_row(*map(lines, cells_of))
    return table


def _balance_lines(spread: Spread) -> list[str]:
    """Who is entered by, who gets which share, and the figures."""
    balance = spread.balance
    whose = "outside" if balance.client is Client.EXTERNAL else "pods on every node alike"
    shares = sorted(balance.shares, key=lambda pair: -pair[1])
    named = ", ".join(f"{endpoint_name(e)} {percent(s)}" for e, s in shares[:6])
    more = f" and {len(shares) - 6} more" if len(shares) > 6 else ""
    found = []
    if balance.via is FrontendKind.LOAD_BALANCER:
        found.append(f"Load balancer sends to: {join_names(balance.entry) or 'no node'}")
    if shares:
        found.append(f"Share of all connections ({whose}): {named}{more}")
    return [*found, _figure_line(balance)]


def _figure_line(balance: Balance) -> str:
    facts = [
        f"imbalance {imbalance(balance)} (largest share over fair share)",
        f"second hop {percent(balance.second_hop)}",
        f"client address kept {percent(balance.client_kept)}",
    ]
    if balance.unanswered:
        facts.append(f"unanswered {percent(balance.unanswered)}")
    return ", ".join(facts)


def imbalance(balance: Balance) -> str:
    """`1.50`, `-` if nobody answers."""
    return "-" if balance.imbalance is None else f"{float(balance.imbalance):.2f}"
