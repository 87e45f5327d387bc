"""A question predicted and observed, side by side."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from kubehop.model.addresses import socket_address
from kubehop.render.drawing import Style, bullets, draw, percent, text

if TYPE_CHECKING:
    from rich.console import RenderableType

Raw = dict[str, Any]


def comparison_text(answer: Raw, style: Style) -> str:
    """The text of a value of kind Comparison (docs/json.md)."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for title in ("PREDICTED", "OUTCOME", "OBSERVED"):
        table.add_column(title, overflow="fold", no_wrap=title != "OUTCOME")
    total = answer["connections"]
    for outcome in answer["outcomes"]:
        predicted = percent(Fraction(outcome["probability"]))
        table.add_row(predicted, text(_outcome(outcome)), _observed(outcome["observed"], total))
    for outcome in answer["unpredicted"]:
        observed = _observed(outcome["observed"], total)
        table.add_row("never", text(_outcome(outcome), "red"), observed)
    plural = "connection" if total == 1 else "connections"
    head = f"{answer['from']} -> {answer['to']} ({answer['protocol']}), {total} {plural}"
    parts: list[RenderableType] = [text(head, "bold"), table, _verdict(answer)]
    parts += bullets("Note", tuple(answer["notes"]))
    return draw(*parts, style=style)


def _outcome(outcome: Raw) -> str:
    """`delivered to default/web on node-1; sees 192.168.0.11; 1 node crossing`."""
    parts = [outcome["verdict"]]
    endpoint = outcome["endpoint"]
    if endpoint:
        address = socket_address(endpoint["address"], endpoint["port"])
        parts[0] += f" to {endpoint['pod'] or address}"
        parts[0] += f" on {endpoint['node']}" if endpoint["node"] else ""
    if outcome["sourceSeen"]:
        parts.append(f"sees {outcome['sourceSeen']}")
    crossings = outcome["nodeCrossings"]
    if crossings is not None and endpoint:
        parts.append(f"{crossings} node crossing{'' if crossings == 1 else 's'}")
    return "; ".join(parts)


def _observed(count: int, total: int) -> str:
    return f"{count} of {total}"


def _verdict(answer: Raw) -> "RenderableType":
    if answer["agrees"]:
        return text("prediction and packets agree", "green")
    return text("DIFFERS: " + "; ".join(answer["disagreements"]), "red")
