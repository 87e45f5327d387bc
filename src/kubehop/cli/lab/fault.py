"""`kubehop lab fault`: put things that go wrong into a lab, and take them out again."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from kubehop.cli.common import emit, output_option, style
from kubehop.cli.lab.common import F, name_option, namespace_option, told
from kubehop.model.errors import UsageError

_WHERE = (
    click.option("--node", default="", metavar="NODE", help="At, or from, this node."),
    click.option("--to", default="", metavar="NODE", help="The node at the other end."),
    click.option("--pod", default="", metavar="POD", help="As NAME or NAME.NAMESPACE."),
    click.option("--service", default="", metavar="SERVICE", help="As NAME or NAME.NAMESPACE."),
)


def _where_options(function: F) -> F:
    """The options that say where a fault is."""
    for option in reversed((*_WHERE, namespace_option)):
        function = option(function)
    return function


def _names(_context: Any, _parameter: Any, begun: str) -> list[CompletionItem]:
    """Shell completion of a fault's name."""
    from kubehop.lab.faults import FAULTS

    return [
        CompletionItem(name, help=fault.summary)
        for name, fault in FAULTS.items()
        if name.startswith(begun)
    ]


@click.group("fault")
def command() -> None:
    """Put faults into a lab: something that goes wrong in clusters, with real packets.

    Several at once, and one at several places, are fine; each can be taken out again, and then
    the lab is what it was. A fault stays while the cluster changes, until its object goes.

    \b
    Examples:
      kubehop lab fault list -o wide               what there is, what one sees, how it is mended
      kubehop lab fault add rules-gone --node node-0
      kubehop lab fault heal --all
    """


@command.command("list", short_help="What there is; wide: symptom, cause and fix.")
@output_option("wide", "json", "yaml")
def list_faults(output: str | None) -> int:
    """The faults that there are; wide: with symptom, cause and fix in a real cluster.

    Those that are in a lab are part of `kubehop lab status`.

    \b
    Examples:
      kubehop lab fault list
      kubehop lab fault list -o wide
    """
    from kubehop.lab.faults.text import table_json, table_text

    if output in ("json", "yaml"):
        emit(table_json(), output)
    else:
        click.echo(table_text(style(output)), nl=False)
    return 0


@command.command("add", short_help="Put a fault into the lab.")
@click.argument("fault", metavar="FAULT", shell_complete=_names)
@_where_options
@name_option
def add(fault: str, name: str, **where: str) -> int:
    """Put a fault into the lab; `kubehop lab fault list` says which there are.

    \b
    Examples:
      kubehop lab fault add overlay-dropped --node node-0 --to node-1
      kubehop lab fault add server-stopped --pod whoami-1
      kubehop lab fault add dns-gone               all DNS pods; --pod: one of them
      kubehop lab fault add health-lies --service example-service --node node-0
    """
    from kubehop.lab.faults import fault_named
    from kubehop.lab.supervisor.client import ask

    symptom = fault_named(fault).symptom
    told(ask(name, "fault-add", fault=fault, **where))
    click.echo(f"one sees: {symptom}")
    return 0


@command.command("heal", short_help="Take faults out of the lab.")
@click.argument("fault", metavar="FAULT", default="", shell_complete=_names)
@click.option("--all", "everything", is_flag=True, help="Take all faults out.")
@_where_options
@name_option
def heal(fault: str, everything: bool, name: str, **where: str) -> int:
    """Take a fault out of the lab: at every place, or where the options say.

    \b
    Examples:
      kubehop lab fault heal overlay-dropped --node node-0 --to node-1
      kubehop lab fault heal server-stopped
      kubehop lab fault heal --all
    """
    from kubehop.lab.supervisor.client import ask

    if everything == bool(fault):
        raise UsageError("name one fault to heal, or say --all")
    told(ask(name, "fault-heal", fault=fault, **where))
    return 0
