"""What the lab's commands share."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubehop.model.errors import printable

F = TypeVar("F", bound=Callable[..., Any])
Raw = dict[str, Any]
DEFAULT = "default"


def name_option(function: F) -> F:
    """`--name`, which lab is meant."""
    return click.option(
        "--name",
        default=DEFAULT,
        show_default=True,
        metavar="NAME",
        envvar="KUBEHOP_LAB",
        show_envvar=True,
        help="Which lab; several may be up at a time.",
    )(function)


def namespace_option(function: F) -> F:
    """`-n` for names without a namespace."""
    return click.option(
        "-n",
        "--namespace",
        default="default",
        show_default=True,
        metavar="NAME",
        help="Namespace of unqualified names.",
    )(function)


def told(lines: list[str]) -> None:
    """Print what changed, a line each."""
    for line in lines or ["nothing to change"]:
        click.echo(printable(line))


def show_progress(line: str) -> None:
    """On a terminal only, over the line before; see `end_progress`."""
    if _on_terminal():
        click.echo(f"\r\033[K{printable(line)} ...", err=True, nl=False)


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def end_progress() -> None:
    """Leave no line of progress behind."""
    if _on_terminal():
        click.echo("\r\033[K", err=True, nl=False)
