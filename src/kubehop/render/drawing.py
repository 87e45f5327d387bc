"""Drawing text: tables and trees by rich, returned as strings."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from kubehop.model.errors import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

WIDTH = 100
NO_BREAK = "\N{NO-BREAK SPACE}"
"""Between words that stay on one line; printed as a space, so that the line can be searched."""


@dataclass(frozen=True, slots=True)
class Style:
    """How to draw: colours only on a terminal; `wide` leaves nothing out."""

    colour: bool = False
    wide: bool = False


def draw(*parts: "RenderableType", style: Style) -> str:
    """The parts below each other, at most `WIDTH` columns wide."""
    from rich.console import Console

    console = Console(
        width=WIDTH,
        force_terminal=style.colour,
        no_color=not style.colour,
        color_system="standard" if style.colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    drawn = captured.get().replace(NO_BREAK, " ")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def text(content: str, style: str = "") -> "Text":
    """Text that nothing in a name can turn into markup or a terminal escape."""
    from rich.text import Text

    return Text(printable(content), style=style)


def lines(content: str) -> "Text":
    """Several lines of our own making, each of them printable."""
    from rich.text import Text

    return Text("\n".join(printable(line) for line in content.split("\n")))


def percent(share: Fraction) -> str:
    """`50%`, `33.3%`, `<0.1%`."""
    if 0 < share < Fraction(1, 1000):
        return "<0.1%"
    value = float(share * 100)
    return f"{value:.0f}%" if value == round(value) else f"{value:.1f}%"


def bullets(title: str, items: tuple[str, ...]) -> "list[RenderableType]":
    """A titled list, nothing when it is empty."""
    from rich.padding import Padding
    from rich.table import Table

    if not items:
        return []
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column()
    for item in items:
        grid.add_row("-", text(item))
    return [text(title, "bold"), Padding(grid, (0, 2))]
