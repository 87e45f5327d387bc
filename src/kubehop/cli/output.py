"""How every command prints: text or a format of -o, colours or none. Knows no cluster."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kubehop.render.drawing import Style

F = TypeVar("F", bound=Callable[..., Any])


def output_option(*formats: str) -> Callable[[F], F]:
    """`-o`: text when absent."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        metavar="|".join(formats),
        help="Output format; text by default.",
    )


def style(output: str | None) -> "Style":
    """Colours only on a terminal, and not where NO_COLOR is set (no-color.org)."""
    from kubehop.render.drawing import Style

    colour = sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Style(colour=colour, wide=output == "wide")


def emit(value: dict[str, Any], output: str) -> None:
    """Print a JSON value as `-o json` or `-o yaml`."""
    if output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), nl=False)
        return
    from kubehop.render.json_common import dumps

    click.echo(dumps(value), nl=False)
