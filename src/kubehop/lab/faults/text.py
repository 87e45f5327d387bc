"""What a user reads about faults."""

from collections.abc import Iterable
from typing import Any

from kubehop.lab.faults.table import FAULTS
from kubehop.lab.faults.values import Fault, Injected
from kubehop.render.drawing import Style, draw, lines, text
from kubehop.render.json_common import API_VERSION

PARTS = ("symptom", "cause", "fix")


def table_text(style: Style) -> str:
    """Every fault, a line each; wide: with what one sees, why in a real cluster, and the fix."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for title in ("NAME", "WHERE", "WHAT"):
        table.add_column(title, no_wrap=title == "NAME", overflow="fold")
    for fault in FAULTS.values():
        table.add_row(text(fault.name), text(_where(fault)), lines(_what(fault, style.wide)))
    return draw(table, style=style)


def _where(fault: Fault) -> str:
    return fault.usage.removeprefix(fault.name).strip() or "-"


def _what(fault: Fault, wide: bool) -> str:
    return "\n".join((fault.summary, *(f"{p}: {getattr(fault, p)}" for p in PARTS * wide)))


def table_json() -> dict[str, Any]:
    """Every fault, `kind: Faults`."""
    faults = [_json(fault) for fault in FAULTS.values()]
    return {"apiVersion": API_VERSION, "kind": "Faults", "faults": faults}


def _json(fault: Fault) -> dict[str, Any]:
    words = {part: getattr(fault, part) for part in ("name", "summary", *PARTS)}
    parameters = {"needs": [*map(str, fault.needs)], "takes": [*map(str, fault.takes)]}
    return words | parameters


def active_lines(faults: Iterable[Injected]) -> tuple[str, ...]:
    """A line for each fault in a lab: where, and what one sees of it."""
    return tuple(f"{fault.label}: {FAULTS[fault.fault].symptom}" for fault in faults)


def active_json(fault: Injected) -> dict[str, str]:
    """A fault in a lab: its name, where it is, what one sees."""
    where = {str(parameter): fault.place[parameter] for parameter in fault.place.given}
    return {"name": fault.fault, **where, "symptom": FAULTS[fault.fault].symptom}
